/* Features of l = 1 and 2 and their products: lammps_botan/network/harmonics.py, channel by channel
   in a register. Everything is internal to the file that is compiled.
*/

#ifndef BOTAN_EQUIVARIANT_FEATURES_H
#define BOTAN_EQUIVARIANT_FEATURES_H

#include "equivariant_rows.h"
#include "vector_math.h"

namespace {

constexpr int ROWS = EQUIVARIANT_ROWS, VECTOR = 3;    // rows of l = 1, then those of l = 2
constexpr float HALF = 0.707106781F;                  // square roots of 1/2, 1/6
constexpr float SIXTH = 0.408248290F;
constexpr float THREE = 1.732050808F, FIVE = 2.236067977F, FIFTEEN = 3.872983346F;    // of these

#define EACH_ROW(m) UNROLL for (int m = 0; m < ROWS; m++)

// rows x, y, z of l = 1; xy, yz, z^2, xz, x^2 - y^2 of l = 2
struct Features {
  Channels of[ROWS];

  INLINE void from(const float *rows, long stride)
  {
    EACH_ROW(m) of[m] = load<Channels>(rows + m * stride);
  }
  INLINE void to(float *rows, long stride) const { EACH_ROW(m) store(rows + m * stride, of[m]); }
};

struct Matrix {
  Channels xx, yy, zz, xy, yz, xz;
};

INLINE inline Matrix matrix(const Features &a)
{
  const Channels *t = a.of + VECTOR;
  const Channels third = t[2] * SIXTH, half = t[4] * HALF;
  return {half - third, -half - third, 2 * third, t[0] * HALF, t[1] * HALF, t[3] * HALF};
}

INLINE inline void dots(const Features &a, const Features &b, Channels &one, Channels &two)
{
  one = a.of[0] * b.of[0];
  for (int m = 1; m < VECTOR; m++) one += a.of[m] * b.of[m];
  two = a.of[VECTOR] * b.of[VECTOR];
  for (int m = VECTOR + 1; m < ROWS; m++) two += a.of[m] * b.of[m];
}

// M v
INLINE inline void turn(const Matrix &a, const Channels *v, Channels *to)
{
  to[0] = a.xx * v[0] + a.xy * v[1] + a.xz * v[2];
  to[1] = a.xy * v[0] + a.yy * v[1] + a.yz * v[2];
  to[2] = a.xz * v[0] + a.yz * v[1] + a.zz * v[2];
}

// v w^T, symmetric, without trace
INLINE inline void outer(const Channels *v, const Channels *w, Channels *to)
{
  to[0] = (v[0] * w[1] + v[1] * w[0]) * HALF;
  to[1] = (v[1] * w[2] + v[2] * w[1]) * HALF;
  to[2] = (2 * v[2] * w[2] - v[0] * w[0] - v[1] * w[1]) * SIXTH;
  to[3] = (v[0] * w[2] + v[2] * w[0]) * HALF;
  to[4] = (v[0] * w[0] - v[1] * w[1]) * HALF;
}

// M N, symmetric, without trace
INLINE inline void product(const Matrix &a, const Matrix &b, Channels *to)
{
  const Channels xx = a.xx * b.xx + a.xy * b.xy + a.xz * b.xz;
  const Channels yy = a.xy * b.xy + a.yy * b.yy + a.yz * b.yz;
  const Channels zz = a.xz * b.xz + a.yz * b.yz + a.zz * b.zz;
  to[0] =
      (a.xx * b.xy + a.xy * b.yy + a.xz * b.yz + a.xy * b.xx + a.yy * b.xy + a.yz * b.xz) * HALF;
  to[1] =
      (a.xy * b.xz + a.yy * b.yz + a.yz * b.zz + a.xz * b.xy + a.yz * b.yy + a.zz * b.yz) * HALF;
  to[2] = (2 * zz - xx - yy) * SIXTH;
  to[3] =
      (a.xx * b.xz + a.xy * b.yz + a.xz * b.zz + a.xz * b.xx + a.yz * b.xy + a.zz * b.xz) * HALF;
  to[4] = (xx - yy) * HALF;
}

// none longer than 1 in a channel
INLINE inline Features bounded(const Features &a)
{
  Channels one, two;
  dots(a, a, one, two);
  one = 1 / square_root(one + 1);
  two = 1 / square_root(two + 1);
  Features to;
  EACH_ROW(m) to.of[m] = a.of[m] * (m < VECTOR ? one : two);
  return to;
}

// of a register of directions [3][stride] of any length that is not tiny beside `unit`,
// [ROWS][stride]. Not inline: a copy of the code in an unrolled loop might round another way, and
// depend on the place of an edge in its tile
__attribute__((noinline)) void harmonics(const float *directions, long stride, float unit,
                                         float *to)
{
  Vector x = load(directions) / unit, y = load(directions + stride) / unit,
         z = load(directions + 2 * stride) / unit;
  const Vector shorter = 1 / square_root(x * x + y * y + z * z + 1e-12F);
  x *= shorter;
  y *= shorter;
  z *= shorter;
  store(to, x * THREE);
  store(to + stride, y * THREE);
  store(to + 2 * stride, z * THREE);
  store(to + 3 * stride, x * y * FIFTEEN);
  store(to + 4 * stride, y * z * FIFTEEN);
  store(to + 5 * stride, (2 * z * z - x * x - y * y) * (FIVE / 2));
  store(to + 6 * stride, x * z * FIFTEEN);
  store(to + 7 * stride, (x * x - y * y) * (FIFTEEN / 2));
}

// their lengths
__attribute__((noinline)) void lengths(const float *directions, long stride, float unit, float *to)
{
  const Vector x = load(directions), y = load(directions + stride),
               z = load(directions + 2 * stride);
  store(to, square_root(x * x + y * y + z * z) / unit);
}

}    // namespace

#endif

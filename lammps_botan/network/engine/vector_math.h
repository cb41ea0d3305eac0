/* Functions of the numbers in a register, which is a GCC vector of floats.

   For files that are compiled once for each set of instructions: everything is internal to them.
*/

#ifndef BOTAN_VECTOR_MATH_H
#define BOTAN_VECTOR_MATH_H

namespace {

// exp(x) to 1e-7 of it, of -87 and 88 beyond these; NaN stays NaN
template <class Vector> __attribute__((always_inline)) inline Vector exponential(Vector x)
{
  using Integers = decltype(x > x);
  const Vector lowest = Vector{} - 87.0F, highest = Vector{} + 88.0F;
  x = lowest > x ? lowest : x;
  x = x > highest ? highest : x;
  // x = n ln 2 + r; the sum with 1.5 2^23 is rounded to a whole number, n in its last bits
  const Vector rounded = x * 1.44269504F + 12582912.0F;
  const Vector n = rounded - 12582912.0F;
  const Vector r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  // (exp(r) - 1 - r) / r^2 for |r| < ln 2 / 2, so that exp(r) has the least relative error, 3e-9
  Vector p = r * 1.3814467e-3F + 8.3687808e-3F;
  p = p * r + 4.1668393e-2F;
  p = p * r + 1.6666520e-1F;
  p = p * r + 4.9999994e-1F;
  p = p * (r * r) + r + 1.0F;
  const Integers exponent = (((Integers) rounded) << 23) + 0x3f800000;    // 2^n
  return p * (Vector) exponent;
}

// x / (1 + exp(-x))
template <class Vector> __attribute__((always_inline)) inline Vector silu(Vector x)
{
  return x / (exponential(-x) + 1.0F);
}

template <class Vector> __attribute__((always_inline)) inline Vector square_root(Vector x)
{
  for (unsigned l = 0; l < sizeof(Vector) / sizeof(float); l++) x[l] = __builtin_sqrtf(x[l]);
  return x;
}

template <class Vector> __attribute__((always_inline)) inline float sum(Vector x)
{
  float all = 0;
  for (unsigned l = 0; l < sizeof(Vector) / sizeof(float); l++) all += x[l];
  return all;
}

}    // namespace

#endif

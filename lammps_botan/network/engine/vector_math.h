/* Registers of floats, and exp of them. Only files that CMakeLists.txt compiles once for each set
   of instructions include it: all of it has internal linkage.
*/

#ifndef BOTAN_VECTOR_MATH_H
#define BOTAN_VECTOR_MATH_H

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX2__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

#define INLINE __attribute__((always_inline))

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int Integers __attribute__((vector_size(LANES * sizeof(int))));
typedef float Unaligned
    __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

INLINE inline Vector load(const float *from)
{
  return *reinterpret_cast<const Unaligned *>(from);
}

INLINE inline void store(float *to, Vector x)
{
  *reinterpret_cast<Unaligned *>(to) = x;
}

INLINE inline Vector all(float x)
{
  return x - Vector{};
}

// NaN stays NaN
INLINE inline Vector clamp(Vector x, float least, float most)
{
  x = x < all(least) ? all(least) : x;
  return x > all(most) ? all(most) : x;
}

// 2^n for n from -126 to 127
INLINE inline Vector power_of_two(Integers n)
{
  return (Vector) ((n + 127) << 23);
}

// to about 1 ulp: 2^n exp(r) with |r| <= log(2) / 2, by the series of exp(r)
INLINE inline Vector exponential(Vector x)
{
  constexpr float LOG_2_HIGH = 0x1.62ep-1F, LOG_2_LOW = 0x1.0bfbe8p-15F;    // n times HIGH is exact
  constexpr float INVERSE_LOG_2 = 0x1.715476p+0F;
  constexpr float ROUND = 0x1.8p+23F;    // added to a number, it leaves its bits before the point
  x = clamp(x, -105, 90);                // 0 and infinity beyond
  const Vector shifted = x * INVERSE_LOG_2 + ROUND;
  const Integers n = (Integers) shifted - (Integers) all(ROUND);
  const Vector whole = shifted - ROUND;
  const Vector r = (x - whole * LOG_2_HIGH) - whole * LOG_2_LOW;
  constexpr float TERMS[] = {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F};
  Vector sum = all(1.0F / 5040);
  for (const float term : TERMS) sum = sum * r + term;
  // in two steps, since 2^n itself may be beyond the numbers of a float
  return sum * power_of_two(n >> 1) * power_of_two(n - (n >> 1));
}

}    // namespace

#endif

/* Products of rows of 64 features with weights, and sums of products of rows, in registers.

   For files that are compiled once for each set of instructions: everything is internal to them.
*/

#ifndef BOTAN_ROWS_H
#define BOTAN_ROWS_H

#include "botan_kernels.h"
#include "registers.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#define EACH(j) for (int j = 0; j < WIDTH; j += LANES)

namespace {

constexpr int WIDTH = BOTAN_WIDTH;

// rows and columns of registers that hold sums
#if defined(__AVX512F__)
constexpr int ROWS = 6, VECTORS = 4;    // 24 of 32 registers
#elif defined(__AVX2__)
constexpr int ROWS = 6, VECTORS = 2;    // 12 of 16
#else
constexpr int ROWS = 4, VECTORS = 2;    // 8 of 16
#endif
constexpr int PANEL = VECTORS * LANES;

// NaN stays NaN
INLINE inline Vector relu(Vector x)
{
  const Vector zero = {};
  return zero > x ? zero : x;
}

// A term of a sum of products: a number on the left, numbers in a register on the right
INLINE inline const float *terms(const float *x)
{
  return x;
}

INLINE inline Vector left_term(const float *from)
{
  return all(*from);
}

INLINE inline Vector right_term(const float *from)
{
  return load(from);
}

INLINE inline Vector add_product(Vector sum, Vector left, Vector right)
{
  return sum + left * right;
}

INLINE inline const float *weights(const BotanBlock &w, float)
{
  return w.panels;
}

using Half = uint16_t;    // bfloat16

// what is computed with on edges
#ifdef __AVX512BF16__

using Number = Half;
using Pair = uint32_t;    // of them: two terms in one

INLINE inline Vector load(const Number *from)
{
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
  return (Vector) _mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16);
}

INLINE inline void store(Number *to, Vector x)
{
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), (__m256i) _mm512_cvtneps_pbh((__m512) x));
}

INLINE inline const Pair *terms(const Number *x)
{
  return reinterpret_cast<const Pair *>(x);
}

INLINE inline __m512bh left_term(const Pair *from)
{
  int pair;
  __builtin_memcpy(&pair, from, sizeof pair);
  return (__m512bh) _mm512_set1_epi32(pair);
}

INLINE inline __m512bh right_term(const Pair *from)
{
  return (__m512bh) _mm512_loadu_si512(from);
}

INLINE inline Vector add_product(Vector sum, __m512bh left, __m512bh right)
{
  return (Vector) _mm512_dpbf16_ps((__m512) sum, left, right);
}

INLINE inline const Pair *weights(const BotanBlock &w, Number)
{
  return w.pairs;
}

#else

using Number = float;

typedef uint16_t Halves __attribute__((vector_size(LANES * sizeof(uint16_t))));
typedef uint32_t Bits __attribute__((vector_size(LANES * sizeof(uint32_t))));

INLINE inline Vector load(const Half *from)
{
  Halves halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  return (Vector) (__builtin_convertvector(halves, Bits) << 16);
}

// to the nearest, ties to even; NaN stays NaN
INLINE inline void store(Half *to, Vector x)
{
  const Bits bits = (Bits) x, high = bits >> 16;
  const Bits nearest = (bits + 0x7fff + (high & 1)) >> 16;
  const Halves halves = __builtin_convertvector(x == x ? nearest : (high | 0x40), Halves);
  __builtin_memcpy(to, &halves, sizeof halves);
}

#endif

template <class T, int N> struct alignas(64) Rows {
  T of[N][WIDTH];
  operator T *() { return of[0]; }
};

// sum(r, :) += sum over k < n of a(r, k) b(k, :), for N_ROWS rows and one panel of columns; a(r, k)
// is a[r ROW + k STEP], and b has rows of so many terms
template <int N_ROWS, int ROW, int STEP, int B_ROW, class Term>
INLINE inline void add_products(int n, const Term *a, const Term *b, Vector sum[][VECTORS])
{
#pragma GCC unroll 4
  for (int k = 0; k < n; k++, a += STEP, b += B_ROW) {
    decltype(right_term(b)) right[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) right[v] = right_term(b + v * LANES);
    UNROLL for (int r = 0; r < N_ROWS; r++)
    {
      const auto left = left_term(a + r * ROW);
      UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = add_product(sum[r][v], left, right[v]);
    }
  }
}

// finish(row, column, start(row, column) + x w) for N_ROWS rows
template <int N_ROWS, class T, class Start, class Finish>
INLINE inline void multiply(const T *x, BotanBlock w, Start start, Finish finish)
{
  constexpr int N_TERMS = WIDTH * sizeof(T) / sizeof(*terms(x));
  const auto *panel = weights(w, T());
  for (int column = 0; column < WIDTH; column += PANEL, panel += PANEL * N_TERMS) {
    Vector sum[N_ROWS][VECTORS];
    UNROLL for (int r = 0; r < N_ROWS; r++) UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] =
        start(r, column + v * LANES);
    add_products<N_ROWS, N_TERMS, 1, PANEL>(N_TERMS, terms(x), panel, sum);
    UNROLL for (int r = 0; r < N_ROWS; r++) UNROLL for (int v = 0; v < VECTORS; v++)
        finish(r, column + v * LANES, sum[r][v]);
  }
}

template <class T, class Start, class Finish>
INLINE inline void multiply_all(int n, const T *x, BotanBlock w, Start start, Finish finish)
{
  int r = 0;
  for (; r + ROWS <= n; r += ROWS)
    multiply<ROWS>(
        x + r * WIDTH, w, [&](int i, int j) INLINE { return start(r + i, j); },
        [&](int i, int j, Vector sum) INLINE { finish(r + i, j, sum); });
  for (; r < n; r++)
    multiply<1>(
        x + r * WIDTH, w, [&](int, int j) INLINE { return start(r, j); },
        [&](int, int j, Vector sum) INLINE { finish(r, j, sum); });
}

// to = relu(x w + bias)
template <class T, class Kept>
INLINE inline void layer(int n, const T *x, BotanBlock w, const float *bias, Kept *to)
{
  multiply_all(
      n, x, w, [&](int, int j) INLINE { return load(bias + j); },
      [&](int r, int j, Vector sum) INLINE { store(to + r * WIDTH + j, relu(sum)); });
}

}    // namespace

#endif

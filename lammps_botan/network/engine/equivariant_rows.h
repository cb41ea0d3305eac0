/* Products of rows of numbers with matrices, in registers of the instructions that a file is
   compiled for. Everything is internal to the file.
*/

#ifndef BOTAN_EQUIVARIANT_ROWS_H
#define BOTAN_EQUIVARIANT_ROWS_H

#include "equivariant_kernels.h"
#include "registers.h"

namespace {

// floats in a register for channels of features, and rows of which sums are in registers
#if defined(__AVX512F__)
constexpr int CHANNELS = 8, BLOCK = 12;    // 24 of 32 registers
#elif defined(__AVX2__)
constexpr int CHANNELS = 8, BLOCK = 6;    // 12 of 16
#else
constexpr int CHANNELS = 4, BLOCK = 4;    // 8 of 16
#endif

typedef float Channels __attribute__((vector_size(CHANNELS * sizeof(float))));

// finish(row, column, start(row, column) + x w) for N rows and V registers of columns
template <int N, int V, class Start, class Finish>
INLINE inline void multiply(const float *x, long stride, EquivariantMatrix w, long column,
                            Start start, Finish finish)
{
  Vector total[N][V];
  UNROLL for (int r = 0; r < N; r++) UNROLL for (int v = 0; v < V; v++) total[r][v] =
      start(r, column + v * LANES);
  const float *row = w.numbers + column;
#pragma GCC unroll 4
  for (long k = 0; k < w.inputs; k++, row += w.outputs) {
    Vector right[V];
    UNROLL for (int v = 0; v < V; v++) right[v] = load(row + v * LANES);
    UNROLL for (int r = 0; r < N; r++)
    {
      const Vector left = all(x[r * stride + k]);
      UNROLL for (int v = 0; v < V; v++) total[r][v] += left * right[v];
    }
  }
  UNROLL for (int r = 0; r < N; r++) UNROLL for (int v = 0; v < V; v++)
      finish(r, column + v * LANES, total[r][v]);
}

template <int V, class Start, class Finish>
INLINE inline void multiply_rows(int n, const float *x, long stride, EquivariantMatrix w,
                                 long column, Start start, Finish finish)
{
  int r = 0;
  for (; r + BLOCK <= n; r += BLOCK)
    multiply<BLOCK, V>(
        x + r * stride, stride, w, column, [&](int i, long j) INLINE { return start(r + i, j); },
        [&](int i, long j, Vector total) INLINE { finish(r + i, j, total); });
  for (; r < n; r++)
    multiply<1, V>(
        x + r * stride, stride, w, column, [&](int, long j) INLINE { return start(r, j); },
        [&](int, long j, Vector total) INLINE { finish(r, j, total); });
}

// finish(row, column, start(row, column) + x w) for n rows
template <class Start, class Finish>
INLINE inline void multiply_all(int n, const float *x, long stride, EquivariantMatrix w,
                                Start start, Finish finish)
{
  long column = 0;
  for (; column + 2 * LANES <= w.outputs; column += 2 * LANES)
    multiply_rows<2>(n, x, stride, w, column, start, finish);
  for (; column < w.outputs; column += LANES)
    multiply_rows<1>(n, x, stride, w, column, start, finish);
}

// finish(row, channel, x w) for the rows of features: three of l = 1, five of l = 2
template <class Finish>
INLINE inline void mix(const float *x, long stride, EquivariantMatrix vectors,
                       EquivariantMatrix matrices, Finish finish)
{
  for (long c = 0; c < vectors.outputs; c += CHANNELS) {
    Channels total[EQUIVARIANT_ROWS] = {};
    for (long k = 0; k < vectors.inputs; k++) {
      const Channels one = load<Channels>(vectors.numbers + k * vectors.outputs + c);
      const Channels two = load<Channels>(matrices.numbers + k * matrices.outputs + c);
      UNROLL for (int m = 0; m < EQUIVARIANT_ROWS; m++) total[m] +=
          all<Channels>(x[m * stride + k]) * (m < 3 ? one : two);
    }
    UNROLL for (int m = 0; m < EQUIVARIANT_ROWS; m++) finish(m, c, total[m]);
  }
}

}    // namespace

#endif

/* The update of a tile of nodes of the equivariant network, and its output.

   Everything is internal to the file that is compiled.
*/

#ifndef BOTAN_EQUIVARIANT_NODES_H
#define BOTAN_EQUIVARIANT_NODES_H

#include "equivariant_tile.h"

namespace {

// of one node: products to l = 0 of its features, before and around
void invariants(const Weights &w, const float *before, const float *around, float *to)
{
  const long f = w.padded_features;
  EACH_CHANNEL(c, f)
  {
    Features a, b, squared;
    a.from(around + c, f);
    b.from(before + c, f);
    const Matrix m = matrix(a);
    turn(m, a.of, squared.of);
    product(m, m, squared.of + VECTOR);
    const Features *pairs[4][2] = {{&a, &a}, {&a, &b}, {&b, &b}, {&squared, &a}};
    for (int k = 0; k < 4; k++) {
      Channels one, two;
      dots(*pairs[k][0], *pairs[k][1], one, two);
      store(to + 2 * k * f + c, one);
      store(to + (2 * k + 1) * f + c, two);
    }
  }
}

// of one node: its features and their products, gated, in groups of f
void gated(const Weights &w, const float *before, const float *around, const float *gate, float *to)
{
  const long f = w.padded_features;
  EACH_CHANNEL(c, f)
  {
    Features x[6];    // around, before, crossed, squared
    Features &a = x[0], &b = x[1];
    a.from(around + c, f);
    b.from(before + c, f);
    const Matrix m = matrix(a), n = matrix(b);
    turn(m, b.of, x[2].of);
    turn(n, a.of, x[3].of);
    turn(m, a.of, x[4].of);
    turn(m, a.of, x[5].of);
    outer(a.of, b.of, x[2].of + VECTOR);
    product(m, n, x[3].of + VECTOR);
    outer(a.of, a.of, x[4].of + VECTOR);
    product(m, m, x[5].of + VECTOR);
    for (int k = 0; k < 6; k++) {
      const Channels factor = load<Channels>(gate + k * f + c);
      EACH_ROW(row) store(to + row * 6 * f + k * f + c, x[k].of[row] * factor);
    }
  }
}

template <bool LAST>
INLINE inline void nodes(const Weights &w, const State &s, const Layer &layer, long i, int n,
                         const Tile &t)
{
  const long wide = w.padded_width, f = w.padded_features, changes = wide + 6 * f;
  bound(w, n, t.around, t.around);
  for (int r = 0; r < n; r++) {
    float *row = t.update + r * t.update_stride + 2 * wide;
    invariants(w, t.bounded + r * ROWS * f, t.around + r * ROWS * f, row);
    for (long k = 0; k < w.n_own; k++) row[ROWS * f + k] = s.own[(i + r) * w.n_own + k];
  }
  multiply_all(
      n, t.update, t.update_stride, layer.update,
      [&](int, long j) INLINE { return load(layer.update_bias + j); },
      [&](int r, long j, Vector x) INLINE { store(t.hidden + r * wide + j, silu(x)); });
  multiply_all(
      n, t.hidden, wide, layer.change,
      [&](int, long j) INLINE { return load(layer.change_bias + j); },
      [&](int r, long j, Vector x) INLINE { store(t.changed + r * changes + j, x); });
  for (int r = 0; r < n; r++) EACH(j, wide)
    {
      float *to = t.scalars + r * wide + j;
      store(to, load(to) + load(t.changed + r * changes + j));
    }
  if (LAST) return;
  for (int r = 0; r < n; r++) {
    const float *before = t.bounded + r * ROWS * f;
    gated(w, before, t.around + r * ROWS * f, t.changed + r * changes + wide, t.several);
    mix(t.several, 6 * f, layer.mix_vectors, layer.mix_matrices,
        [&](int m, long c, Channels x) INLINE {
          store(t.features + (r * ROWS + m) * f + c, load<Channels>(before + m * f + c) + x);
        });
  }
  pack(w, n, t, s.node + i * (w.width + ROWS * w.features));
}

void output(const Weights &w, const State &s, long i, int n, const Tile &t)
{
  const long wide = w.padded_width;
  float *to = s.node_out + i * w.n_times;
  for (int r = 0; r < n; r++)
    for (long time = 0; time < w.n_times; time++, to++) {
      const long row = s.species[i + r] * w.n_times + time;
      Vector total = {};
      EACH(j, wide) total += load(t.scalars + r * wide + j) * load(w.node_output + row * wide + j);
      *to = sum(total) + w.node_output_bias[row];
    }
}

}    // namespace

#endif

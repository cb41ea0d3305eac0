/* Messages and outputs of a tile of edges of the equivariant network.

   Everything is internal to the file that is compiled.
*/

#ifndef BOTAN_EQUIVARIANT_EDGES_H
#define BOTAN_EQUIVARIANT_EDGES_H

#include "equivariant_tile.h"

namespace {

constexpr float LOWEST = -30;    // exponent of a Gaussian; below it numbers are 0 and slow
constexpr float ONSET = 0.3F;    // diameters before the cutoff, where neighbors begin to count less
constexpr int MOST_VECTORS = 2;    // history, inherent

// what edges see
struct alignas(64) Pairs {
  float distance[1 + MOST_VECTORS][PADDED];    // in diameters
  float share[PADDED];
  float harmonic[ROWS][PADDED];
};

// edges a .. a + n - 1, center[r] counted from node i
void look(const Weights &w, const State &s, long i, long a, int n, const int *center, Pairs &p)
{
  for (long k = 0; k <= w.n_vectors; k++) {
    alignas(64) float apart[3][PADDED] = {};
    for (int r = 0; r < n; r++) {
      const float *vector = s.vectors + (a + r) * 3;
      for (int d = 0; d < 3; d++) apart[d][r] = vector[d];
      if (k == 0) continue;
      const float *here = s.node_vectors + ((i + center[r]) * w.n_vectors + k - 1) * 3;
      const float *there = s.node_vectors + (s.neighbor[a + r] * w.n_vectors + k - 1) * 3;
      for (int d = 0; d < 3; d++) apart[d][r] = apart[d][r] + here[d] - there[d];
    }
    for (int r = 0; r < n; r += LANES) {
      lengths(apart[0] + r, PADDED, w.diameter, p.distance[k] + r);
      if (k == (w.n_vectors ? 1 : 0))
        harmonics(apart[0] + r, PADDED, w.diameter, p.harmonic[0] + r);
    }
  }
  for (int r = 0; r < n; r += LANES) {
    const Vector zero = {}, one = zero + 1.0F;
    Vector near = (w.reach - load(p.distance[0] + r)) / ONSET;
    near = zero > near ? zero : near;    // NaN stays NaN
    near = near > one ? one : near;
    store(p.share + r, near * near * (3 - 2 * near) / w.root_neighbors);
  }
}

// some more columns than n_radial are written
INLINE inline void radial(const Weights &w, const Pairs &p, int r, float *to)
{
  const Vector lowest = all(LOWEST);
  for (long k = 0; k <= w.n_vectors; k++, to += w.n_gaussians) EACH(j, w.n_gaussians)
    {
      const Vector x = (p.distance[k][r] - load(w.radii + j)) * w.gaussians_per_diameter;
      const Vector exponent = x * x * -0.5F;
      store(to + j, exponential(lowest > exponent ? lowest : exponent));
    }
  for (long k = 1; k <= w.n_vectors; k++) *to++ = p.distance[k][r] - p.distance[0][r];
}

// harmonics of edge r
INLINE inline Features direction(const Pairs &p, int r)
{
  Features y;
  EACH_ROW(m) y.of[m] = all<Channels>(p.harmonic[m][r]);
  return y;
}

// messages and their sums at their centers
INLINE inline void add_up(const Weights &w, const Pairs &p, const float *const *sent, int n,
                          const int *center, const Tile &t)
{
  const long wide = w.padded_width, f = w.padded_features, gates = wide + 2 * f;
  for (int first = 0, end; first < n; first = end) {
    const int i = center[first];
    end = first + 1;
    while (end < n && center[end] == i) end++;
    float *received = t.update + i * t.update_stride + wide;
    EACH(j, wide)
    {
      Vector total = load(received + j);
      for (int r = first; r < end; r++)
        total += load(t.gate + r * gates + j) * load(sent[r] + wide + j);
      store(received + j, total);
    }
    EACH_CHANNEL(c, f)
    {
      float *around = t.around + i * ROWS * f + c;
      Features total;
      total.from(around, f);
      for (int r = first; r < end; r++) {
        const Channels one = load<Channels>(t.gate + r * gates + wide + c);
        const Channels two = load<Channels>(t.gate + r * gates + wide + f + c);
        Features x;
        x.from(sent[r] + 2 * wide + c, f);
        EACH_ROW(m) total.of[m] += (m < VECTOR ? one : two) * (x.of[m] + p.harmonic[m][r]);
      }
      total.to(around, f);
    }
  }
}

// the output on pairs, of states before the last update; t.pair has the radial functions
INLINE inline void change(const Weights &w, const State &s, const Pairs &p,
                          const float *const *theirs, const float *const *mine, long a, int n,
                          const Tile &t)
{
  const long wide = w.padded_width, f = w.padded_features;
  for (int r = 0; r < n; r++) {
    float *row = t.pair + r * t.pair_stride + w.n_radial;
    const Features y = direction(p, r);
    EACH_CHANNEL(c, f)
    {
      Features both, x;
      Channels one, two;
      both.from(theirs[r] + 2 * wide + c, f);
      x.from(mine[r] + 2 * wide + c, f);
      // harmonics of l = 1 change sign with the end that one looks from
      EACH_ROW(m) both.of[m] = m < VECTOR ? both.of[m] - x.of[m] : both.of[m] + x.of[m];
      dots(both, y, one, two);
      store(row + c, one);
      store(row + f + c, two);
      dots(both, both, one, two);
      store(row + 2 * f + c, one);
      store(row + 3 * f + c, two);
    }
    EACH(j, wide)
    store(row + 4 * f + j, load(mine[r] + wide + j) * load(theirs[r] + wide + j));
  }
  multiply_all(
      n, t.pair, t.pair_stride, w.pair_output,
      [&](int r, long j)
          INLINE { return load(w.pair_bias + j) + load(mine[r] + j) + load(theirs[r] + j); },
      [&](int r, long j, Vector x) INLINE { store(t.hidden + r * wide + j, silu(x)); });
  float *to = s.edge_out + a * w.n_times;
  for (int r = 0; r < n; r++)
    for (long time = 0; time < w.n_times; time++, to++) {
      Vector total = {};
      EACH(j, wide)
      total += load(t.hidden + r * wide + j) * load(w.edge_output + time * wide + j);
      *to = sum(total) + w.edge_output_bias[time];
      for (long k = 0; k < w.n_vectors; k++)
        *to += (p.distance[k + 1][r] - p.distance[0][r]) * w.approach[k * w.n_times + time];
    }
}

template <bool LAST>
INLINE inline void edges(const Weights &w, const State &s, long round, long i, long a, int n,
                         const int *center, const Tile &t)
{
  const Layer &layer = w.layers[round];
  const long wide = w.padded_width, f = w.padded_features, gates = wide + 2 * f;
  const long stride = equivariant_sent(w, round);
  const float *sent[TILE], *theirs[TILE], *mine[TILE];
  Pairs p;
  for (int r = 0; r < n; r++) sent[r] = s.sent + s.neighbor[a + r] * stride;
  look(w, s, i, a, n, center, p);
  for (int r = 0; r < n; r++) {
    float *row = t.pair + r * t.pair_stride;
    radial(w, p, r, row);
    if (!s.has_features) continue;
    const Features y = direction(p, r);
    EACH_CHANNEL(c, f)
    {
      Features x;
      Channels one, two;
      x.from(sent[r] + 2 * wide + c, f);
      dots(x, y, one, two);
      store(row + w.n_radial + c, one);
      store(row + w.n_radial + f + c, two);
    }
  }
  EquivariantMatrix pair = layer.pair;
  if (!s.has_features) pair.inputs = w.n_radial;
  multiply_all(
      n, t.pair, t.pair_stride, pair,
      [&](int r, long j)
          INLINE { return load(t.center + center[r] * wide + j) + load(sent[r] + j); },
      [&](int r, long j, Vector x)
          INLINE { store(t.hidden + r * wide + j, silu(x) * p.share[r]); });
  multiply_all(
      n, t.hidden, wide, layer.gates, [](int, long) INLINE { return Vector{}; },
      [&](int r, long j, Vector x) INLINE { store(t.gate + r * gates + j, x); });
  add_up(w, p, sent, n, center, t);
  if (!LAST) return;
  for (int r = 0; r < n; r++) {
    theirs[r] = sent[r] + 2 * wide + ROWS * f;
    mine[r] = s.sent + (i + center[r]) * stride + 2 * wide + ROWS * f;
  }
  change(w, s, p, theirs, mine, a, n, t);
}

}    // namespace

#endif

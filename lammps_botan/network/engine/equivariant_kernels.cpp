/* The equivariant network on rows of nodes and edges. CMakeLists.txt compiles this file once for
   each set of instructions. Nothing here may come from a template of the standard library: the
   linker keeps one copy of such code, and it could be the one for a larger processor than this.
*/

#include "equivariant_kernels.h"

#include "equivariant_kernels.h"

#include "equivariant_edges.h"
#include "equivariant_nodes.h"
#include "equivariant_tile.h"

namespace {

#if defined(__AVX512F__)
#define KERNELS equivariant_kernels_avx512
#elif defined(__AVX2__)
#define KERNELS equivariant_kernels_avx2
#else
#define KERNELS equivariant_kernels_portable
#endif

void encode_features(const Weights &w, const State &s, long i, int n, const Tile &t)
{
  const long f = w.padded_features, gates = w.begin_features.outputs;
  multiply_all(
      n, s.own + i * w.n_own, w.n_own, w.begin_features,
      [&](int, long j) INLINE { return load(w.begin_features_bias + j); },
      [&](int r, long j, Vector x) INLINE { store(t.changed + r * gates + j, x); });
  for (long k = 0; k < w.n_vectors; k++) {
    alignas(64) float directions[3][PADDED] = {}, harmonic[ROWS][PADDED];
    for (int r = 0; r < n; r++)
      for (int d = 0; d < 3; d++)
        directions[d][r] = s.node_vectors[((i + r) * w.n_vectors + k) * 3 + d];
    for (int r = 0; r < n; r += LANES)
      harmonics(directions[0] + r, PADDED, w.diameter, harmonic[0] + r);
    for (int r = 0; r < n; r++) {
      const float *gate = t.changed + r * gates + k * 2 * f;
      for (int m = 0; m < ROWS; m++) EACH_CHANNEL(c, f)
        {
          float *to = t.features + (r * ROWS + m) * f + c;
          const Channels more = load<Channels>(gate + (m < VECTOR ? 0 : f) + c);
          store(to, load<Channels>(to) + more * harmonic[m][r]);
        }
    }
  }
}

void encode(const Weights &w, const State &s, float *scratch, long first, long last)
{
  const Tile t(w, scratch);
  const long wide = w.padded_width;
  for (long i = first; i < last; i += TILE) {
    const int n = part(i, last);
    multiply_all(
        n, s.own + i * w.n_own, w.n_own, w.begin,
        [&](int, long j) INLINE { return load(w.begin_bias + j); },
        [&](int r, long j, Vector x) INLINE { store(t.hidden + r * wide + j, silu(x)); });
    multiply_all(
        n, t.hidden, wide, w.begin_scalars,
        [&](int, long j) INLINE { return load(w.begin_scalars_bias + j); },
        [&](int r, long j, Vector x) INLINE { store(t.scalars + r * wide + j, x); });
    __builtin_memset(t.features, 0, n * ROWS * w.padded_features * sizeof(float));
    if (w.n_vectors) encode_features(w, s, i, n, t);
    pack(w, n, t, s.node + i * (w.width + ROWS * w.features));
  }
}

/* ---------------------------------------------------------------------- */

void send(const Weights &w, const State &s, long round, float *scratch, long first, long last)
{
  const Tile t(w, scratch);
  const Layer &layer = w.layers[round];
  const long wide = w.padded_width, f = w.padded_features;
  const long stride = equivariant_sent(w, round), of_pairs = 2 * wide + ROWS * f;
  for (long i = first; i < last; i += TILE) {
    const int n = part(i, last);
    float *sent = s.sent + i * stride;
    unpack(w, n, s.node + i * (w.width + ROWS * w.features), t);
    normalize(w, layer, n, t.scalars, t.hidden, wide);
    multiply_all(
        n, t.hidden, wide, layer.send, [](int, long) INLINE { return Vector{}; },
        [&](int r, long j, Vector x) INLINE { store(sent + r * stride + j, x); });
    bound(w, n, t.features, t.bounded);
    for (int r = 0; r < n; r++)
      mix(t.bounded + r * ROWS * f, f, layer.send_vectors, layer.send_matrices,
          [&](int m, long c, Channels x)
              INLINE { store(sent + r * stride + 2 * wide + m * f + c, x); });
    if (round < w.rounds - 1) continue;
    sent += of_pairs;
    multiply_all(
        n, t.scalars, wide, w.pair_sum, [](int, long) INLINE { return Vector{}; },
        [&](int r, long j, Vector x) INLINE { store(sent + r * stride + j, x); });
    for (int r = 0; r < n; r++) {
      EACH(j, wide) store(sent + r * stride + wide + j, load(t.scalars + r * wide + j));
      EACH(j, ROWS * f)
      store(sent + r * stride + 2 * wide + j, load(t.features + r * ROWS * f + j));
    }
  }
}

/* ---------------------------------------------------------------------- */

// a tile of nodes after the other, each with all its edges, in the cache
template <bool LAST>
void round_of(const Weights &w, const State &s, long round, float *scratch, long first, long last)
{
  const Tile t(w, scratch);
  const Layer &layer = w.layers[round];
  const long wide = w.padded_width, f = w.padded_features;
  for (long i = first; i < last; i += TILE) {
    const int n_nodes = part(i, last);
    const int64_t *first_edge = s.first_edge + i;
    unpack(w, n_nodes, s.node + i * (w.width + ROWS * w.features), t);
    bound(w, n_nodes, t.features, t.bounded);
    normalize(w, layer, n_nodes, t.scalars, t.update, t.update_stride);
    multiply_all(
        n_nodes, t.update, t.update_stride, layer.center,
        [&](int, long j) INLINE { return load(layer.center_bias + j); },
        [&](int r, long j, Vector x) INLINE { store(t.center + r * wide + j, x); });
    for (int r = 0; r < n_nodes; r++)
      __builtin_memset(t.update + r * t.update_stride + wide, 0, wide * sizeof(float));
    __builtin_memset(t.around, 0, n_nodes * ROWS * f * sizeof(float));
    int k = 0;
    for (long a = first_edge[0]; a < first_edge[n_nodes]; a += TILE) {
      const int n = part(a, first_edge[n_nodes]);
      int center[TILE];
      for (int r = 0; r < n; r++) {
        while (first_edge[k + 1] <= a + r) k++;
        center[r] = k;
      }
      edges<LAST>(w, s, round, i, a, n, center, t);
    }
    nodes<LAST>(w, s, layer, i, n_nodes, t);
    if (LAST) output(w, s, i, n_nodes, t);
  }
}

void receive(const Weights &w, const State &s, long round, float *scratch, long first, long last)
{
  const auto run = round == w.rounds - 1 ? round_of<true> : round_of<false>;
  run(w, s, round, scratch, first, last);
}

long scratch(const Weights &w)
{
  return Tile(w, nullptr).floats;
}

}    // namespace

const EquivariantKernels KERNELS = {scratch, encode, send, receive};

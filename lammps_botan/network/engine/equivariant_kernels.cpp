/* The equivariant network on rows of nodes and edges. CMakeLists.txt compiles this file once for
   each set of instructions. Nothing here may come from a template of the standard library: the
   linker keeps one copy of such code, and it could be the one for a larger processor than this.
*/

#include "equivariant_kernels.h"

#include "equivariant_features.h"
#include "equivariant_rows.h"
#include "vector_math.h"

namespace {

#if defined(__AVX512F__)
#define KERNELS equivariant_kernels_avx512
#elif defined(__AVX2__)
#define KERNELS equivariant_kernels_avx2
#else
#define KERNELS equivariant_kernels_portable
#endif

constexpr int TILE = 24;    // edges, or nodes, worked on at a time: they stay in the cache
constexpr int PADDED = (TILE + LANES - 1) / LANES * LANES;
constexpr float LOWEST = -30;    // exponent of a Gaussian; below it numbers are 0 and slow
constexpr float ONSET = 0.3F;    // diameters before the cutoff, where neighbors begin to count less
constexpr float EPSILON = 1e-5F;    // of torch's LayerNorm
constexpr int MOST_VECTORS = 2;     // history, inherent

#define EACH(j, n)         for (long j = 0; j < (n); j += LANES)
#define EACH_CHANNEL(c, n) for (long c = 0; c < (n); c += CHANNELS)

using Weights = EquivariantWeights;
using Layer = EquivariantLayerWeights;
using State = EquivariantState;

// rows of a tile of nodes, and of the tile of edges that arrive at them
struct Tile {
  long update_stride, pair_stride;
  float *scalars, *features, *bounded;    // of nodes, padded: [TILE, w], [TILE, 8 f], [TILE, 8 f]
  float *center, *around;                 // [TILE, w], [TILE, 8 f]
  float *update, *hidden, *changed;       // [TILE, inputs of update], [TILE, w], [TILE, w + 6 f]
  float *several;                         // [ROWS, 6 f]
  float *pair, *gate;                     // [TILE, inputs of pair_output], [TILE, w + 2 f]
  long floats = 0;

  Tile(const Weights &w, float *memory)
  {
    const long wide = w.padded_width, f = w.padded_features;
    update_stride = whole(2 * wide + ROWS * f + w.n_own);
    pair_stride = whole(w.n_radial + 4 * f + wide + LANES);
    scalars = take(memory, TILE * wide);
    features = take(memory, TILE * ROWS * f);
    bounded = take(memory, TILE * ROWS * f);
    center = take(memory, TILE * wide);
    around = take(memory, TILE * ROWS * f);
    update = take(memory, TILE * update_stride);
    hidden = take(memory, TILE * wide);
    changed = take(memory, TILE * (wide + 6 * f));
    several = take(memory, ROWS * 6 * f);
    pair = take(memory, TILE * pair_stride);
    gate = take(memory, TILE * (wide + 2 * f));
  }

 private:
  static long whole(long n)
  {
    return (n + EQUIVARIANT_LANES - 1) / EQUIVARIANT_LANES * EQUIVARIANT_LANES;
  }
  float *take(float *memory, long n)
  {
    const long here = floats;
    floats += whole(n);
    return memory ? memory + here : nullptr;
  }
};

// what edges see
struct alignas(64) Pairs {
  float distance[1 + MOST_VECTORS][PADDED];    // in diameters
  float share[PADDED];
  float harmonic[ROWS][PADDED];
};

int part(long a, long last)
{
  return last - a < TILE ? static_cast<int>(last - a) : TILE;
}

void copy_padded(const float *from, long n, float *to, long padded)
{
  for (long j = 0; j < n; j++) to[j] = from[j];
  for (long j = n; j < padded; j++) to[j] = 0;
}

/* ---------------------------------------------------------------------- */

// rows of the node state to padded ones
void unpack(const Weights &w, int n, const float *node, const Tile &t)
{
  float *features = t.features;
  for (int r = 0; r < n; r++) {
    copy_padded(node, w.width, t.scalars + r * w.padded_width, w.padded_width);
    node += w.width;
    for (int m = 0; m < ROWS; m++, node += w.features, features += w.padded_features)
      copy_padded(node, w.features, features, w.padded_features);
  }
}

void pack(const Weights &w, int n, const Tile &t, float *node)
{
  const float *features = t.features;
  for (int r = 0; r < n; r++) {
    copy_padded(t.scalars + r * w.padded_width, w.width, node, w.width);
    node += w.width;
    for (int m = 0; m < ROWS; m++, node += w.features, features += w.padded_features)
      copy_padded(features, w.features, node, w.features);
  }
}

void bound(const Weights &w, int n, const float *features, float *to)
{
  const long f = w.padded_features;
  for (int r = 0; r < n; r++, features += ROWS * f, to += ROWS * f) EACH_CHANNEL(c, f)
    {
      Features x;
      x.from(features + c, f);
      bounded(x).to(to + c, f);
    }
}

void normalize(const Weights &w, const Layer &layer, int n, const float *x, float *to, long stride)
{
  const auto width = static_cast<float>(w.width);
  for (int r = 0; r < n; r++, x += w.padded_width, to += stride) {
    Vector total = {};
    EACH(j, w.padded_width) total += load(x + j);
    const Vector mean = all(sum(total) / width);
    total = Vector{};
    EACH(j, w.padded_width)
    {
      const Vector apart = (load(x + j) - mean) * load(w.real + j);
      total += apart * apart;
      store(to + j, apart);
    }
    const Vector scale = all(1 / __builtin_sqrtf(sum(total) / width + EPSILON));
    EACH(j, w.padded_width)
    store(to + j,
          load(to + j) * scale * load(layer.normalize + j) + load(layer.normalize_bias + j));
  }
}

/* ---------------------------------------------------------------------- */

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
    for (int r = 0; r < n; r += LANES) harmonics(directions[0] + r, PADDED, harmonic[0] + r);
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
      if (k == (w.n_vectors ? 1 : 0)) harmonics(apart[0] + r, PADDED, p.harmonic[0] + r);
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

/* ---------------------------------------------------------------------- */

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

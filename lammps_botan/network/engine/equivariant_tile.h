/* Rows of a tile of nodes of the equivariant network, and of the edges that arrive at them.

   Everything is internal to the file that is compiled.
*/

#ifndef BOTAN_EQUIVARIANT_TILE_H
#define BOTAN_EQUIVARIANT_TILE_H

#include "equivariant_features.h"
#include "equivariant_rows.h"
#include "vector_math.h"

namespace {

constexpr int TILE = 24;    // edges, or nodes, worked on at a time: they stay in the cache
constexpr int PADDED = (TILE + LANES - 1) / LANES * LANES;
constexpr float EPSILON = 1e-5F;    // of torch's LayerNorm

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

int part(long a, long last)
{
  return last - a < TILE ? static_cast<int>(last - a) : TILE;
}

void copy_padded(const float *from, long n, float *to, long padded)
{
  for (long j = 0; j < n; j++) to[j] = from[j];
  for (long j = n; j < padded; j++) to[j] = 0;
}

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

}    // namespace

#endif

/* The linear network on edges. CMakeLists.txt compiles this file once for each set of instructions.
   Nothing here may come from a template of the standard library: the linker keeps one copy of such
   code, and it could be the one for a larger processor than this.
*/

#include "linear_kernels.h"

#include "registers.h"
#include "vector_math.h"

namespace {

#if defined(__AVX512F__)
#define KERNELS linear_kernels_avx512
#elif defined(__AVX2__)
#define KERNELS linear_kernels_avx2
#else
#define KERNELS linear_kernels_portable
#endif

constexpr int TILE = 64;    // edges of one node worked on at a time
// as in lammps_botan/network/shells.py
constexpr float ONSET = 0.3F, AVERAGING = 2, MOST_APPROACH = 0.6F;

// the factors of a pair, in one or two registers
constexpr int PART = LANES < LINEAR_FACTORS ? LANES : LINEAR_FACTORS;
typedef float Factors __attribute__((vector_size(PART * sizeof(float))));

struct alignas(64) Row {
  float of[TILE];
};

// edges a .. a + n - 1, which arrive at one node; lengths are in diameters
struct Tile {
  long center, a;
  int n;
  Row distance, thermal;    // of what descriptors see, and of thermal positions
  int cell[TILE];
  Row from_middle;    // of the cell
};

#define EACH(r) for (int r = 0; r < tile.n; r += LANES)

// NaN stays NaN
INLINE inline Vector clamp(Vector x, float least, float most)
{
  x = x < least ? all(least) : x;
  return x > most ? all(most) : x;
}

// squares are 0 beyond the last edge
INLINE inline void lengths(const LinearWeights &net, int n, const Row &squares, Row &to)
{
  const int whole = (n + LANES - 1) / LANES * LANES;
  for (int r = 0; r < whole; r++) to.of[r] = __builtin_sqrtf(squares.of[r]) / net.diameter;
}

INLINE inline void measure_thermal(const LinearWeights &net, const LinearState &s, Tile &tile)
{
  Row squares = {};
  const float *apart = s.vectors + 3 * tile.a;
  for (int r = 0; r < tile.n; r++, apart += 3)
    squares.of[r] = apart[0] * apart[0] + apart[1] * apart[1] + apart[2] * apart[2];
  lengths(net, tile.n, squares, tile.thermal);
}

// between mean or inherent positions, where there are inputs
INLINE inline void measure(const LinearWeights &net, const LinearState &s, Tile &tile)
{
  if (!s.node_vectors) {
    measure_thermal(net, s, tile);
    tile.distance = tile.thermal;
    return;
  }
  Row squares = {};
  const float *apart = s.vectors + 3 * tile.a;
  const float *first = s.node_vectors + tile.center * s.node_stride;
  for (int r = 0; r < tile.n; r++, apart += 3) {
    const float *second = s.node_vectors + s.neighbor[tile.a + r] * s.node_stride;
    // a difference first, so that a pair has one distance in both directions
    const float x = apart[0] + (first[0] - second[0]);
    const float y = apart[1] + (first[1] - second[1]);
    const float z = apart[2] + (first[2] - second[2]);
    squares.of[r] = x * x + y * y + z * z;
  }
  lengths(net, tile.n, squares, tile.distance);
}

// in which cells the distances are
INLINE inline void locate(int cells, Tile &tile)
{
  const float last = static_cast<float>(cells - 1);
  EACH(r)
  {
    Vector x = load(tile.distance.of + r) * static_cast<float>(DISTANCE_CELLS);
    x = x > last ? all(last) : x;
    const Vector known = x == x ? x : Vector{};    // NaN is in no cell, and stays NaN
    const Integers cell = __builtin_convertvector(known, Integers);
    __builtin_memcpy(tile.cell + r, &cell, sizeof cell);
    store(tile.from_middle.of + r, x - __builtin_convertvector(cell, Vector) - 0.5F);
  }
}

// f, and the weight of a neighbor in an average
INLINE inline void weigh(const LinearWeights &net, const Tile &tile, Row &fall, Row &weight)
{
  EACH(r)
  {
    const Vector distance = load(tile.distance.of + r);
    const Vector left = clamp((net.reach - distance) / ONSET, 0, 1);
    const Vector f = left * left * (3 - 2 * left);
    store(fall.of + r, f);
    store(weight.of + r, exponential(-distance / AVERAGING) * f);
  }
}

// as many columns of a function of a distance as a Register has
template <class Register>
INLINE inline Register evaluate(const float *terms, long columns, float from_middle)
{
  Register sum = {};
#pragma GCC unroll 16
  for (int k = DISTANCE_TERMS - 1; k >= 0; k--)
    sum = sum * from_middle + load<Register>(terms + k * columns);
  return sum;
}

// in the row of a node
INLINE inline void add_densities(const LinearWeights &net, const LinearState &s, const Tile &tile,
                                 const Row &fall, int column, Vector &sum)
{
  const LinearFunctions &of = net.densities;
  const float *terms = of.terms + column;
  const long size = DISTANCE_TERMS * of.columns;
  for (int r = 0; r < tile.n; r++) {
    const int64_t function = s.species[s.neighbor[tile.a + r]];
    const float *at = terms + (function * of.cells + tile.cell[r]) * size;
    sum += evaluate<Vector>(at, of.columns, tile.from_middle.of[r]) * fall.of[r];
  }
}

INLINE inline Vector without_edges(const LinearWeights &net, const LinearState &s, long i,
                                   int column)
{
  const long columns = net.densities.columns;
  Vector sum = load(net.start + s.species[i] * columns + column);
  for (int k = 0; k < net.n_inputs; k++)
    sum += s.inputs[i * net.n_inputs + k] * load(net.inputs + k * columns + column);
  return sum;
}

void project_node(const LinearWeights &net, const LinearState &s, long i)
{
  float *row = s.node + i * net.width;
  float total = 1;    // the weight of the node itself
  Tile tile;
  Row fall, weight;
  tile.center = i;
  tile.a = s.first_edge[i];
  do {
    const long left = s.first_edge[i + 1] - tile.a;
    tile.n = left < TILE ? static_cast<int>(left) : TILE;
    measure(net, s, tile);
    locate(net.densities.cells, tile);
    weigh(net, tile, fall, weight);
    for (int r = 0; r < tile.n; r++) {
      s.weight[tile.a + r] = weight.of[r];
      total += weight.of[r];
    }
    for (int column = 0; column < net.width; column += LANES) {
      const int n = net.width - column < LANES ? net.width - column : LANES;
      Vector sum = {};
      if (tile.a == s.first_edge[i])
        sum = without_edges(net, s, i, column);
      else
        for (int l = 0; l < n; l++) sum[l] = row[column + l];
      add_densities(net, s, tile, fall, column, sum);
      for (int l = 0; l < n; l++) row[column + l] = sum[l];
    }
    tile.a += tile.n;
  } while (tile.a < s.first_edge[i + 1]);
  s.own_weight[i] = 1 / total;
  for (long e = s.first_edge[i]; e < s.first_edge[i + 1]; e++) s.weight[e] /= total;
}

void project(const LinearWeights &net, const LinearState &s, long first, long last)
{
  for (long i = first; i < last; i++) project_node(net, s, i);
}

// of columns `from` and following ones, in `to` and following ones
template <int COLUMNS>
INLINE inline void average(const LinearWeights &net, const LinearState &s, long i, int from, int to)
{
  const float *own = s.node + i * net.width + from;
  float sum[COLUMNS];
  for (int c = 0; c < COLUMNS; c++) sum[c] = s.own_weight[i] * own[c];
  for (long e = s.first_edge[i]; e < s.first_edge[i + 1]; e++) {
    const float *other = s.node + static_cast<long>(s.neighbor[e]) * net.width + from;
    for (int c = 0; c < COLUMNS; c++) sum[c] += s.weight[e] * other[c];
  }
  for (int c = 0; c < COLUMNS; c++) s.node[i * net.width + to + c] += sum[c];
}

void average(const LinearWeights &net, const LinearState &s, int generation, long first, long last)
{
  const int n = net.n_species, to = generation * n, from = to - n;
  for (long i = first; i < last; i++) {
    int c = 0;
    for (; c + 2 <= n; c += 2) average<2>(net, s, i, from + c, to + c);
    if (c < n) average<1>(net, s, i, from + c, to + c);
  }
}

// descriptors of a pair besides its distance, the same in both directions
struct PairFactors {
  Row towards, both, product, cube, near, near_both;
};

INLINE inline void compare(const LinearState &s, const LinearWeights &net, const Tile &tile,
                           int column, PairFactors &to)
{
  Row second = {};
  for (int r = 0; r < tile.n; r++)
    second.of[r] = s.node[static_cast<long>(s.neighbor[tile.a + r]) * net.width + column];
  const float first = s.node[tile.center * net.width + column];
  EACH(r)
  {
    const Vector other = load(second.of + r), both = first + other;
    const Vector towards = load(tile.distance.of + r) - load(tile.thermal.of + r);
    const Vector near = clamp(towards, -MOST_APPROACH, MOST_APPROACH);
    store(to.towards.of + r, towards);
    store(to.both.of + r, both);
    store(to.product.of + r, first * other);
    store(to.cube.of + r, both * both * both);
    store(to.near.of + r, near);
    store(to.near_both.of + r, near * both);
  }
}

INLINE inline float change_of(const PairFactors &factors, int r, const float *terms,
                              float from_middle)
{
  float weights[LINEAR_FACTORS];
  for (int f = 0; f < LINEAR_FACTORS; f += PART)
    store(weights + f, evaluate<Factors>(terms + f, LINEAR_FACTORS, from_middle));
  return factors.towards.of[r] +
         (weights[0] + weights[1] * factors.both.of[r] + weights[2] * factors.product.of[r] +
          weights[3] * factors.cube.of[r] + weights[4] * factors.near.of[r] +
          weights[5] * factors.near_both.of[r]);
}

void change(const LinearWeights &net, const LinearState &s, int column, long first, long last)
{
  const LinearFunctions &of = net.changes;
  const long size = DISTANCE_TERMS * LINEAR_FACTORS;
  Tile tile;
  PairFactors factors;
  for (long i = first; i < last; i++) {
    const float *terms = of.terms + s.species[i] * net.n_species * of.cells * size;
    tile.center = i;
    for (tile.a = s.first_edge[i]; tile.a < s.first_edge[i + 1]; tile.a += tile.n) {
      const long left = s.first_edge[i + 1] - tile.a;
      tile.n = left < TILE ? static_cast<int>(left) : TILE;
      measure(net, s, tile);
      measure_thermal(net, s, tile);
      locate(of.cells, tile);
      compare(s, net, tile, column, factors);
      for (int r = 0; r < tile.n; r++) {
        const int64_t function = s.species[s.neighbor[tile.a + r]];
        const float *at = terms + (function * of.cells + tile.cell[r]) * size;
        s.edge_out[tile.a + r] = change_of(factors, r, at, tile.from_middle.of[r]) * net.diameter;
      }
    }
  }
}

}    // namespace

const LinearKernels KERNELS = {project, average, change};

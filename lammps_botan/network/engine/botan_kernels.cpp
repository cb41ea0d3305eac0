/* The network on rows of nodes and edges. CMakeLists.txt compiles this file once for each set of
   instructions. Nothing here may come from a template of the standard library: the linker keeps one
   copy of such code, and it could be the one for a larger processor than this.
*/

#include "botan_kernels.h"

#include "registers.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace {

constexpr int WIDTH = BOTAN_WIDTH;
constexpr int TILE =
    24;    // edges worked on at a time: they and a block of weights fill the L1 cache
#if defined(__AVX512BF16__)
#define KERNELS botan_kernels_avx512_bf16
constexpr const char *NAME = "avx512_bf16";
#elif defined(__AVX512F__)
#define KERNELS botan_kernels_avx512
constexpr const char *NAME = "avx512";
#elif defined(__AVX2__)
#define KERNELS botan_kernels_avx2
constexpr const char *NAME = "avx2";
#else
#define KERNELS botan_kernels_portable
constexpr const char *NAME = "portable";
#endif

// rows and columns of registers that hold sums
#if defined(__AVX512F__)
constexpr int ROWS = 6, VECTORS = 4;    // 24 of 32 registers
#elif defined(__AVX2__)
constexpr int ROWS = 6, VECTORS = 2;    // 12 of 16
#else
constexpr int ROWS = 4, VECTORS = 2;    // 8 of 16
#endif
constexpr int PANEL = VECTORS * LANES;

#define EACH(j) for (int j = 0; j < WIDTH; j += LANES)

// NaN stays NaN
INLINE inline Vector relu(Vector x)
{
  const Vector zero = {};
  return zero > x ? zero : x;
}

// sum += x w for N_ROWS rows and one panel of columns
template <int N_ROWS>
INLINE inline void add_product(const float *x, BotanBlock w, int column, Vector sum[][VECTORS])
{
  const float *panel = w.panels + column * WIDTH;
#pragma GCC unroll 4
  for (int k = 0; k < WIDTH; k++, panel += PANEL) {
    Vector right[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) right[v] = load(panel + v * LANES);
    UNROLL for (int r = 0; r < N_ROWS; r++)
    {
      const Vector left = all(x[r * WIDTH + k]);
      UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] += left * right[v];
    }
  }
}

// what is kept of edges
#ifdef __AVX512BF16__

using Number = uint16_t;    // bfloat16

INLINE inline Vector load(const Number *from)
{
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
  return (Vector) _mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16);
}

INLINE inline void store(Number *to, Vector x)
{
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), (__m256i) _mm512_cvtneps_pbh((__m512) x));
}

template <int N_ROWS>
INLINE inline void add_product(const Number *x, BotanBlock w, int column, Vector sum[][VECTORS])
{
  const uint32_t *pairs = w.pairs + column;
  for (int k = 0; k < WIDTH; k += 2, pairs += WIDTH) {
    __m512bh right[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) right[v] =
        (__m512bh) _mm512_loadu_si512(pairs + v * LANES);
    UNROLL for (int r = 0; r < N_ROWS; r++)
    {
      int pair;
      __builtin_memcpy(&pair, x + r * WIDTH + k, sizeof pair);
      const auto left = (__m512bh) _mm512_set1_epi32(pair);
      UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] =
          (Vector) _mm512_dpbf16_ps((__m512) sum[r][v], left, right[v]);
    }
  }
}

#else

using Number = float;

#endif

template <class T> struct alignas(64) Rows {
  T of[TILE][WIDTH];
  operator T *() { return of[0]; }
};

// finish(row, column, start(row, column) + x w) for N_ROWS rows
template <int N_ROWS, class T, class Start, class Finish>
INLINE inline void multiply(const T *x, BotanBlock w, Start start, Finish finish)
{
  for (int column = 0; column < WIDTH; column += PANEL) {
    Vector sum[N_ROWS][VECTORS];
    UNROLL for (int r = 0; r < N_ROWS; r++) UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] =
        start(r, column + v * LANES);
    add_product<N_ROWS>(x, w, column, sum);
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
template <class T>
INLINE inline void layer(int n, const T *x, BotanBlock w, const float *bias, T *to)
{
  multiply_all(
      n, x, w, [&](int, int j) INLINE { return load(bias + j); },
      [&](int r, int j, Vector sum) INLINE { store(to + r * WIDTH + j, relu(sum)); });
}

template <class T> INLINE inline void output(const BotanNetwork &net, int n, const T *x, float *to)
{
  Rows<T> hidden, last;
  layer<T>(n, x, net.decoder_first, net.decoder_first_bias, hidden);
  layer<T>(n, hidden, net.decoder_second, net.decoder_second_bias, last);
  for (int r = 0; r < n; r++) {
    Vector sum = {};
    EACH(j) sum += load(&last.of[r][j]) * load(net.output + j);
    to[r] = net.output_bias;
    for (int l = 0; l < LANES; l++) to[r] += sum[l];
  }
}

int part(long a, long last, int size)
{
  return last - a < size ? static_cast<int>(last - a) : size;
}

// to = x w
INLINE inline void product(int n, const float *x, BotanBlock w, float *to)
{
  multiply_all(
      n, x, w, [](int, int) INLINE { return Vector{}; },
      [&](int r, int j, Vector sum) INLINE { store(to + r * WIDTH + j, sum); });
}

void send(const BotanNetwork &net, const BotanState &s, long first, long last)
{
  for (long a = first; a < last; a += TILE)
    product(part(a, last, TILE), s.node + a * WIDTH, net.from_neighbor, s.sent + a * WIDTH);
}

// h^0 of n rows, and what it adds to the first layer of MLP_v or MLP_e
template <class T>
INLINE inline void encode_rows(const BotanEncoder &encoder, const float *inputs, int n, T *state,
                               T *constant)
{
  Rows<T> hidden;
  const int n_inputs = encoder.inputs;
  for (int r = 0; r < n; r++) EACH(j)
    {
      Vector x = load(encoder.first_bias + j);
      for (int d = 0; d < n_inputs; d++)
        x += all(inputs[n_inputs * r + d]) * load(encoder.first + d * WIDTH + j);
      store(&hidden.of[r][j], relu(x));
    }
  layer<T>(n, hidden, encoder.second, encoder.second_bias, state);
  multiply_all(
      n, state, encoder.constant,
      [&](int, int j) INLINE { return load(encoder.constant_bias + j); },
      [&](int r, int j, Vector sum) INLINE { store(constant + r * WIDTH + j, sum); });
}

void encode(const BotanNetwork &net, const float *of_nodes, float *node, float *constant,
            long first, long last)
{
  for (long a = first; a < last; a += TILE)
    encode_rows<float>(net.nodes, of_nodes + a * net.nodes.inputs, part(a, last, TILE),
                       node + a * WIDTH, constant + a * WIDTH);
}

// one tile of edges: its states, and their sums at their centers. The first round makes the states,
// and the last one uses them up
template <bool FIRST, bool LAST>
INLINE inline void edges(const BotanNetwork &net, const BotanState &s, long a, int n,
                         const int *center, const float *own, float *received)
{
  Rows<Number> hidden, kept;
  const int32_t *neighbor = s.neighbor + a;
  Number *edge = static_cast<Number *>(s.edge) + a * WIDTH;
  Number *constant = static_cast<Number *>(s.edge_constant) + a * WIDTH;
  Number *before = FIRST ? kept : edge;
  Number *after = LAST ? kept : edge;

  if (FIRST) encode_rows<Number>(net.edges, s.of_edges + net.edges.inputs * a, n, before, constant);
  multiply_all(
      n, before, net.from_edge,
      [&](int r, int j) INLINE {
        return load(constant + r * WIDTH + j) + load(s.sent + long(neighbor[r]) * WIDTH + j) +
               load(own + center[r] * WIDTH + j);
      },
      [&](int r, int j, Vector sum) INLINE { store(&hidden.of[r][j], relu(sum)); });
  layer<Number>(n, hidden, net.edge_second, net.edge_second_bias, after);
  for (int r = 0; r < n; r++) {
    float *sum = received + center[r] * WIDTH;
    EACH(j) store(sum + j, load(sum + j) + load(after + r * WIDTH + j));
  }
  if (LAST) output(net, n, after, s.edge_out + a);
}

// h_v^m of n nodes
INLINE inline void nodes(const BotanNetwork &net, const BotanState &s, long a, int n,
                         const float *received)
{
  Rows<float> hidden;
  float *node = s.node + a * WIDTH;
  multiply_all(
      n, node, net.from_node,
      [&](int r, int j) INLINE { return load(s.node_constant + s.kind[a + r] * WIDTH + j); },
      [&](int r, int j, Vector sum) INLINE { store(&hidden.of[r][j], sum); });
  multiply_all(
      n, received, net.from_received, [&](int r, int j) INLINE { return load(&hidden.of[r][j]); },
      [&](int r, int j, Vector sum) INLINE { store(&hidden.of[r][j], relu(sum)); });
  layer<float>(n, hidden, net.node_second, net.node_second_bias, node);
}

// a tile of nodes after the other, each with all its edges, in the cache
template <bool FIRST, bool LAST>
void round(const BotanNetwork &net, const BotanState &s, long first, long last)
{
  Rows<float> own, received;
  for (long i = first; i < last; i += TILE) {
    const int n_nodes = part(i, last, TILE);
    const int64_t *first_edge = s.first_edge + i;
    product(n_nodes, s.node + i * WIDTH, net.from_center, own);
    __builtin_memset(received, 0, sizeof received);
    int k = 0;
    for (long a = first_edge[0]; a < first_edge[n_nodes]; a += TILE) {
      const int n = part(a, first_edge[n_nodes], TILE);
      int center[TILE];
      for (int r = 0; r < n; r++) {
        while (first_edge[k + 1] <= a + r) k++;
        center[r] = k;
      }
      edges<FIRST, LAST>(net, s, a, n, center, own, received);
    }
    nodes(net, s, i, n_nodes, received);
    if (LAST) output(net, n_nodes, s.node + i * WIDTH, s.node_out + i);
  }
}

void receive(const BotanNetwork &net, const BotanState &s, long first, long last, bool first_round,
             bool last_round)
{
  const auto run = first_round ? (last_round ? round<true, true> : round<true, false>)
                               : (last_round ? round<false, true> : round<false, false>);
  run(net, s, first, last);
}

}    // namespace

const BotanKernels KERNELS = {NAME, PANEL, sizeof(Number), encode, send, receive};

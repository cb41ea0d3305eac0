/* The network on rows of nodes and edges. CMakeLists.txt compiles this file once for each set of
   instructions. Nothing here may come from a template of the standard library: the linker keeps one
   copy of such code, and it could be the one for a larger processor than this.
*/

#include "botan_rows.h"

namespace {

constexpr int TILE =
    24;    // edges worked on at a time: they and a block of weights fill the L1 cache
#if defined(__AVX512BF16__)
#define KERNELS botan_kernels_avx512_bf16
constexpr const char *NAME = "avx512_bf16";
#elif defined(__AVX512F__)
#define KERNELS      botan_kernels_avx512
#define KERNELS_KEPT botan_kernels_avx512_kept
constexpr const char *NAME = "avx512", *NAME_KEPT = "avx512+bfloat16";
#elif defined(__AVX2__)
#define KERNELS      botan_kernels_avx2
#define KERNELS_KEPT botan_kernels_avx2_kept
constexpr const char *NAME = "avx2", *NAME_KEPT = "avx2+bfloat16";
#else
#define KERNELS      botan_kernels_portable
#define KERNELS_KEPT botan_kernels_portable_kept
constexpr const char *NAME = "portable", *NAME_KEPT = "portable+bfloat16";
#endif

template <class T> INLINE inline void output(const BotanNetwork &net, int n, const T *x, float *to)
{
  Rows<T, TILE> hidden, last;
  layer<T>(n, x, net.decoder_first, net.decoder_first_bias, hidden.of[0]);
  layer<T>(n, hidden, net.decoder_second, net.decoder_second_bias, last.of[0]);
  for (int r = 0; r < n; r++) {
    Vector sum = {};
    EACH(j) sum += load(&last.of[r][j]) * load(net.output + j);
    to[r] = net.output_bias;
    for (int l = 0; l < LANES; l++) to[r] += sum[l];
  }
}

// states of edges that wait for their output, so many that their products are worth it
struct Waiting {
  Rows<Number, TILE> state;
  long edge[TILE];
  int n = 0;
};

INLINE inline void output_waiting(const BotanNetwork &net, const BotanState &s, Waiting &waiting)
{
  float out[TILE];
  output<Number>(net, waiting.n, waiting.state, out);
  for (int r = 0; r < waiting.n; r++) s.edge_out[waiting.edge[r]] = out[r];
  waiting.n = 0;
}

// edges a .. a + n - 1 with the states x
INLINE inline void output_in_range(const BotanNetwork &net, const BotanState &s, long a, int n,
                                   const Number *x, Waiting &waiting)
{
  for (int r = 0; r < n; r++) {
    const float *v = s.vectors + 3 * (a + r);
    if (!(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] < s.pair_range * s.pair_range)) {
      s.edge_out[a + r] = __builtin_nanf("");
      continue;
    }
    __builtin_memcpy(waiting.state.of[waiting.n], x + r * WIDTH, sizeof waiting.state.of[0]);
    waiting.edge[waiting.n++] = a + r;
    if (waiting.n == TILE) output_waiting(net, s, waiting);
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
template <class T, class Kept>
INLINE inline void encode_rows(const BotanEncoder &encoder, const float *inputs, int n, T *state,
                               Kept *constant)
{
  Rows<T, TILE> hidden;
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

template <class Kept>
INLINE inline void add_up(int n, const Kept *rows, const int *center, float *sums)
{
  for (int r = 0; r < n; r++) {
    float *sum = sums + center[r] * WIDTH;
    EACH(j) store(sum + j, load(sum + j) + load(rows + r * WIDTH + j));
  }
}

// one tile of edges: its states, and their sums at their centers. The first round makes the states,
// and the last one uses them up
template <class Kept, bool FIRST, bool LAST>
INLINE inline void edges(const BotanNetwork &net, const BotanState &s, long a, int n,
                         const int *center, const float *own, float *received, Waiting &waiting)
{
  Rows<Number, TILE> hidden, here;
  const int32_t *neighbor = s.neighbor + a;
  Kept *edge = static_cast<Kept *>(s.edge) + a * WIDTH;
  Kept *constant = static_cast<Kept *>(s.edge_constant) + a * WIDTH;
  const Number *before = here;

  if constexpr (FIRST)
    encode_rows<Number>(net.edges, s.of_edges + net.edges.inputs * a, n, here.of[0], constant);
  else if constexpr (sizeof(Kept) == sizeof(Number))
    before = edge;
  else
    for (int k = 0; k < n * WIDTH; k += LANES) store(here.of[0] + k, load(edge + k));
  multiply_all(
      n, before, net.from_edge,
      [&](int r, int j) INLINE {
        __builtin_prefetch(s.sent + long(neighbor[r]) * WIDTH + j);
        return Vector{};
      },
      [&](int r, int j, Vector sum) INLINE {
        const Vector ends =
            load(s.sent + long(neighbor[r]) * WIDTH + j) + load(own + center[r] * WIDTH + j);
        const Vector x = relu(sum + load(constant + r * WIDTH + j) + ends);
        // of the next tile
        __builtin_prefetch(constant + (TILE + r) * WIDTH + j);
        __builtin_prefetch(edge + (TILE + r) * WIDTH + j);
        store(&hidden.of[r][j], x);
      });
  if constexpr (LAST) {
    layer<Number>(n, hidden, net.edge_second, net.edge_second_bias, here.of[0]);
    add_up(n, here.of[0], center, received);
    output_in_range(net, s, a, n, here, waiting);
  } else {
    layer<Number>(n, hidden, net.edge_second, net.edge_second_bias, edge);
    add_up(n, edge, center, received);
  }
}

// h_v^m of n nodes
INLINE inline void nodes(const BotanNetwork &net, const BotanState &s, long a, int n,
                         const float *received)
{
  Rows<float, TILE> hidden;
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
template <class Kept, bool FIRST, bool LAST>
void round(const BotanNetwork &net, const BotanState &s, long first, long last)
{
  Rows<float, TILE> own, received;
  Waiting waiting;
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
      edges<Kept, FIRST, LAST>(net, s, a, n, center, own, received, waiting);
    }
    nodes(net, s, i, n_nodes, received);
    if (LAST) output(net, n_nodes, s.node + i * WIDTH, s.node_out + i);
  }
  if (LAST) output_waiting(net, s, waiting);
}

template <class Kept>
void receive(const BotanNetwork &net, const BotanState &s, long first, long last, bool first_round,
             bool last_round)
{
  const auto run = first_round
                       ? (last_round ? round<Kept, true, true> : round<Kept, true, false>)
                       : (last_round ? round<Kept, false, true> : round<Kept, false, false>);
  run(net, s, first, last);
}

}    // namespace

const BotanKernels KERNELS = {NAME, PANEL, sizeof(Number), encode, send, receive<Number>};
#ifdef KERNELS_KEPT
const BotanKernels KERNELS_KEPT = {NAME_KEPT, PANEL, sizeof(Half), encode, send, receive<Half>};
#endif

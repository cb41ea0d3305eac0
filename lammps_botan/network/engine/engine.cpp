#include "engine.h"

#include "weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace {

constexpr long WIDTH = BOTAN_WIDTH;
constexpr long SHARE = 256;    // rows that a thread is worth

using Numbers = std::vector<float>;

/* ---------------------------------------------------------------------- */

// the best there is, or what the environment asks for
const BotanKernels *find_kernels(bool bfloat16, const char **message)
{
  const char *wanted = getenv("LAMMPS_BOTAN_ENGINE");
  if (!wanted) wanted = "";
  if (!strcmp(wanted, "torch")) return nullptr;
  if (bfloat16) {
#ifdef BOTAN_BFLOAT16
    if (__builtin_cpu_supports("avx512bf16")) return &botan_kernels_avx512_bf16;
#endif
    *message = "precision bfloat16 needs a processor with AVX-512 BF16 (Intel Sapphire Rapids, AMD "
               "Zen 4, or newer); use precision float32";
    return nullptr;
  }
#ifdef BOTAN_X86
  if (__builtin_cpu_supports("avx512f") && (!*wanted || !strcmp(wanted, "avx512")))
    return &botan_kernels_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      (!*wanted || !strcmp(wanted, "avx2")))
    return &botan_kernels_avx2;
#endif
  if (!*wanted || !strcmp(wanted, "portable")) return &botan_kernels_portable;
  *message = "the environment variable LAMMPS_BOTAN_ENGINE must be avx512 or avx2 (where the "
             "processor has them), portable, torch, or unset";
  return nullptr;
}

/* ---------------------------------------------------------------------- */

// calls work(first, last) for each share start[t] .. start[t + 1], in threads
template <class Work> void parallel(const std::vector<long> &start, const Work &work)
{
  std::vector<std::thread> others;
  size_t t = 1;
  try {
    others.reserve(start.size());
    for (; t + 1 < start.size(); t++) others.emplace_back(work, start[t], start[t + 1]);
  } catch (const std::system_error &) {
    // no more threads to be had: this one does the rest
    work(start[t], start.back());
  }
  work(start[0], start[1]);
  for (auto &other : others) other.join();
}

std::vector<long> shares(long n, long threads)
{
  threads = std::clamp(n / SHARE, 1L, threads);
  std::vector<long> start;
  for (long t = 0; t <= threads; t++) start.push_back(n * t / threads);
  return start;
}

// of nodes, with about as many edges for each thread
std::vector<long> shares(long n_local, const int64_t *first_edge, long threads)
{
  const int64_t n_edges = first_edge[n_local];
  threads = std::clamp(long(n_edges) / SHARE, 1L, threads);
  std::vector<long> start(1, 0);
  for (long t = 1; t < threads; t++)
    start.push_back(std::lower_bound(first_edge, first_edge + n_local, n_edges * t / threads) -
                    first_edge);
  start.push_back(n_local);
  return start;
}

/* ---------------------------------------------------------------------- */

// memory that is not touched before it is used, kept for the next scoring
template <class T> class Memory {
 public:
  T *at_least(size_t n)
  {
    if (n > size) {
      release();
      const size_t unit = n * sizeof(T) < HUGE_PAGE ? LINE : HUGE_PAGE;
      const size_t bytes = (n * sizeof(T) + unit - 1) / unit * unit;
      numbers.reset(static_cast<T *>(std::aligned_alloc(unit, bytes)));
      if (!numbers) throw std::bad_alloc();
#ifdef __linux__
      if (unit == HUGE_PAGE) madvise(numbers.get(), bytes, MADV_HUGEPAGE);    // or in small ones
#endif
      size = n;
    }
    return numbers.get();
  }
  double bytes() const { return static_cast<double>(size * sizeof(T)); }
  void release()
  {
    numbers.reset();
    size = 0;
  }

 private:
  static constexpr size_t LINE = 64, HUGE_PAGE = 2 << 20;    // bytes
  struct Free {
    void operator()(T *pointer) const { std::free(pointer); }
  };
  std::unique_ptr<T[], Free> numbers;
  size_t size = 0;
};

/* ---------------------------------------------------------------------- */

// one network and its states of the graph
struct Network {
  Network(const float *const *given, long inputs, int panel) : weights(given, inputs, panel) {}

  Weights weights;
  BotanState state;
  Numbers node_constant;
  Memory<float> node, sent, node_out, edge_out;
  Memory<char> edge, edge_constant;
};

// what lammps_botan/network/committee.py makes of the outputs of several networks
void combine(const std::vector<const float *> &outputs, long n, float *to)
{
  const auto members = static_cast<float>(outputs.size());
  for (long i = 0; i < n; i++) {
    float mean = 0, squares = 0;
    for (const float *output : outputs) mean += output[i] / members;
    for (const float *output : outputs) squares += (output[i] - mean) * (output[i] - mean);
    to[2 * i] = mean;
    to[2 * i + 1] = std::sqrt(squares / (members - 1));
  }
}

}    // namespace

struct BotanEngine {
  const BotanKernels *kernels;
  long rounds;
  std::vector<std::unique_ptr<Network>> networks;
  Memory<float> together;    // node states of several networks, side by side

  long threads, n_local, n_nodes, round;
  float *node_out, *edge_out;

  bool is_ensemble() const { return networks.size() > 1; }
  void encode(Network &, const BotanState &given);
  void step(Network &);
  template <class Copy> void each_row(long first, long last, Copy copy);
};

void BotanEngine::encode(Network &network, const BotanState &given)
{
  const int64_t *species = given.species;
  const int64_t n_species = n_nodes ? *std::max_element(species, species + n_nodes) + 1 : 0;
  const int64_t n_edges = given.first_edge[n_local];
  Numbers first;
  network.weights.of_species(n_species, first, network.node_constant);

  const size_t edge_bytes = n_edges * WIDTH * kernels->edge_bytes;
  BotanState &s = network.state;
  s = given;
  s.node_constant = network.node_constant.data();
  s.node = network.node.at_least(n_nodes * WIDTH);
  s.sent = network.sent.at_least(n_nodes * WIDTH);
  s.edge = network.edge.at_least(edge_bytes);
  s.edge_constant = network.edge_constant.at_least(edge_bytes);
  if (is_ensemble()) {
    s.node_out = network.node_out.at_least(n_local);
    s.edge_out = network.edge_out.at_least(n_edges);
  }
  for (long i = 0; i < n_nodes; i++)
    memcpy(s.node + i * WIDTH, &first[species[i] * WIDTH], WIDTH * sizeof(float));
}

void BotanEngine::step(Network &network)
{
  const BotanNetwork &net = network.weights.net;
  const BotanState &s = network.state;
  parallel(shares(n_nodes, threads),
           [&](long first, long last) { kernels->send(net, s, first, last); });
  parallel(shares(n_local, s.first_edge, threads), [&](long first, long last) {
    kernels->receive(net, s, first, last, round == 0, round == rounds - 1);
  });
}

// between the node states of several networks side by side and those of each
template <class Copy> void BotanEngine::each_row(long first, long last, Copy copy)
{
  const long n = networks.size();
  float *rows = together.at_least(n_nodes * n * WIDTH);
  for (long i = first; i < last; i++)
    for (long k = 0; k < n; k++)
      copy(rows + (i * n + k) * WIDTH, networks[k]->state.node + i * WIDTH);
}

/* ---------------------------------------------------------------------- */

BotanEngine *botan_engine_create(long networks, long inputs, const float *const *weights,
                                 long rounds, long bfloat16, const char **message)
{
  *message = nullptr;
  const BotanKernels *kernels = find_kernels(bfloat16, message);
  if (!kernels) return nullptr;
  auto *engine = new BotanEngine{};
  engine->kernels = kernels;
  engine->rounds = rounds;
  for (long k = 0; k < networks; k++)
    engine->networks.push_back(
        std::make_unique<Network>(weights + k * BOTAN_N_WEIGHTS, inputs, kernels->panel));
  return engine;
}

void botan_engine_delete(BotanEngine *engine)
{
  delete engine;
}

const char *botan_engine_instructions(const BotanEngine *engine)
{
  return engine->kernels->name;
}

double botan_engine_memory_usage(const BotanEngine *engine)
{
  double bytes = engine->together.bytes();
  for (const auto &n : engine->networks)
    bytes += n->node.bytes() + n->sent.bytes() + n->node_out.bytes() + n->edge_out.bytes() +
             n->edge.bytes() + n->edge_constant.bytes();
  return bytes;
}

void botan_engine_release_memory(BotanEngine *engine)
{
  engine->together.release();
  for (const auto &n : engine->networks) {
    for (auto *floats : {&n->node, &n->sent, &n->node_out, &n->edge_out}) floats->release();
    for (auto *bytes : {&n->edge, &n->edge_constant}) bytes->release();
  }
}

bool botan_engine_encode(BotanEngine *engine, long threads, long n_local, long n_nodes,
                         const int64_t *species, const int64_t *first_edge, const int32_t *neighbor,
                         const float *vectors, float *node_out, float *edge_out)
{
  engine->threads = threads;
  engine->n_local = n_local;
  engine->n_nodes = n_nodes;
  engine->round = 0;
  engine->node_out = node_out;
  engine->edge_out = edge_out;
  BotanState given = {};
  given.species = species;
  given.first_edge = first_edge;
  given.neighbor = neighbor;
  given.vectors = vectors;
  given.node_out = node_out;
  given.edge_out = edge_out;
  try {
    for (const auto &network : engine->networks) engine->encode(*network, given);
    if (engine->is_ensemble()) engine->together.at_least(n_nodes * engine->networks.size() * WIDTH);
  } catch (const std::bad_alloc &) {
    return false;
  }
  return true;
}

void botan_engine_step(BotanEngine *engine)
{
  BotanEngine &e = *engine;
  constexpr size_t bytes = WIDTH * sizeof(float);
  if (e.is_ensemble() && e.round > 0)    // ghosts came in since the last step
    e.each_row(e.n_local, e.n_nodes,
               [](float *together, float *own) { memcpy(own, together, bytes); });
  for (const auto &network : e.networks) e.step(*network);
  e.round++;
  if (!e.is_ensemble()) return;
  e.each_row(0, e.n_local, [](float *together, float *own) { memcpy(together, own, bytes); });
  if (e.round < e.rounds) return;
  std::vector<const float *> of_nodes, of_edges;
  for (const auto &network : e.networks) {
    of_nodes.push_back(network->state.node_out);
    of_edges.push_back(network->state.edge_out);
  }
  combine(of_nodes, e.n_local, e.node_out);
  combine(of_edges, e.networks[0]->state.first_edge[e.n_local], e.edge_out);
}

float *botan_engine_node(BotanEngine *engine)
{
  return engine->is_ensemble() ? engine->together.at_least(0) : engine->networks[0]->state.node;
}

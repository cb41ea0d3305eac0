#include "engine.h"

#include "memory.h"
#include "weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>
#include <system_error>
#include <thread>
#include <vector>

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

// one network and its states of the graph
struct Network {
  explicit Network(Weights given) : weights(std::move(given)) {}

  Weights weights;
  BotanState state;
  Memory<float> node, node_constant, sent, node_out, edge_out;
  Memory<char> edge, edge_constant;
};

// what the encoder of nodes is given for species 0, 1, ...; NaN for one that it does not know
Numbers species_inputs(int64_t n_species, long inputs)
{
  Numbers all(n_species * inputs);
  for (int64_t s = 0; s < n_species; s++) {
    if (inputs == 1)
      all[s] = static_cast<float>(s);
    else if (s < inputs)
      all[s * inputs + s] = 1;
    else
      std::fill_n(&all[s * inputs], inputs, NAN);
  }
  return all;
}

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
  Memory<float> together;           // node states of several networks, side by side
  std::vector<int64_t> own_rows;    // 0, 1, ...

  long threads, n_local, n_nodes, round;
  bool ghosts_are_encoded;
  float *node_out, *edge_out;

  bool is_ensemble() const { return networks.size() > 1; }
  void encode(Network &, const BotanState &given, const int64_t *species, const float *of_nodes);
  void encode_species(Network &, const int64_t *species);
  void encode_nodes(Network &, const float *of_nodes);
  void step(Network &);
  template <class Copy> void each_row(long first, long last, Copy copy);
  void hand_out();
};

void BotanEngine::encode(Network &network, const BotanState &given, const int64_t *species,
                         const float *of_nodes)
{
  const int64_t n_edges = given.first_edge[n_local];
  const size_t edge_bytes = n_edges * WIDTH * kernels->edge_bytes;
  BotanState &s = network.state;
  s = given;
  s.node = network.node.at_least(n_nodes * WIDTH);
  s.sent = network.sent.at_least(n_nodes * WIDTH);
  s.edge = network.edge.at_least(edge_bytes);
  s.edge_constant = network.edge_constant.at_least(edge_bytes);
  if (is_ensemble()) {
    s.node_out = network.node_out.at_least(n_local);
    s.edge_out = network.edge_out.at_least(n_edges);
  }
  if (ghosts_are_encoded)
    encode_species(network, species);
  else
    encode_nodes(network, of_nodes);
}

// each species once; ghosts too
void BotanEngine::encode_species(Network &network, const int64_t *species)
{
  const BotanNetwork &net = network.weights.net;
  BotanState &s = network.state;
  const int64_t n_species = n_nodes ? *std::max_element(species, species + n_nodes) + 1 : 0;
  Numbers first(n_species * WIDTH);
  float *constant = network.node_constant.at_least(n_species * WIDTH);
  kernels->encode(net, species_inputs(n_species, net.nodes.inputs).data(), first.data(), constant,
                  0, n_species);
  for (long i = 0; i < n_nodes; i++)
    memcpy(s.node + i * WIDTH, &first[species[i] * WIDTH], WIDTH * sizeof(float));
  s.kind = species;
  s.node_constant = constant;
}

void BotanEngine::encode_nodes(Network &network, const float *of_nodes)
{
  BotanState &s = network.state;
  float *constant = network.node_constant.at_least(n_local * WIDTH);
  parallel(shares(n_local, threads), [&](long first, long last) {
    kernels->encode(network.weights.net, of_nodes, s.node, constant, first, last);
  });
  s.kind = own_rows.data();
  s.node_constant = constant;
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

// what ranks exchange
void BotanEngine::hand_out()
{
  each_row(0, n_local, [](float *rows, float *own) { memcpy(rows, own, WIDTH * sizeof(float)); });
}

/* ---------------------------------------------------------------------- */

BotanEngine *botan_engine_create(long networks, long inputs_of_nodes, long inputs_of_edges,
                                 const float *const *weights, long rounds, long bfloat16,
                                 const char **message)
{
  *message = nullptr;
  const BotanKernels *kernels = find_kernels(bfloat16, message);
  if (!kernels) return nullptr;
  auto *engine = new BotanEngine{};
  engine->kernels = kernels;
  engine->rounds = rounds;
  for (long k = 0; k < networks; k++)
    engine->networks.push_back(std::make_unique<Network>(
        Weights(weights + k * BOTAN_N_WEIGHTS, static_cast<int>(inputs_of_nodes),
                static_cast<int>(inputs_of_edges), kernels->panel)));
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
    bytes += n->node.bytes() + n->node_constant.bytes() + n->sent.bytes() + n->node_out.bytes() +
             n->edge_out.bytes() + n->edge.bytes() + n->edge_constant.bytes();
  return bytes;
}

void botan_engine_release_memory(BotanEngine *engine)
{
  engine->together.release();
  for (const auto &n : engine->networks) {
    for (auto *floats : {&n->node, &n->node_constant, &n->sent, &n->node_out, &n->edge_out})
      floats->release();
    for (auto *bytes : {&n->edge, &n->edge_constant}) bytes->release();
  }
}

bool botan_engine_encode(BotanEngine *engine, long threads, long n_local, long n_nodes,
                         const int64_t *species, const int64_t *first_edge, const int32_t *neighbor,
                         const float *const *of_edges, const float *const *of_nodes,
                         float *node_out, float *edge_out)
{
  engine->threads = threads;
  engine->n_local = n_local;
  engine->n_nodes = n_nodes;
  engine->round = 0;
  engine->node_out = node_out;
  engine->edge_out = edge_out;
  engine->ghosts_are_encoded = !of_nodes;
  BotanState given = {};
  given.first_edge = first_edge;
  given.neighbor = neighbor;
  given.node_out = node_out;
  given.edge_out = edge_out;
  try {
    if (of_nodes) {
      engine->own_rows.resize(n_local);
      std::iota(engine->own_rows.begin(), engine->own_rows.end(), 0);
    }
    for (size_t k = 0; k < engine->networks.size(); k++) {
      given.of_edges = of_edges[k];
      engine->encode(*engine->networks[k], given, species, of_nodes ? of_nodes[k] : nullptr);
    }
    if (engine->is_ensemble()) engine->hand_out();
  } catch (const std::bad_alloc &) {
    return false;
  }
  return true;
}

void botan_engine_step(BotanEngine *engine)
{
  BotanEngine &e = *engine;
  if (e.is_ensemble() && (e.round > 0 || !e.ghosts_are_encoded))    // they came in since
    e.each_row(e.n_local, e.n_nodes,
               [](float *rows, float *own) { memcpy(own, rows, WIDTH * sizeof(float)); });
  for (const auto &network : e.networks) e.step(*network);
  e.round++;
  if (!e.is_ensemble()) return;
  e.hand_out();
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

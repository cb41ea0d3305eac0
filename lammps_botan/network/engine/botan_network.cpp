// BOTAN, see lammps_botan/network/botan.py; 64 features.

#include "botan_weights.h"
#include "memory.h"
#include "model_limits.h"
#include "network.h"
#include "pair_distances.h"
#include "particle_inputs.h"
#include "threads.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>

namespace {

constexpr long WIDTH = BOTAN_WIDTH;

const BotanKernels &find_kernels(Instructions instructions)
{
  switch (instructions) {
#ifdef BOTAN_BFLOAT16
    case Instructions::AVX512_BF16:
      return botan_kernels_avx512_bf16;
#endif
#ifdef BOTAN_X86
    case Instructions::AVX512:
      return botan_kernels_avx512;
    case Instructions::AVX512_BFLOAT16:
      return botan_kernels_avx512_kept;
    case Instructions::AVX2:
      return botan_kernels_avx2;
    case Instructions::AVX2_BFLOAT16:
      return botan_kernels_avx2_kept;
#endif
    case Instructions::PORTABLE_BFLOAT16:
      return botan_kernels_portable_kept;
    default:
      return botan_kernels_portable;
  }
}

class BotanOfEngine : public EngineNetwork {
 public:
  BotanOfEngine(const NetworkDescription &, Instructions);
  void encode(const EngineGraph &) override;
  void step(long round, float *node_out, float *edge_out) override;
  float *node() override { return state.node; }
  double bytes() const override;
  void release_memory() override;

 private:
  const BotanKernels &kernels;
  std::optional<ParticleInputs> particles;    // of networks with inputs
  std::optional<PairDistances> pairs;
  long n_species;
  std::unique_ptr<BotanWeights> weights;
  EngineGraph graph = {};
  BotanState state = {};
  std::vector<int64_t> own_rows;    // 0, 1, ...
  Memory<float> node_states, node_constant, sent, of_nodes, of_edges;
  Memory<char> edge, edge_constant;

  void encode_species();
  void encode_inputs();
};

BotanOfEngine::BotanOfEngine(const NetworkDescription &given, Instructions instructions) :
    kernels(find_kernels(instructions)), n_species(given.whole("n_species", 1, Limits::species))
{
  rounds = given.whole("rounds", 1, Limits::rounds);
  width = given.whole("width", 1, Limits::width);
  if (width != WIDTH)
    throw UnknownNetwork("the compiled engine knows BOTAN with 64 features, found " +
                         std::to_string(width));
  node_outputs = edge_outputs = 1;
  long inputs_of_nodes = n_species <= 2 ? 1 : n_species, inputs_of_edges = 3;
  if (given.n_vectors() > 0) {
    particles.emplace(given, "particles.");
    pairs.emplace(given, "pairs.");
    inputs_of_nodes = particles->columns();
    inputs_of_edges = pairs->columns();
  }
  const std::pair<std::string, long> parts[] = {{"node_encoder", inputs_of_nodes},
                                                {"edge_encoder", inputs_of_edges},
                                                {"node_model", 3 * WIDTH},
                                                {"edge_model", 4 * WIDTH},
                                                {"decoder", WIDTH}};
  std::vector<const float *> addresses;
  for (const auto &[part, inputs] : parts) {
    addresses.push_back(given.tensor(part + ".fc1.weight", {WIDTH, inputs}));
    addresses.push_back(given.tensor(part + ".fc1.bias", {WIDTH}));
    addresses.push_back(given.tensor(part + ".fc2.weight", {WIDTH, WIDTH}));
    addresses.push_back(given.tensor(part + ".fc2.bias", {WIDTH}));
  }
  addresses.push_back(given.tensor("output.weight", {1, WIDTH}));
  addresses.push_back(given.tensor("output.bias", {1}));
  weights = std::make_unique<BotanWeights>(addresses, static_cast<int>(inputs_of_nodes),
                                           static_cast<int>(inputs_of_edges), kernels.panel);
}

void BotanOfEngine::encode(const EngineGraph &given)
{
  graph = given;
  const size_t edge_bytes = graph.n_edges * WIDTH * kernels.edge_bytes;
  state.first_edge = graph.first_edge;
  state.neighbor = graph.neighbor;
  state.vectors = graph.vectors;
  state.pair_range = graph.pair_range;
  state.of_edges = graph.vectors;
  state.node = node_states.at_least(graph.n_nodes * WIDTH);
  state.sent = sent.at_least(graph.n_nodes * WIDTH);
  state.edge = edge.at_least(edge_bytes);
  state.edge_constant = edge_constant.at_least(edge_bytes);
  if (particles)
    encode_inputs();
  else
    encode_species();
}

// each species once; ghosts too
void BotanOfEngine::encode_species()
{
  const BotanNetwork &net = weights->net;
  const long inputs = net.nodes.inputs;
  std::vector<float> given(n_species * inputs), first(n_species * WIDTH);
  for (long s = 0; s < n_species; s++) {
    if (inputs == 1)
      given[s] = static_cast<float>(s);
    else
      given[s * inputs + s] = 1;
  }
  float *constant = node_constant.at_least(n_species * WIDTH);
  kernels.encode(net, given.data(), first.data(), constant, 0, n_species);
  for (long i = 0; i < graph.n_nodes; i++)
    memcpy(state.node + i * WIDTH, &first[graph.species[i] * WIDTH], WIDTH * sizeof(float));
  state.kind = graph.species;
  state.node_constant = constant;
}

void BotanOfEngine::encode_inputs()
{
  const long columns = particles->columns(), columns_of_edges = pairs->columns();
  float *nodes = of_nodes.at_least(graph.n_local * columns);
  float *edges = of_edges.at_least(graph.n_edges * columns_of_edges);
  float *constant = node_constant.at_least(graph.n_local * WIDTH);
  own_rows.resize(graph.n_local);
  std::iota(own_rows.begin(), own_rows.end(), 0);
  Threads::parallel(
      Threads::shares(graph.n_local, graph.first_edge, graph.threads), [&](long first, long last) {
        particles->fill(graph, first, last, nodes + first * columns);
        pairs->fill(graph, first, last, edges + graph.first_edge[first] * columns_of_edges);
        kernels.encode(weights->net, nodes, state.node, constant, first, last);
      });
  state.of_edges = edges;
  state.kind = own_rows.data();
  state.node_constant = constant;
}

void BotanOfEngine::step(long round, float *node_out, float *edge_out)
{
  const BotanNetwork &net = weights->net;
  state.node_out = node_out;
  state.edge_out = edge_out;
  Threads::parallel(Threads::shares(graph.n_nodes, graph.threads),
                    [&](long first, long last) { kernels.send(net, state, first, last); });
  Threads::parallel(Threads::shares(graph.n_local, graph.first_edge, graph.threads),
                    [&](long first, long last) {
                      kernels.receive(net, state, first, last, round == 0, round == rounds - 1);
                    });
}

double BotanOfEngine::bytes() const
{
  double bytes = edge.bytes() + edge_constant.bytes();
  bytes += static_cast<double>(own_rows.capacity() * sizeof(int64_t));
  for (const auto *floats : {&node_states, &node_constant, &sent, &of_nodes, &of_edges})
    bytes += floats->bytes();
  return bytes;
}

void BotanOfEngine::release_memory()
{
  for (auto *floats : {&node_states, &node_constant, &sent, &of_nodes, &of_edges})
    floats->release();
  for (auto *bytes : {&edge, &edge_constant}) bytes->release();
  own_rows = {};
  state = {};
}

}    // namespace

std::unique_ptr<EngineNetwork> make_botan(const NetworkDescription &given,
                                          Instructions instructions)
{
  return std::make_unique<BotanOfEngine>(given, instructions);
}

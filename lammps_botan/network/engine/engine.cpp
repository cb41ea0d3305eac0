#include "engine.h"

#include "memory.h"
#include "network.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <stdexcept>

namespace {

void check_finite(const BotanTensor &tensor, const std::string &kind)
{
  int64_t size = 1;
  for (int64_t k = 0; k < tensor.n_dimensions; k++) size *= tensor.shape[k];
  for (int64_t k = 0; k < size; k++)
    if (!std::isfinite(tensor.numbers[k]))
      throw std::invalid_argument("the network '" + kind + "': the tensor '" + tensor.name +
                                  "' has numbers that are not finite");
}

NetworkDescription describe(const BotanGivenNetwork &given)
{
  NetworkDescription description;
  description.kind = given.kind;
  for (int64_t k = 0; k < given.n_settings; k++)
    description.settings[given.settings[k].name] = given.settings[k].value;
  for (int64_t k = 0; k < given.n_tensors; k++) {
    const BotanTensor &tensor = given.tensors[k];
    check_finite(tensor, description.kind);
    description.tensors[tensor.name] = {{tensor.shape, tensor.shape + tensor.n_dimensions},
                                        tensor.numbers};
  }
  return description;
}

std::unique_ptr<EngineNetwork> make_network(const NetworkDescription &description,
                                            Instructions instructions)
{
  if (description.kind == "botan") return make_botan(description, instructions);
  if (keeps_bfloat16(instructions))
    throw std::invalid_argument("precision bfloat16 is for BOTAN, found the network '" +
                                description.kind + "'; use precision float32");
  if (description.kind == "linear") return make_linear(description, instructions);
  if (description.kind == "equivariant") return make_equivariant(description, instructions);
  throw UnknownNetwork("the compiled engine does not know the network '" + description.kind + "'");
}

// what lammps_botan/network/committee.py makes of the outputs of several networks
void combine(const std::vector<const float *> &outputs, int64_t rows, int64_t columns, float *to)
{
  const auto members = static_cast<float>(outputs.size());
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      float mean = 0, squares = 0;
      for (const float *output : outputs) mean += output[i * columns + j] / members;
      for (const float *output : outputs) {
        const float difference = output[i * columns + j] - mean;
        squares += difference * difference;
      }
      to[2 * columns * i + j] = mean;
      to[2 * columns * i + columns + j] = std::sqrt(squares / (members - 1));
    }
}

// of a committee
struct Member {
  std::unique_ptr<EngineNetwork> network;
  long first_column;    // in the node state of the committee
  Memory<float> node_out, edge_out;
};

}    // namespace

struct BotanEngine {
  Instructions instructions;
  BotanEngineSizes sizes = {};
  std::vector<Member> members;
  bool ghosts_are_encoded;
  EngineGraph graph = {};
  int64_t round = 0;
  Memory<float> together;    // node states of several networks, side by side

  bool is_committee() const { return members.size() > 1; }
  void add(const NetworkDescription &);
  void encode();
  void step(float *node_out, float *edge_out);

 private:
  void copy_rows(int64_t first, int64_t last, bool out);
  void combine_outputs(float *node_out, float *edge_out);
};

void BotanEngine::add(const NetworkDescription &description)
{
  Member member;
  member.network = make_network(description, instructions);
  description.check_all_used();
  member.first_column = sizes.width;
  const EngineNetwork &network = *member.network;
  if (!members.empty()) {
    const EngineNetwork &first = *members[0].network;
    if (network.node_outputs != first.node_outputs || network.edge_outputs != first.edge_outputs)
      throw std::invalid_argument("the networks of a committee need the same outputs");
  }
  sizes.rounds = std::max<int64_t>(sizes.rounds, network.rounds);
  sizes.width += network.width;
  sizes.node_outputs = network.node_outputs;
  sizes.edge_outputs = network.edge_outputs;
  ghosts_are_encoded = description.n_vectors() == 0;
  members.push_back(std::move(member));
}

void BotanEngine::encode()
{
  round = 0;
  if (is_committee()) {
    together.at_least(graph.n_nodes * sizes.width);
    for (Member &member : members) {
      member.node_out.at_least(graph.n_local * member.network->node_outputs);
      member.edge_out.at_least(graph.n_edges * member.network->edge_outputs);
    }
  }
  for (Member &member : members) member.network->encode(graph);
  if (is_committee()) copy_rows(0, ghosts_are_encoded ? graph.n_nodes : graph.n_local, true);
}

// of the node states, out of each network or into each
void BotanEngine::copy_rows(int64_t first, int64_t last, bool out)
{
  float *rows = together.at_least(0);
  for (const Member &member : members) {
    const int64_t width = member.network->width;
    float *own = member.network->node();
    for (int64_t i = first; i < last; i++) {
      float *row = rows + i * sizes.width + member.first_column;
      memcpy(out ? row : own + i * width, out ? own + i * width : row, width * sizeof(float));
    }
  }
}

void BotanEngine::step(float *node_out, float *edge_out)
{
  if (!is_committee()) {
    members[0].network->step(round++, node_out, edge_out);
    return;
  }
  if (round > 0 || !ghosts_are_encoded) copy_rows(graph.n_local, graph.n_nodes, false);
  for (Member &member : members)
    if (round < member.network->rounds)
      member.network->step(round, member.node_out.at_least(0), member.edge_out.at_least(0));
  round++;
  copy_rows(0, graph.n_local, true);
  if (round == sizes.rounds) combine_outputs(node_out, edge_out);
}

void BotanEngine::combine_outputs(float *node_out, float *edge_out)
{
  std::vector<const float *> of_nodes, of_edges;
  for (Member &member : members) {
    of_nodes.push_back(member.node_out.at_least(0));
    of_edges.push_back(member.edge_out.at_least(0));
  }
  combine(of_nodes, graph.n_local, sizes.node_outputs / 2, node_out);
  combine(of_edges, graph.n_edges, sizes.edge_outputs / 2, edge_out);
}

/* ---------------------------------------------------------------------- */

BotanEngine *botan_engine_create(int64_t n_networks, const BotanGivenNetwork *networks,
                                 bool bfloat16, bool *known, const char **message)
{
  static thread_local std::string reason;
  *known = true;
  try {
    auto engine = std::make_unique<BotanEngine>();
    engine->instructions = find_instructions(bfloat16);
    for (int64_t k = 0; k < n_networks; k++) engine->add(describe(networks[k]));
    if (engine->members.empty()) throw std::invalid_argument("expected a network, found none");
    if (engine->is_committee()) {
      engine->sizes.node_outputs *= 2;
      engine->sizes.edge_outputs *= 2;
    }
    return engine.release();
  } catch (const UnknownNetwork &failure) {
    *known = false;
    reason = failure.what();
  } catch (const std::exception &failure) {
    reason = failure.what();
  }
  *message = reason.c_str();
  return nullptr;
}

void botan_engine_delete(BotanEngine *engine)
{
  delete engine;
}

void botan_engine_sizes(const BotanEngine *engine, BotanEngineSizes *sizes)
{
  *sizes = engine->sizes;
}

const char *botan_engine_find_instructions(const char **message)
{
  static thread_local std::string reason;
  try {
    return instructions_name(find_instructions(false));
  } catch (const std::invalid_argument &error) {
    reason = error.what();
    *message = reason.c_str();
    return nullptr;
  }
}

const char *botan_engine_instructions(const BotanEngine *engine)
{
  return instructions_name(engine->instructions);
}

double botan_engine_memory_usage(const BotanEngine *engine)
{
  double bytes = engine->together.bytes();
  for (const Member &member : engine->members)
    bytes += member.network->bytes() + member.node_out.bytes() + member.edge_out.bytes();
  return bytes;
}

void botan_engine_release_memory(BotanEngine *engine)
{
  engine->together.release();
  for (Member &member : engine->members) {
    member.network->release_memory();
    member.node_out.release();
    member.edge_out.release();
  }
}

bool botan_engine_encode(BotanEngine *engine, const EngineGraph *graph)
{
  engine->graph = *graph;
  try {
    engine->encode();
  } catch (const std::bad_alloc &) {
    return false;
  }
  return true;
}

bool botan_engine_step(BotanEngine *engine, float *node_out, float *edge_out)
{
  try {
    engine->step(node_out, edge_out);
  } catch (const std::bad_alloc &) {
    return false;
  }
  return true;
}

float *botan_engine_node(BotanEngine *engine)
{
  return engine->is_committee() ? engine->together.at_least(0) : engine->members[0].network->node();
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "engine_model.h"

#include "../network/engine/engine.h"

#include <map>
#include <memory>
#include <new>

namespace {

constexpr int WIDTH = 64;

struct Deleter {
  void operator()(BotanEngine *engine) const { botan_engine_delete(engine); }
};

using EnginePointer = std::unique_ptr<BotanEngine, Deleter>;

// columns of the first layers of the encoders
struct Columns {
  int64_t of_nodes = 0, of_edges = 0;
};

class EngineModel : public BotanModel {
 public:
  EngineModel(EnginePointer made, const BotanModel &torch, const BotanSizes &given,
              size_t n_networks, Columns n_columns, Describe further, int n_threads) :
      handle(std::move(made)), metadata_text(torch.metadata()), fallback_bytes(torch.fallback()),
      sizes(given), networks(n_networks), columns(n_columns), describe(std::move(further)),
      threads(n_threads)
  {
  }
  const std::string &metadata() const override { return metadata_text; }
  std::string fallback() const override { return fallback_bytes; }
  std::string device() const override { return "cpu"; }
  std::string engine() const override { return botan_engine_instructions(handle.get()); }
  std::string set_sizes(const BotanSizes &) override { return ""; }
  double memory_usage() const override { return botan_engine_memory_usage(handle.get()); }
  void release_memory() override { botan_engine_release_memory(handle.get()); }
  BotanModel *make_engine(bool, std::string *) const override { return nullptr; }

  std::string encode(const BotanGraph &graph) override
  {
    const size_t n_edges = graph.neighbor.size();
    bool done = false;
    try {
      const std::string failure = sizes.has_inputs() ? fill_inputs(graph) : "";
      if (!failure.empty()) return failure;
      std::vector<const float *> of_nodes, of_edges;
      for (const auto &given : inputs) {
        of_nodes.push_back(given.of_nodes.data());
        of_edges.push_back(given.of_edges.data());
      }
      if (!sizes.has_inputs()) of_edges.assign(networks, graph.vectors.data());
      node_out.resize(graph.n_local * sizes.node_outputs);
      edge_out.resize(n_edges * sizes.edge_outputs);
      done = botan_engine_encode(
          handle.get(), threads, graph.n_local, static_cast<long>(graph.species.size()),
          graph.species.data(), graph.first_edge.data(), graph.neighbor.data(), of_edges.data(),
          sizes.has_inputs() ? of_nodes.data() : nullptr, node_out.data(), edge_out.data());
    } catch (const std::bad_alloc &) {
    }
    return done ? "" : "not enough memory for the " + std::to_string(n_edges) + " edges of a rank";
  }

  std::string step(int) override
  {
    botan_engine_step(handle.get());
    return "";
  }

  float *node() override { return botan_engine_node(handle.get()); }

  std::string decode(std::vector<float> &of_nodes, std::vector<float> &of_edges) override
  {
    of_nodes = std::move(node_out);
    of_edges = std::move(edge_out);
    inputs.clear();
    return "";
  }

 private:
  EnginePointer handle;
  std::string metadata_text, fallback_bytes;
  BotanSizes sizes;
  size_t networks;
  Columns columns;
  Describe describe;
  int threads;
  std::vector<EncoderInputs> inputs;    // of each network, until decode
  std::vector<float> node_out, edge_out;

  std::string fill_inputs(const BotanGraph &graph)
  {
    inputs.clear();
    std::string failure = describe(graph, inputs);
    if (!failure.empty()) return failure;
    const size_t n_nodes = graph.n_local * columns.of_nodes;
    const size_t n_edges = graph.neighbor.size() * columns.of_edges;
    bool fits = inputs.size() == networks;
    for (const auto &[of_nodes, of_edges] : inputs)
      fits = fits && of_nodes.size() == n_nodes && of_edges.size() == n_edges;
    return fits ? "" : "method describe of the model does not return what its encoders take";
  }
};

/* ---------------------------------------------------------------------- */

struct Expected {
  std::string name;
  std::vector<int64_t> shape;
};

// of one network, in the order of engine.h

std::vector<Expected> expected_weights(Columns columns)
{
  std::vector<Expected> all;
  const std::pair<const char *, int64_t> parts[] = {{"node_encoder", columns.of_nodes},
                                                    {"edge_encoder", columns.of_edges},
                                                    {"node_model", 3 * WIDTH},
                                                    {"edge_model", 4 * WIDTH},
                                                    {"decoder", WIDTH}};
  for (const auto &[part, inputs] : parts) {
    const std::string name(part);
    all.push_back({name + ".fc1.weight", {WIDTH, inputs}});
    all.push_back({name + ".fc1.bias", {WIDTH}});
    all.push_back({name + ".fc2.weight", {WIDTH, WIDTH}});
    all.push_back({name + ".fc2.bias", {WIDTH}});
  }
  all.push_back({"output.weight", {1, WIDTH}});
  all.push_back({"output.bias", {1}});
  return all;
}

// networks without inputs are given the vectors of edges, and of nodes the number of the species or
// one column for each

Columns count_columns(const std::vector<NamedWeights> &named, bool has_inputs)
{
  Columns found;
  for (const auto &[name, shape, numbers] : named) {
    if (shape.size() != 2) continue;
    if (name.ends_with("node_encoder.fc1.weight")) found.of_nodes = shape[1];
    if (name.ends_with("edge_encoder.fc1.weight")) found.of_edges = shape[1];
  }
  if (!has_inputs) found.of_edges = 3;
  return found;
}

// addresses of the weights of one or several networks, or nothing if it is another architecture

std::vector<const float *> arrange(const std::vector<NamedWeights> &named, Columns columns)
{
  std::map<std::string, const NamedWeights *> by_name;
  for (const auto &weights : named) by_name[weights.name] = &weights;
  const size_t members = named.size() / BOTAN_N_WEIGHTS;
  if (members * BOTAN_N_WEIGHTS != named.size()) return {};
  std::vector<const float *> addresses;
  for (size_t k = 0; k < members; k++)
    for (const auto &[name, shape] : expected_weights(columns)) {
      const auto found =
          by_name.find(members == 1 ? name : "members." + std::to_string(k) + "." + name);
      if (found == by_name.end() || found->second->shape != shape) return {};
      addresses.push_back(found->second->numbers);
    }
  return addresses;
}

}    // namespace

BotanModel *create_engine_model(const std::vector<NamedWeights> &named, const BotanModel &torch,
                                const BotanSizes &sizes, Describe describe, int threads,
                                bool bfloat16, std::string *message)
{
  const Columns columns = count_columns(named, sizes.has_inputs());
  const std::vector<const float *> addresses = arrange(named, columns);
  const auto networks = static_cast<long>(addresses.size() / BOTAN_N_WEIGHTS);
  const int outputs = networks > 1 ? 2 : 1;
  if (!networks || sizes.width != networks * WIDTH || sizes.node_outputs != outputs ||
      sizes.edge_outputs != outputs)
    return nullptr;
  const char *reason = nullptr;
  EnginePointer engine(botan_engine_create(networks, columns.of_nodes, columns.of_edges,
                                           addresses.data(), sizes.rounds, bfloat16, &reason));
  if (reason) *message = reason;
  if (!engine) return nullptr;
  return new EngineModel(std::move(engine), torch, sizes, networks, columns, std::move(describe),
                         threads);
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "engine_model.h"

#include <new>

namespace {

struct Deleter {
  void operator()(BotanEngine *engine) const { botan_engine_delete(engine); }
};

using EnginePointer = std::unique_ptr<BotanEngine, Deleter>;

class EngineModel : public BotanModel {
 public:
  EngineModel(EnginePointer made, int n_threads) : handle(std::move(made)), threads(n_threads)
  {
    botan_engine_sizes(handle.get(), &sizes);
  }
  std::string device() const override { return "cpu"; }
  std::string engine() const override { return botan_engine_instructions(handle.get()); }
  double memory_usage() const override { return botan_engine_memory_usage(handle.get()); }
  void release_memory() override { botan_engine_release_memory(handle.get()); }
  float *node() override { return botan_engine_node(handle.get()); }

  std::string set_sizes(const BotanSizes &expected) override
  {
    const auto differs = [](const char *name, int64_t found, int64_t said) -> std::string {
      if (found == said) return "";
      return "the networks in the file have " + std::string(name) + " " + std::to_string(found) +
             ", and metadata.json says " + std::to_string(said) +
             ": the file was not made by `lammps-botan export`";
    };
    std::string failure = differs("rounds", sizes.rounds, expected.rounds);
    if (failure.empty()) failure = differs("width", sizes.width, expected.width);
    if (failure.empty())
      failure = differs("node outputs", sizes.node_outputs, expected.node_outputs);
    if (failure.empty())
      failure = differs("edge outputs", sizes.edge_outputs, expected.edge_outputs);
    return failure;
  }

  std::string encode(const BotanGraph &graph) override
  {
    const auto n_edges = static_cast<int64_t>(graph.neighbor.size());
    const EngineGraph given = {threads,
                               graph.n_local,
                               static_cast<int64_t>(graph.species.size()),
                               n_edges,
                               graph.species.data(),
                               graph.first_edge.data(),
                               graph.neighbor.data(),
                               graph.vectors.data(),
                               graph.node_vectors.data(),
                               graph.node_scalars.data(),
                               graph.pair_range};
    bool done = false;
    try {
      node_out.resize(graph.n_local * sizes.node_outputs);
      edge_out.resize(n_edges * sizes.edge_outputs);
      done = botan_engine_encode(handle.get(), &given);
    } catch (const std::bad_alloc &) {
    }
    return done ? "" : "not enough memory for the " + std::to_string(n_edges) + " edges of a rank";
  }

  std::string step(int) override
  {
    const bool done = botan_engine_step(handle.get(), node_out.data(), edge_out.data());
    return done ? "" : "not enough memory for a step";
  }

  std::string decode(std::vector<float> &of_nodes, std::vector<float> &of_edges) override
  {
    of_nodes = std::move(node_out);
    of_edges = std::move(edge_out);
    return "";
  }

 private:
  EnginePointer handle;
  int threads;
  BotanEngineSizes sizes = {};
  std::vector<float> node_out, edge_out;
};

}    // namespace

std::unique_ptr<BotanModel> make_engine_model(const ModelWeights &weights, bool bfloat16,
                                              int threads, bool &known, std::string &message)
{
  known = false;
  const char *reason = nullptr;
  const auto &networks = weights.networks();
  EnginePointer engine(botan_engine_create(static_cast<int64_t>(networks.size()), networks.data(),
                                           bfloat16, &known, &reason));
  if (engine) return std::make_unique<EngineModel>(std::move(engine), threads);
  message = reason;
  return nullptr;
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Weights that the plugin takes go into the engine, which refuses them or scores a graph with them.

#ifndef RELIABILITY_SMALL_GRAPH_H
#define RELIABILITY_SMALL_GRAPH_H

#include "model_weights.h"

#include <memory>

// what the engine says, or an empty string
inline std::string score_small_graph(const ModelWeights &weights)
{
  const auto &networks = weights.networks();
  bool known = false;
  const char *message = "";
  const std::unique_ptr<BotanEngine, decltype(&botan_engine_delete)> engine(
      botan_engine_create(static_cast<int64_t>(networks.size()), networks.data(), false, &known,
                          &message),
      botan_engine_delete);
  if (!engine) return message;

  // three atoms in a row, a ghost, and an atom that is alone; no more inputs than networks can have
  constexpr int64_t N_LOCAL = 4, N_NODES = 5, INPUTS = 64;
  const std::vector<int64_t> species(N_NODES, 0), first_edge = {0, 1, 3, 5, 5};
  const std::vector<int32_t> neighbor = {1, 0, 2, 1, 4};
  const auto n_edges = static_cast<int64_t>(neighbor.size());
  const std::vector<float> vectors = {-1, 0, 0, 1, 0, 0, -1, 0, 0, 1, 0, 0, 0.F, 0.5F, -0.5F};
  const std::vector<float> node_vectors(N_NODES * INPUTS * 3, 0.1F);
  const std::vector<float> node_scalars(N_NODES * INPUTS, 0.2F);
  const EngineGraph graph = {1,
                             N_LOCAL,
                             N_NODES,
                             n_edges,
                             species.data(),
                             first_edge.data(),
                             neighbor.data(),
                             vectors.data(),
                             node_vectors.data(),
                             node_scalars.data()};
  BotanEngineSizes sizes;
  botan_engine_sizes(engine.get(), &sizes);
  std::vector<float> node_out(N_LOCAL * sizes.node_outputs), edge_out(n_edges * sizes.edge_outputs);
  if (!botan_engine_encode(engine.get(), &graph)) return "not enough memory";
  for (int64_t k = 0; k < sizes.rounds; k++) {
    float *node = botan_engine_node(engine.get());    // the ghost is a copy of the first atom
    std::copy(node, node + sizes.width, node + N_LOCAL * sizes.width);
    if (!botan_engine_step(engine.get(), node_out.data(), edge_out.data())) return "no memory";
  }
  return "";
}

#endif

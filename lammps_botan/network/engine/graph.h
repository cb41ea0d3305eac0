// A graph that is scored.

#ifndef BOTAN_ENGINE_GRAPH_H
#define BOTAN_ENGINE_GRAPH_H

#include <cmath>
#include <cstdint>

// local nodes come first, then ghosts; a network keeps it from encode to the last step
struct EngineGraph {
  int64_t threads;
  int64_t n_local, n_nodes, n_edges;
  const int64_t *species;       // [n_nodes], each less than the number of species
  const int64_t *first_edge;    // [n_local + 1]; those that arrive at a node stand together
  const int32_t *neighbor;      // [n_edges]
  const float *vectors;         // [n_edges, 3], r_center - r_neighbor
  // of networks with inputs
  const float *node_vectors;    // [n_nodes, V, 3]
  const float *node_scalars;    // [n_nodes, K]
  // pairs at least so long need no output, and may have NaN
  float pair_range = INFINITY;
};

#endif

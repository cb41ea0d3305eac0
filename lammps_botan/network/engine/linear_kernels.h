// The sums over edges of the linear network, compiled once for each set of instructions.

#ifndef BOTAN_LINEAR_KERNELS_H
#define BOTAN_LINEAR_KERNELS_H

#include <cstdint>

constexpr int DISTANCE_CELLS = 64;    // in a diameter: a power of two, so that none is rounded
constexpr int DISTANCE_TERMS = 8;
constexpr int LINEAR_FACTORS = 8;    // of a pair, two of which are 0

// functions of a distance, see distance_functions.h
struct LinearFunctions {
  const float *terms;    // [functions, cells, DISTANCE_TERMS, columns]
  int cells;
  long columns;
};

// lengths are in diameters
struct LinearWeights {
  int n_species, n_inputs, width;
  float diameter, reach;        // reach is the cutoff
  LinearFunctions densities;    // for each species of the neighbor
  LinearFunctions changes;      // for each species of the center and of the neighbor
  const float *start;           // [n_species, densities.columns]
  const float *inputs;          // [n_inputs, densities.columns]
};

struct LinearState {
  const int64_t *species, *first_edge;
  const int32_t *neighbor;
  const float *vectors;         // [n_edges, 3]
  const float *node_vectors;    // those of the first kind, or none
  long node_stride;             // from one node to the next
  const float *inputs;          // [n_local, n_inputs], less their origin
  float *node;                  // [n_nodes, width]
  float *own_weight;            // [n_local], of a node itself in its average
  float *weight;                // [n_edges]
  float *node_out, *edge_out;
};

// of local nodes first .. last - 1, with all edges that arrive there
struct LinearKernels {
  // all columns, and the weights of averages
  void (*project)(const LinearWeights &, const LinearState &, long first, long last);
  // columns of a generation += averages of the columns of the one before it
  void (*average)(const LinearWeights &, const LinearState &, int generation, long first,
                  long last);
  // edge_out, from propensities in a column
  void (*change)(const LinearWeights &, const LinearState &, int column, long first, long last);
};

extern const LinearKernels linear_kernels_portable, linear_kernels_avx2, linear_kernels_avx512;

#endif

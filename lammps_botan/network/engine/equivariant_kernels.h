/* What a processor does to the states of the equivariant network, once for each set of
   instructions.

   The equations are those of lammps_botan/network/equivariant.py and equivariant_layer.py. W
   scalars and F features are padded with zeros to whole registers, w of scalars and f of features;
   features stand in 8 rows, three of l = 1 and five of l = 2.
*/

#ifndef BOTAN_EQUIVARIANT_KERNELS_H
#define BOTAN_EQUIVARIANT_KERNELS_H

#include <cstdint>

constexpr int EQUIVARIANT_LANES = 16;      // scalars are padded to a multiple of it
constexpr int EQUIVARIANT_CHANNELS = 8;    // features are
constexpr int EQUIVARIANT_ROWS = 8;        // of features

// a weight of torch, transposed
struct EquivariantMatrix {
  const float *numbers;    // [inputs, outputs]
  long inputs, outputs;
};

struct EquivariantLayerWeights {
  const float *normalize, *normalize_bias;          // [w]
  EquivariantMatrix center;                         // w -> w
  const float *center_bias;                         // that of radial
  EquivariantMatrix send;                           // w -> neighbor w, send_scalars w
  EquivariantMatrix send_vectors, send_matrices;    // F -> f
  EquivariantMatrix pair;                           // radial, angle 2 f -> w
  EquivariantMatrix gates;                          // w -> scalar_gate w, feature_gate 2 f
  // seen w, received w, products to l = 0 of features 8 f, own -> w
  EquivariantMatrix update;
  const float *update_bias;
  EquivariantMatrix change;    // w -> w, gates of features 6 f
  const float *change_bias;
  EquivariantMatrix mix_vectors, mix_matrices;    // 6 f -> f
};

struct EquivariantWeights {
  long width, features;                  // W, F
  long padded_width, padded_features;    // w, f
  long n_own, n_vectors, n_radial, n_gaussians, n_times, rounds;
  float reach, gaussians_per_diameter, diameter;    // reach in diameters
  float root_neighbors;                             // square root of their mean number
  const float *real;                                // [w], 1 for the scalars, 0 for the padding
  const float *radii;                               // [n_gaussians, padded]

  EquivariantMatrix begin, begin_scalars;    // n_own -> w, w -> w
  const float *begin_bias, *begin_scalars_bias;
  EquivariantMatrix begin_features;    // n_own -> n_vectors 2 f
  const float *begin_features_bias;

  const EquivariantLayerWeights *layers;    // [rounds]

  // with standard deviation, mean and diameter
  const float *node_output, *node_output_bias;    // [n_species, n_times, w], [n_species, n_times]

  EquivariantMatrix pair_sum;       // w -> w
  EquivariantMatrix pair_output;    // radial, angle 2 f, lengths 2 f, product w -> w
  const float *pair_bias;
  const float *edge_output, *edge_output_bias;    // [n_times, w], [n_times]; with deviation
  const float *approach;                          // [n_vectors, n_times]; with diameter
};

// One graph being scored. Local nodes come first.
struct EquivariantState {
  const int64_t *species;       // [n_nodes]
  const int64_t *first_edge;    // [n_local + 1]; those that arrive at a node stand together
  const int32_t *neighbor;      // [n_edges]
  const float *vectors;         // [n_edges, 3]
  const float *node_vectors;    // [n_nodes, n_vectors, 3]
  const float *own;             // [n_local or n_nodes, n_own]
  float *node;                  // [n_nodes, W + 8 F]
  // what nodes send: neighbor w, send_scalars w, features 8 f; in the last round then, for the
  // output on pairs, the sum w, scalars w, features 8 f
  float *sent;
  bool has_features;    // false where they are all 0
  float *node_out,
      *edge_out;    // [n_local, n_times], [n_edges, n_times], written in the last round
};

// Ranges of nodes end before `last`; every thread has its own, and a scratch.
struct EquivariantKernels {
  long (*scratch)(const EquivariantWeights &);    // floats
  void (*encode)(const EquivariantWeights &, const EquivariantState &, float *scratch, long first,
                 long last);
  void (*send)(const EquivariantWeights &, const EquivariantState &, long round, float *scratch,
               long first, long last);
  // local nodes and the edges that arrive at them
  void (*receive)(const EquivariantWeights &, const EquivariantState &, long round, float *scratch,
                  long first, long last);
};

// of a row of what nodes send
static inline long equivariant_sent(const EquivariantWeights &w, long round)
{
  const long columns = 2 * w.padded_width + EQUIVARIANT_ROWS * w.padded_features;
  return round == w.rounds - 1 ? 2 * columns : columns;
}

extern const EquivariantKernels equivariant_kernels_portable;
#ifdef BOTAN_X86
extern const EquivariantKernels equivariant_kernels_avx2;
extern const EquivariantKernels equivariant_kernels_avx512;
#endif

#endif

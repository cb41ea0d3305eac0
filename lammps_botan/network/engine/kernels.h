// What a processor does to rows of 64 features, once for each set of instructions.

#ifndef BOTAN_KERNELS_H
#define BOTAN_KERNELS_H

#include <cstdint>

constexpr int BOTAN_WIDTH = 64;

// A 64 x 64 block of weights, [outputs, inputs] in torch, in the order in which it is read.
struct BotanBlock {
  const float *panels;    // [64 / panel, 64 inputs, panel]
  const uint32_t
      *pairs;    // [32 pairs of inputs, 64], bfloat16; the first of a pair in the low half
};

// The network; the equations are those of lammps_botan/model.py.
struct BotanNetwork {
  const float *encoder_first;    // [3, 64]
  const float *encoder_first_bias;
  BotanBlock encoder_second;
  const float *encoder_second_bias;

  BotanBlock from_neighbor, from_center, from_edge, from_constant;    // first layer of MLP_e
  const float *edge_first_bias;
  BotanBlock edge_second;
  const float *edge_second_bias;

  BotanBlock from_node, from_received;    // first layer of MLP_v
  BotanBlock node_second;
  const float *node_second_bias;

  BotanBlock decoder_first;
  const float *decoder_first_bias;
  BotanBlock decoder_second;
  const float *decoder_second_bias;
  const float *output;    // [64]
  float output_bias;
};

// One graph being scored. Local nodes come first. What is kept of edges is in numbers of the
// kernels.
struct BotanState {
  const int64_t *species;        // [n_nodes]
  const int64_t *first_edge;     // [n_local + 1]; those that arrive at a node stand together
  const int32_t *neighbor;       // [n_edges]
  const float *vectors;          // [n_edges, 3]
  const float *node_constant;    // [n_species, 64], h_v^0 in the first layer of MLP_v, with bias
  float *node;                   // [n_nodes, 64], h_v^m
  float *sent;                   // [n_nodes, 64], h_v^m in the first layer of MLP_e, as neighbor
  void *edge;                    // [n_edges, 64], h_e^m
  void *edge_constant;           // [n_edges, 64], h_e^0 in the first layer of MLP_e, with bias
  float *node_out, *edge_out;    // [n_local], [n_edges], written in the last round
};

// Ranges of nodes end before `last`; every thread has its own.
struct BotanKernels {
  const char *name;
  int panel;         // columns of a panel
  int edge_bytes;    // of a number kept of edges
  void (*send)(const BotanNetwork &, const BotanState &, long first, long last);
  // local nodes and the edges that arrive at them
  void (*receive)(const BotanNetwork &, const BotanState &, long first, long last, bool first_round,
                  bool last_round);
};

extern const BotanKernels botan_kernels_portable;
#ifdef BOTAN_X86
extern const BotanKernels botan_kernels_avx2;
extern const BotanKernels botan_kernels_avx512;
#endif
#ifdef BOTAN_BFLOAT16
extern const BotanKernels botan_kernels_avx512_bf16;
#endif

#endif

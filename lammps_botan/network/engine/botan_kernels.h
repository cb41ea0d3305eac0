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

// The layers of an encoder, and the block of the first layer of MLP_v or MLP_e that acts on what it
// gives, with the bias.
struct BotanEncoder {
  int inputs;
  const float *first;    // [inputs, 64]
  const float *first_bias;
  BotanBlock second;
  const float *second_bias;
  BotanBlock constant;
  const float *constant_bias;
};

// The network; the equations are those of lammps_botan/network/botan.py.
struct BotanNetwork {
  BotanEncoder nodes, edges;

  BotanBlock from_neighbor, from_center, from_edge;    // first layer of MLP_e
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
  const int64_t *kind;           // [n_local], rows of node_constant
  const int64_t *first_edge;     // [n_local + 1]; those that arrive at a node stand together
  const int32_t *neighbor;       // [n_edges]
  const float *vectors;          // [n_edges, 3]
  float pair_range;              // pairs at least so long get no output, but NaN
  const float *of_edges;         // [n_edges, inputs of their encoder]
  const float *node_constant;    // [kinds, 64], h_v^0 in the first layer of MLP_v, with bias
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
  // h_v^0 and node_constant from what the encoder of nodes is given, [.., its inputs]
  void (*encode)(const BotanNetwork &, const float *of_nodes, float *node, float *constant,
                 long first, long last);
  void (*send)(const BotanNetwork &, const BotanState &, long first, long last);
  // local nodes and the edges that arrive at them
  void (*receive)(const BotanNetwork &, const BotanState &, long first, long last, bool first_round,
                  bool last_round);
};

// `kept`: numbers of edges are kept in bfloat16 and computed with in float32
extern const BotanKernels botan_kernels_portable, botan_kernels_portable_kept;
#ifdef BOTAN_X86
extern const BotanKernels botan_kernels_avx2, botan_kernels_avx2_kept;
extern const BotanKernels botan_kernels_avx512, botan_kernels_avx512_kept;
#endif
// products of bfloat16 numbers, too
#ifdef BOTAN_BFLOAT16
extern const BotanKernels botan_kernels_avx512_bf16;
#endif

#endif

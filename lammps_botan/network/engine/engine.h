/* BOTAN on a CPU, in a library that knows neither torch nor LAMMPS: the fix
   (plugin/engine_model.cpp) and the Scorer (engine/scoring.py) compute through these functions.

   One scoring is: encode, step, [rows of ghosts in botan_engine_node refreshed, step] .... What
   encode was given must live until the last step. Matrices are row-major.
*/

#ifndef BOTAN_ENGINE_H
#define BOTAN_ENGINE_H

#include <cstdint>

#define BOTAN_EXPORT extern "C" __attribute__((visibility("default")))

struct BotanEngine;

// of a network: weight and bias of node_encoder.fc1, node_encoder.fc2, edge_encoder.fc1,
// edge_encoder.fc2, node_model.fc1, node_model.fc2, edge_model.fc1, edge_model.fc2, decoder.fc1,
// decoder.fc2 and output
constexpr long BOTAN_N_WEIGHTS = 22;

/* The weights, [networks, 22] addresses, are copied; the inputs are the columns of node_encoder.fc1
   and of edge_encoder.fc1. Several networks are a committee: outputs are their mean and their
   standard deviation. Null if the environment variable LAMMPS_BOTAN_ENGINE is "torch"; null, and
   what is wrong in `message`, if it asks for what there is not here, or `bfloat16` does. */
BOTAN_EXPORT BotanEngine *botan_engine_create(long networks, long inputs_of_nodes,
                                              long inputs_of_edges, const float *const *weights,
                                              long rounds, long bfloat16, const char **message);
BOTAN_EXPORT void botan_engine_delete(BotanEngine *engine);

// avx512_bf16, avx512, avx2 or portable
BOTAN_EXPORT const char *botan_engine_instructions(const BotanEngine *engine);
// bytes, kept for the next graph
BOTAN_EXPORT double botan_engine_memory_usage(const BotanEngine *engine);
BOTAN_EXPORT void botan_engine_release_memory(BotanEngine *engine);

/* species [n_nodes], local nodes first; first_edge [n_local + 1], where the edges that arrive at
   each node begin; neighbor [n_edges]. What the encoders are given, for each network:
   of_edges [n_edges, inputs of edges]; of_nodes [n_local, inputs of nodes], or null where nodes are
   told their species only: its number where there is one input, else one-hot, and a species must be
   less than the inputs then. With of_nodes the rows of ghosts must be refreshed before the first
   step as well. The last step writes the outputs [n_local, 1] and [n_edges, 1], of a committee
   [n_local, 2] and [n_edges, 2]. False if there is not enough memory. */
BOTAN_EXPORT bool botan_engine_encode(BotanEngine *engine, long threads, long n_local, long n_nodes,
                                      const int64_t *species, const int64_t *first_edge,
                                      const int32_t *neighbor, const float *const *of_edges,
                                      const float *const *of_nodes, float *node_out,
                                      float *edge_out);
BOTAN_EXPORT void botan_engine_step(BotanEngine *engine);
BOTAN_EXPORT float *botan_engine_node(BotanEngine *engine);    // [n_nodes, 64 networks]

#endif

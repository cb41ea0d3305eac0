/* Networks on a CPU, in a library that knows neither torch nor LAMMPS: the fix
   (plugin/engine_model.cpp) and the Predictor (engine/scoring.py) compute through these functions.

   One scoring is: encode, step, [rows of ghosts in botan_engine_node refreshed, step] .... With
   inputs the rows of ghosts are refreshed before the first step as well. Matrices are row-major.
*/

#ifndef BOTAN_ENGINE_H
#define BOTAN_ENGINE_H

#include "graph.h"

#define BOTAN_EXPORT extern "C" __attribute__((visibility("default")))

struct BotanEngine;

struct BotanSetting {
  const char *name;
  double value;
};

struct BotanTensor {
  const char *name;
  int64_t n_dimensions;
  const int64_t *shape;
  const float *numbers;
};

// of a model file; names and meaning of settings and tensors are those of the kind in
// lammps_botan/network
struct BotanGivenNetwork {
  const char *kind;    // such as "botan"
  int64_t n_settings;
  const BotanSetting *settings;
  int64_t n_tensors;
  const BotanTensor *tensors;
};

struct BotanEngineSizes {
  int64_t rounds;    // number of calls of step
  int64_t width;     // columns of the node state
  int64_t node_outputs, edge_outputs;
};

/* Weights are copied. Several networks are a committee: outputs are their means, then their
   standard deviations. Null, and what is wrong in `message`, which stands until the next call, if
   the engine does not know such a network (`known` is false then), if settings and tensors do not
   fit, or if processor or environment variable LAMMPS_BOTAN_ENGINE do not allow it. */
BOTAN_EXPORT BotanEngine *botan_engine_create(int64_t n_networks, const BotanGivenNetwork *networks,
                                              bool bfloat16, bool *known, const char **message);
BOTAN_EXPORT void botan_engine_delete(BotanEngine *engine);

BOTAN_EXPORT void botan_engine_sizes(const BotanEngine *engine, BotanEngineSizes *sizes);
// those that an engine of float32 would have; null, and what is wrong in `message`, if the
// environment variable LAMMPS_BOTAN_ENGINE asks for others than there are
BOTAN_EXPORT const char *botan_engine_find_instructions(const char **message);
// avx512, avx2 or portable, with +bfloat16 where numbers on edges are kept in it; or avx512_bf16,
// which multiplies such numbers
BOTAN_EXPORT const char *botan_engine_instructions(const BotanEngine *engine);
// bytes, kept for the next graph
BOTAN_EXPORT double botan_engine_memory_usage(const BotanEngine *engine);
BOTAN_EXPORT void botan_engine_release_memory(BotanEngine *engine);

// the arrays of the graph must live until the last step; false if there is not enough memory
BOTAN_EXPORT bool botan_engine_encode(BotanEngine *engine, const EngineGraph *graph);
// the last step writes the outputs, [n_local, node_outputs] and [n_edges, edge_outputs]; false if
// there is not enough memory
BOTAN_EXPORT bool botan_engine_step(BotanEngine *engine, float *node_out, float *edge_out);
BOTAN_EXPORT float *botan_engine_node(BotanEngine *engine);    // [n_nodes, width]

#endif

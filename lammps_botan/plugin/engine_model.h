/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// A network in the compiled engine, which knows neither torch nor LAMMPS.

#ifndef BOTAN_ENGINE_MODEL_H
#define BOTAN_ENGINE_MODEL_H

#include "botan_model.h"

#include <functional>

struct NamedWeights {
  std::string name;
  std::vector<int64_t> shape;
  const float *numbers;
};

// what the encoders of one network are given, row-major
struct EncoderInputs {
  std::vector<float> of_nodes;    // [n_local, inputs of node_encoder]
  std::vector<float> of_edges;    // [n_edges, inputs of edge_encoder]
};

// makes those of each network from a graph, and returns what went wrong, or an empty string
using Describe = std::function<std::string(const BotanGraph &, std::vector<EncoderInputs> &)>;

// with metadata and fallback of `torch`, whose weights these are; null, without a message, if they
// are not those of BOTAN or of several as a committee, or the engine is not wanted; networks
// without inputs need no `describe`
BotanModel *create_engine_model(const std::vector<NamedWeights> &, const BotanModel &torch,
                                const BotanSizes &, Describe describe, int threads, bool bfloat16,
                                std::string *message);

#endif

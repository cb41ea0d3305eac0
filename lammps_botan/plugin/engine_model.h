/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// A network in the compiled engine, which knows neither torch nor LAMMPS.

#ifndef BOTAN_ENGINE_MODEL_H
#define BOTAN_ENGINE_MODEL_H

#include "botan_model.h"

struct NamedWeights {
  std::string name;
  std::vector<int64_t> shape;
  const float *numbers;
};

// null, without a message, if these are not the weights of BOTAN or of several as a committee, or
// the engine is not wanted
BotanModel *create_engine_model(const std::vector<NamedWeights> &, const std::string &metadata,
                                const BotanSizes &, int threads, bool bfloat16,
                                std::string *message);

#endif

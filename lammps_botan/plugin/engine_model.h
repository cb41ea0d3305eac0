/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// A network in the compiled engine, which knows neither torch nor LAMMPS.

#ifndef BOTAN_ENGINE_MODEL_H
#define BOTAN_ENGINE_MODEL_H

#include "botan_model.h"
#include "model_weights.h"

#include <memory>

// null, and what is wrong in `message`, where the engine cannot compute them; `known` is whether it
// knows such networks
std::unique_ptr<BotanModel> make_engine_model(const ModelWeights &, bool bfloat16, int threads,
                                              bool &known, std::string &message);

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// From the word in the input script to a model in memory, on all ranks or on none.

#ifndef BOTAN_MODEL_LOADER_H
#define BOTAN_MODEL_LOADER_H

#include "botan_model.h"
#include "fix_botan_arguments.h"
#include "model_metadata.h"

#include <memory>

namespace LAMMPS_NS {

// a network and what the file says of it
struct LoadedModel {
  ModelMetadata metadata;
  std::unique_ptr<BotanModel> model;    // null where there is none
};

// the word is the path of a file, or the name of a model that came with the package; `fallback` is
// the model inside it that predicts until the history is full
LoadedModel load_model(class LAMMPS *, const FixBotanArguments &, LoadedModel &fallback);

}    // namespace LAMMPS_NS

#endif

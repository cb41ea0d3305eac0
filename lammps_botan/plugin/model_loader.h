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

// the word is the path of a file, or the name of a model that came with the package
std::unique_ptr<BotanModel> load_model(class LAMMPS *, const FixBotanArguments &, ModelMetadata &);

// that of a model with these metadata, or null where the model file has none
std::unique_ptr<BotanModel> load_fallback(class LAMMPS *, const FixBotanArguments &,
                                          const BotanModel &, const ModelMetadata &,
                                          ModelMetadata &of_fallback);

}    // namespace LAMMPS_NS

#endif

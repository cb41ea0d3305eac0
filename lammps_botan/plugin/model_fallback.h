/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The model inside a model file that predicts until the history is full
// (docs/reference/model_file.md).

#ifndef BOTAN_MODEL_FALLBACK_H
#define BOTAN_MODEL_FALLBACK_H

#include "model_metadata.h"

#include <string>

// returns why a model cannot be the fallback of another one, or an empty string
std::string check_fallback(const ModelMetadata &model, const ModelMetadata &fallback);

#endif

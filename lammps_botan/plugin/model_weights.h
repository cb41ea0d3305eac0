/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The plain weights of a model file, weights.safetensors (docs/reference/model_file.md).

#ifndef BOTAN_MODEL_WEIGHTS_H
#define BOTAN_MODEL_WEIGHTS_H

#include "model_metadata.h"

#include "../network/engine/engine.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

// what the engine is given; it refers to parts of itself
class ModelWeights {
 public:
  ModelWeights() = default;
  ModelWeights(const ModelWeights &) = delete;
  ModelWeights &operator=(const ModelWeights &) = delete;

  // of all networks that the metadata name; returns what is wrong, or an empty string
  std::string read(std::string_view safetensors, const ModelMetadata &metadata);
  const std::vector<BotanGivenNetwork> &networks() const { return given; }

 private:
  std::deque<std::string> names;
  std::deque<std::vector<int64_t>> shapes;
  std::vector<float> numbers;
  std::vector<std::vector<BotanSetting>> settings;
  std::vector<std::vector<BotanTensor>> tensors;
  std::vector<BotanGivenNetwork> given;

  const char *keep(const std::string &name);
  void read_settings(const ModelMetadata &);
  void read_tensors(std::string_view);
};

#endif

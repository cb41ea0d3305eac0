/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What libFuzzer gives to the parsers of metadata.json, of plain weights and of archives, to the
// checksum of model files, and then to the engine. It looks for input that takes new ways through the
// code.

#include "small_graph.h"
#include "usable.h"

#include "archive.h"
#include "checksum.h"
#include "model_weights.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace {

struct Model {
  ModelMetadata metadata;
  std::string weights;
};

// whose paths are in the environment variable MODELS: what is given is read together with the
// other part of each of them
std::vector<Model> read_models()
{
  std::vector<Model> models;
  std::istringstream paths(std::getenv("MODELS"));
  for (std::string path; paths >> path;) {
    std::ifstream file(path, std::ios::binary);
    const std::string archive{std::istreambuf_iterator<char>(file),
                              std::istreambuf_iterator<char>()};
    Model &model = models.emplace_back();
    const std::string text(extra_file(archive, "metadata.json"));
    if (!parse_metadata(text, model.metadata).empty()) std::abort();
    model.weights = extra_file(archive, "weights.safetensors");
  }
  return models;
}

void score(const std::string &weights, const ModelMetadata &metadata)
{
  ModelWeights read;
  if (read.read(weights, metadata).empty()) score_small_graph(read);
}

}    // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  static const std::vector<Model> models = read_models();
  const std::string text(reinterpret_cast<const char *>(bytes), size);
  ModelMetadata metadata;
  if (parse_metadata(text, metadata).empty()) {
    if (!is_usable(metadata)) std::abort();
    for (const Model &model : models) score(model.weights, metadata);
  }
  for (const Model &model : models) score(text, model.metadata);
  try {
    extra_file(text, "metadata.json");
  } catch (const std::runtime_error &) {    // refused
  }
  bool has_checksum = false;
  check_checksum(text, has_checksum);
  return 0;
}

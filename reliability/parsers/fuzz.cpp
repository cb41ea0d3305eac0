/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What libFuzzer gives to the parsers of metadata.json, of plain weights and of archives, and to
// the checksum of model files. It looks for input that takes new ways through the code.

#include "usable.h"

#include "archive.h"
#include "checksum.h"
#include "model_weights.h"

#include <cstdlib>
#include <stdexcept>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  const std::string text(reinterpret_cast<const char *>(bytes), size);
  ModelMetadata metadata;
  if (parse_metadata(text, metadata).empty() && !is_usable(metadata)) std::abort();
  metadata.networks.resize(2);
  ModelWeights weights;
  weights.read(text, metadata);
  try {
    extra_file(text, "metadata.json");
  } catch (const std::runtime_error &) {    // refused
  }
  bool has_checksum = false;
  check_checksum(text, has_checksum);
  return 0;
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What libFuzzer gives to the parser of metadata.json, and to the checksum of model files. It looks
// for input that takes new ways through the code.

#include "usable.h"

#include "checksum.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  const std::string text(reinterpret_cast<const char *>(bytes), size);
  ModelMetadata metadata;
  if (parse_metadata(text, metadata).empty() && !is_usable(metadata)) std::abort();
  bool has_checksum = false;
  check_checksum(text, has_checksum);
  return 0;
}

#include "instructions.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace {

Instructions find_in_float32()
{
  const char *given = std::getenv("LAMMPS_BOTAN_ENGINE");
  std::string wanted = given ? given : "";
  if (wanted == "torch") wanted.clear();    // the caller's affair
#ifdef BOTAN_X86
  if (__builtin_cpu_supports("avx512f") && (wanted.empty() || wanted == "avx512"))
    return Instructions::AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      (wanted.empty() || wanted == "avx2"))
    return Instructions::AVX2;
#endif
  if (wanted.empty() || wanted == "portable") return Instructions::PORTABLE;
  throw std::invalid_argument("the environment variable LAMMPS_BOTAN_ENGINE must be avx512 or avx2 "
                              "(where the processor has "
                              "them), portable, torch, or unset, found '" +
                              wanted + "'");
}

}    // namespace

Instructions find_instructions(bool bfloat16)
{
  const Instructions found = find_in_float32();
  if (!bfloat16) return found;
  if (found == Instructions::PORTABLE) return Instructions::PORTABLE_BFLOAT16;
  if (found == Instructions::AVX2) return Instructions::AVX2_BFLOAT16;
#ifdef BOTAN_BFLOAT16
  if (__builtin_cpu_supports("avx512bf16")) return Instructions::AVX512_BF16;
#endif
  return Instructions::AVX512_BFLOAT16;
}

const char *instructions_name(Instructions instructions)
{
  switch (instructions) {
    case Instructions::AVX512_BF16:
      return "avx512_bf16";
    case Instructions::AVX512_BFLOAT16:
      return "avx512+bfloat16";
    case Instructions::AVX2_BFLOAT16:
      return "avx2+bfloat16";
    case Instructions::PORTABLE_BFLOAT16:
      return "portable+bfloat16";
    case Instructions::AVX512:
      return "avx512";
    case Instructions::AVX2:
      return "avx2";
    default:
      return "portable";
  }
}

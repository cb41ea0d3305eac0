#include "instructions.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

Instructions find_instructions(bool bfloat16)
{
  const char *given = std::getenv("LAMMPS_BOTAN_ENGINE");
  std::string wanted = given ? given : "";
  if (wanted == "torch") wanted.clear();    // the caller's affair
  const bool is_name =
      wanted.empty() || wanted == "avx512" || wanted == "avx2" || wanted == "portable";
  if (bfloat16 && is_name) {
#ifdef BOTAN_BFLOAT16
    if (__builtin_cpu_supports("avx512bf16")) return Instructions::AVX512_BF16;
#endif
    throw std::invalid_argument(
        "precision bfloat16 needs a processor with AVX-512 BF16 (Intel Sapphire Rapids, AMD Zen 4, "
        "or newer); use precision float32");
  }
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

const char *instructions_name(Instructions instructions)
{
  switch (instructions) {
    case Instructions::AVX512_BF16:
      return "avx512_bf16";
    case Instructions::AVX512:
      return "avx512";
    case Instructions::AVX2:
      return "avx2";
    default:
      return "portable";
  }
}

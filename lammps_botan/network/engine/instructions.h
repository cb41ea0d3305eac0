// Instructions that the engine uses.

#ifndef BOTAN_INSTRUCTIONS_H
#define BOTAN_INSTRUCTIONS_H

// the latter four keep numbers on edges in bfloat16, and the last one multiplies such numbers
enum class Instructions {
  PORTABLE,
  AVX2,
  AVX512,
  PORTABLE_BFLOAT16,
  AVX2_BFLOAT16,
  AVX512_BFLOAT16,
  AVX512_BF16
};

// the best that the processor has, or those that LAMMPS_BOTAN_ENGINE asks for; throws
// std::invalid_argument where they are not to be had
Instructions find_instructions(bool bfloat16);

inline bool keeps_bfloat16(Instructions instructions)
{
  return instructions >= Instructions::PORTABLE_BFLOAT16;
}

const char *instructions_name(Instructions);

#endif

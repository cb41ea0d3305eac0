// Instructions that the engine uses.

#ifndef BOTAN_INSTRUCTIONS_H
#define BOTAN_INSTRUCTIONS_H

// AVX512_BF16 is for products of bfloat16 numbers only: it is taken where these are asked for
enum class Instructions { PORTABLE, AVX2, AVX512, AVX512_BF16 };

// the best that the processor has, or those that LAMMPS_BOTAN_ENGINE asks for; throws
// std::invalid_argument where they are not to be had
Instructions find_instructions(bool bfloat16);

const char *instructions_name(Instructions);

#endif

/* Registers of floats, of the instructions that a file is compiled for.

   For files that are compiled once for each set of instructions: everything is internal to them.
*/

#ifndef BOTAN_REGISTERS_H
#define BOTAN_REGISTERS_H

#define INLINE __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX2__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int Integers __attribute__((vector_size(LANES * sizeof(int))));

// V may be another vector of floats
template <class V = Vector> INLINE inline V load(const float *from)
{
  typedef float Unaligned
      __attribute__((vector_size(sizeof(V)), aligned(sizeof(float)), may_alias));
  return *reinterpret_cast<const Unaligned *>(from);
}

template <class V> INLINE inline void store(float *to, V x)
{
  typedef float Unaligned
      __attribute__((vector_size(sizeof(V)), aligned(sizeof(float)), may_alias));
  *reinterpret_cast<Unaligned *>(to) = x;
}

template <class V = Vector> INLINE inline V all(float x)
{
  return x - V{};
}

}    // namespace

#endif

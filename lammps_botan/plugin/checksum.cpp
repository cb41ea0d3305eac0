/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "checksum.h"

#include "fmt/format.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

using Words = std::array<uint32_t, 8>;

static constexpr std::string_view TAG = "lammps-botan sha256 ";
static constexpr size_t LENGTH = TAG.size() + 64;    // of the comment
static constexpr size_t BLOCK = 64;

/* ----------------------------------------------------------------------
   constants of SHA-256: the first 32 bits of the fractional parts of roots of the first primes
------------------------------------------------------------------------- */

template <size_t N> static std::array<uint32_t, N> root_bits(long double (*root)(long double))
{
  std::array<uint32_t, N> bits{};
  size_t n = 0;
  for (int candidate = 2; n < N; candidate++) {
    bool prime = true;
    for (int d = 2; d * d <= candidate; d++) prime = prime && candidate % d != 0;
    if (!prime) continue;
    const long double value = root(candidate);
    bits[n++] = static_cast<uint32_t>((value - std::floor(value)) * 4294967296.0L);
  }
  return bits;
}

static const Words START = root_bits<8>(std::sqrt);
static const std::array<uint32_t, 64> K = root_bits<64>(std::cbrt);

/* ---------------------------------------------------------------------- */

static void add_block(Words &hash, const unsigned char *block)
{
  std::array<uint32_t, 64> w{};
  for (size_t t = 0; t < 16; t++)
    for (size_t k = 0; k < 4; k++) w[t] = w[t] << 8 | block[4 * t + k];
  for (size_t t = 16; t < 64; t++) {
    const uint32_t a = w[t - 15], b = w[t - 2];
    w[t] = w[t - 16] + w[t - 7] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) +
           (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
  }
  auto [a, b, c, d, e, f, g, h] = hash;
  for (size_t t = 0; t < 64; t++) {
    const uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                        ((e & f) ^ (~e & g)) + K[t] + w[t];
    const uint32_t t2 =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const Words added = {a, b, c, d, e, f, g, h};
  for (size_t k = 0; k < hash.size(); k++) hash[k] += added[k];
}

std::string sha256(std::string_view bytes)
{
  Words hash = START;
  const auto *data = reinterpret_cast<const unsigned char *>(bytes.data());
  const size_t whole = bytes.size() / BLOCK * BLOCK;
  for (size_t k = 0; k < whole; k += BLOCK) add_block(hash, data + k);

  // the rest, a one, zeros, and the number of bits
  std::array<unsigned char, 2 * BLOCK> rest{};
  const size_t n_rest = bytes.size() - whole;
  for (size_t k = 0; k < n_rest; k++) rest[k] = data[whole + k];
  rest[n_rest] = 0x80;
  const size_t n_padded = n_rest + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  const uint64_t n_bits = 8 * static_cast<uint64_t>(bytes.size());
  for (size_t k = 0; k < 8; k++)
    rest[n_padded - 1 - k] = static_cast<unsigned char>(n_bits >> 8 * k);
  for (size_t k = 0; k < n_padded; k += BLOCK) add_block(hash, rest.data() + k);

  std::string digits;
  for (const uint32_t word : hash) digits += fmt::format("{:08x}", word);
  return digits;
}

/* ---------------------------------------------------------------------- */

std::string check_checksum(std::string_view bytes, bool &found)
{
  found = bytes.size() >= LENGTH && bytes.substr(bytes.size() - LENGTH, TAG.size()) == TAG;
  if (!found) return "";
  const std::string_view expected = bytes.substr(bytes.size() - 64);
  const std::string computed = sha256(bytes.substr(0, bytes.size() - LENGTH));
  if (computed == expected) return "";
  return fmt::format("the file is damaged: its SHA-256 is {}..., and it was written with {}...; "
                     "copy it again from where it came from",
                     computed.substr(0, 16), expected.substr(0, 16));
}

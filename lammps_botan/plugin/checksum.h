/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The checksum of a model file, as lammps_botan/files/checksum.py: SHA-256 in the comment of the
// archive. libtorch does not compare the checksums that an archive has of its own.

#ifndef BOTAN_CHECKSUM_H
#define BOTAN_CHECKSUM_H

#include <string>
#include <string_view>

// 64 hexadecimal digits (FIPS 180-4)
std::string sha256(std::string_view bytes);

// returns why a file is damaged, or an empty string; `found` is whether it has a checksum
std::string check_checksum(std::string_view bytes, bool &found);

#endif

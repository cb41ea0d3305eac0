/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#ifndef BOTAN_READABLE_H
#define BOTAN_READABLE_H

#include "fmt/format.h"

#include <string>

// a text of a damaged file for a message: bytes that are no UTF-8, which Python could not read, are
// written as \xNN

inline std::string readable(const std::string &text)
{
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const unsigned char first = text[i];
    size_t n = 0;    // bytes of a letter
    if (first < 0x80) n = 1;
    if (first >= 0xC2 && first <= 0xDF) n = 2;
    if (first >= 0xE0 && first <= 0xEF) n = 3;
    if (first >= 0xF0 && first <= 0xF4) n = 4;
    bool whole = n > 0 && i + n <= text.size();
    for (size_t k = 1; whole && k < n; k++) whole = (text[i + k] & 0xC0) == 0x80;
    result += whole ? text.substr(i, n) : fmt::format("\\x{:02x}", first);
    i += whole ? n : 1;
  }
  return result;
}

#endif

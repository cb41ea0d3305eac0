/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The zip archive of a model file, as torch writes it: its files are stored, not compressed.

#ifndef BOTAN_ARCHIVE_H
#define BOTAN_ARCHIVE_H

#include <string>
#include <string_view>

// the content of .../extra/NAME in the archive, or nothing where there is no such file; throws
// std::runtime_error where the archive cannot be read
std::string_view extra_file(std::string_view archive, const std::string &name);

#endif

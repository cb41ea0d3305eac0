/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What the code in a model file may do, as lammps_botan/network/program.py: each operator that it
// names must be one of network/operators.txt, before torch loads the archive and runs code of it.

#ifndef BOTAN_TORCH_PROGRAM_H
#define BOTAN_TORCH_PROGRAM_H

#include <string_view>

// throws where the code names another operator, or the archive cannot be read
void check_program(std::string_view archive);

#endif

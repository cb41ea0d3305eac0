/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The words of a `fix botan` command, checked.

#ifndef FIX_BOTAN_ARGUMENTS_H
#define FIX_BOTAN_ARGUMENTS_H

#include <string>
#include <vector>

namespace LAMMPS_NS {

struct FixBotanArguments {
  // positions in: ID group botan N model A B ...
  enum { N = 3, MODEL = 4, SPECIES = 5 };

  int nevery;
  std::string model;
  double bonds = 0.0;    // 0: the longest bond of the mixture
  std::string device = "cpu";
  bool bfloat16 = false;
  int threads;
  bool verify = false;
  bool trust = false;    // the code in the model file may do more than compute

  FixBotanArguments(class LAMMPS *, int, char **);
};

// species of the model for each atom type, -1 for NULL; element 0 is not used
std::vector<int> map_species(class LAMMPS *, const std::vector<std::string> &species, char **arg);

}    // namespace LAMMPS_NS

#endif

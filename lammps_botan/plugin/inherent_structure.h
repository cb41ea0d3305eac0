/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The inherent structure of a running simulation: the minimum of the potential energy next to the
// configuration that it has now. A copy is minimized (simulation_copy.h); the run goes on as if it
// had not been.

#ifndef BOTAN_INHERENT_STRUCTURE_H
#define BOTAN_INHERENT_STRUCTURE_H

#include <string>
#include <vector>

namespace LAMMPS_NS {

struct InherentStructure {
  std::vector<double> displacement;    // [nlocal, 3], from the position of an atom to that there
  std::vector<double> energy;          // [nlocal], potential energy of an atom there
};

// collective; the minimization ends where no component of a force is larger than `force`, and
// moves no atom by more than a tenth of the `diameter` at once.
// returns why there is none, the same on all ranks, or an empty string
std::string find_inherent_structure(class LAMMPS *, double force, double diameter,
                                    InherentStructure &);

}    // namespace LAMMPS_NS

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Whether a configuration is as dense as the training of a model, as
// lammps_botan/network/number_density.py.

#ifndef BOTAN_NUMBER_DENSITY_H
#define BOTAN_NUMBER_DENSITY_H

#include <optional>
#include <string>
#include <vector>

namespace LAMMPS_NS {

// in words, on all MPI tasks; empty where N/V is like that of the training, and where it is not
// compared: it is not known, atoms are left out, or the box has an end, or a layer without atoms
// that is as thick as `gap`. inside: [nlocal]
std::string unlike_density(class LAMMPS *, const std::vector<char> &inside, double gap,
                           const std::optional<double> &trained);

}    // namespace LAMMPS_NS

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The number of edges that the graph of a configuration must have, from positions of local atoms
// and the box alone: neither ghost atoms nor the way of LAMMPS to spread atoms over ranks are used,
// so that an atom that is no ghost where it should be one is found out.

#ifndef BOTAN_EDGE_COUNT_H
#define BOTAN_EDGE_COUNT_H

#include "lmptype.h"

#include <vector>

namespace LAMMPS_NS {

// pairs whose distance is the cutoff, but for rounding, may count or not
struct EdgeCount {
  bigint least, most;
};

// over all ranks, which must call it together; atoms [nlocal] that are not `inside` have no edges
EdgeCount count_edges(class LAMMPS *, const std::vector<char> &inside, double cutoff);

}    // namespace LAMMPS_NS

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Coordinates that follow the box: fractions of its edges, so that a change of the box which takes
// the atoms along is no motion. Where shrink-wrapping sets a length of the box after the atoms, the
// coordinate is the position itself.

#ifndef BOTAN_BOX_COORDINATES_H
#define BOTAN_BOX_COORDINATES_H

#include "domain.h"

namespace LAMMPS_NS {

class BoxCoordinates {
 public:
  explicit BoxCoordinates(const Domain *domain)
  {
    for (int k = 0; k < 6; k++) h[k] = domain->h[k];
    for (int d = 0; d < 3; d++) {
      const bool is_wrapped = domain->boundary[d][0] > 1 || domain->boundary[d][1] > 1;
      low[d] = is_wrapped ? 0.0 : domain->boxlo[d];
      if (is_wrapped) h[d] = 1.0;
      inverse[d] = 1.0 / h[d];
    }
  }

  void of(const double *x, double *s) const
  {
    s[2] = (x[2] - low[2]) * inverse[2];
    s[1] = (x[1] - low[1] - h[3] * s[2]) * inverse[1];
    s[0] = (x[0] - low[0] - h[5] * s[1] - h[4] * s[2]) * inverse[0];
  }

  void to_vector(const double *s, double *v) const
  {
    v[0] = h[0] * s[0] + h[5] * s[1] + h[4] * s[2];
    v[1] = h[1] * s[1] + h[3] * s[2];
    v[2] = h[2] * s[2];
  }

  // trace of H C H^T for a symmetric C = xx yy zz yz xz xy
  double trace(const double *c) const
  {
    const double along_x = h[0] * h[0] * c[0] + h[5] * h[5] * c[1] + h[4] * h[4] * c[2] +
                           2.0 * (h[5] * h[4] * c[3] + h[0] * h[4] * c[4] + h[0] * h[5] * c[5]);
    const double along_y = h[1] * h[1] * c[1] + h[3] * h[3] * c[2] + 2.0 * h[1] * h[3] * c[3];
    return along_x + along_y + h[2] * h[2] * c[2];
  }

 private:
  double h[6], low[3], inverse[3];    // h: xx yy zz yz xz xy
};

}    // namespace LAMMPS_NS

#endif

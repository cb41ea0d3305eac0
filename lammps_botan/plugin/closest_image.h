/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The shortest periodic image of a vector, as Box.minimum_image in lammps_botan/structure/box.py.
// That of LAMMPS is the shortest one in orthogonal boxes only.

#ifndef BOTAN_CLOSEST_IMAGE_H
#define BOTAN_CLOSEST_IMAGE_H

#include "domain.h"

#include <algorithm>
#include <cmath>

namespace LAMMPS_NS {

class ClosestImage {
 public:
  explicit ClosestImage(const Domain *domain)
  {
    for (int k = 0; k < 6; k++) h[k] = domain->h[k];
    periodic[0] = domain->xperiodic;
    periodic[1] = domain->yperiodic;
    periodic[2] = domain->zperiodic;
    is_orthogonal = !domain->triclinic;
    // rows of the inverse of H; a row is as long as one over the height of the cell
    const double u = 1.0 / h[0], v = 1.0 / h[1], w = 1.0 / h[2];
    steepness[0] = std::hypot(u, h[5] * u * v, (h[5] * h[3] * v - h[4]) * u * w);
    steepness[1] = std::hypot(v, h[3] * v * w);
    steepness[2] = w;
  }

  double length(const double *vector) const
  {
    // the nearest image by fractions of the cell, from the last edge to the first
    double near[3] = {vector[0], vector[1], vector[2]};
    for (int d = 2; d >= 0; d--)
      if (periodic[d]) move(near, d, -std::rint(near[d] / h[d]));
    const double first = norm(near);
    const double steepest = std::max({steepness[0], steepness[1], steepness[2]});
    if (is_orthogonal || first * steepest <= 0.5) return first;
    int reach[3];
    for (int d = 0; d < 3; d++) {
      // a fraction moves by no more than this on the way to an image that is not longer
      const double most = 2.0 * first * steepness[d];
      reach[d] = periodic[d] ? static_cast<int>(most) : 0;
    }
    double shortest = first;
    for (int c = -reach[2]; c <= reach[2]; c++)
      for (int b = -reach[1]; b <= reach[1]; b++)
        for (int a = -reach[0]; a <= reach[0]; a++) {
          double image[3] = {near[0], near[1], near[2]};
          move(image, 2, c);
          move(image, 1, b);
          move(image, 0, a);
          shortest = std::min(shortest, norm(image));
        }
    return shortest;
  }

 private:
  double h[6];    // xx yy zz yz xz xy
  int periodic[3];
  bool is_orthogonal;
  double steepness[3];

  static double norm(const double *v) { return std::hypot(v[0], v[1], v[2]); }

  // by so many edges of direction d
  void move(double *v, int d, double n) const
  {
    v[d] += n * h[d];
    if (d == 1) v[0] += n * h[5];
    if (d == 2) {
      v[1] += n * h[3];
      v[0] += n * h[4];
    }
  }
};

}    // namespace LAMMPS_NS

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What plugin/closest_image.h knows of the box of LAMMPS.

#ifndef LMP_DOMAIN_H
#define LMP_DOMAIN_H

namespace LAMMPS_NS {

struct Domain {
  double h[6];    // xx yy zz yz xz xy
  int xperiodic, yperiodic, zperiodic;
  int triclinic;
};

}    // namespace LAMMPS_NS

#endif

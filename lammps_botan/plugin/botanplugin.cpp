/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Entry of the plugin: tells LAMMPS that there is a `fix botan`.

#include "fix_botan.h"
#include "lammps_interface.h"

using namespace LAMMPS_NS;

static void *create_fix_botan(void *lmp, int narg, char **arg)
{
  return static_cast<Fix *>(new FixBotan(static_cast<LAMMPS *>(lmp), narg, arg));
}

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void *lmp, void *handle,
                                                                         void *regfunc)
{
  lammpsplugin_t plugin = {};
  plugin.version = BOTAN_LAMMPS_VERSION;
  plugin.style = "fix";
  plugin.name = "botan";
  plugin.info = "propensity of glass-forming liquids from a graph network";
  plugin.author = "lammps-botan";
  plugin.creator.v2 = &create_fix_botan;
  plugin.handle = handle;
  reinterpret_cast<lammpsplugin_regfunc>(regfunc)(&plugin, lmp);
}

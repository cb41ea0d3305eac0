/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What Python calls of the plugin (lammps_botan/prediction/callbacks/inherent.py).

#include "inherent_structure.h"

#include "exceptions.h"
#include "lammps.h"
#include "utils.h"

#include <algorithm>
#include <cstdio>

using namespace LAMMPS_NS;

#define EXPORTED extern "C" __attribute__((visibility("default")))

// only an instance of this version may be handed over, such as 20250722
EXPORTED int botan_lammps_version()
{
  return utils::date2num(BOTAN_LAMMPS_VERSION);
}

/* ----------------------------------------------------------------------
   collective; displacement [nlocal, 3], energy [nlocal]; message [size] says what failed, or is
empty
------------------------------------------------------------------------- */

EXPORTED void botan_inherent_structure(void *handle, double force, double diameter,
                                       double *displacement, double *energy, char *message,
                                       int size)
{
  LAMMPS *lmp = static_cast<LAMMPS *>(handle);
  InherentStructure found;
  try {
    const std::string failure = find_inherent_structure(lmp, force, diameter, found);
    snprintf(message, size, "%s", failure.c_str());
  } catch (const LAMMPSAbortException &failure) {
    MPI_Abort(failure.get_universe(), 1);
  }
  std::copy(found.displacement.begin(), found.displacement.end(), displacement);
  std::copy(found.energy.begin(), found.energy.end(), energy);
}

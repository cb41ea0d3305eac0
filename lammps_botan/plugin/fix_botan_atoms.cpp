/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What fix botan keeps of each atom: it follows the atom in memory, from rank to rank and into
// restart files.

#include "fix_botan.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "memory.h"

#include <vector>

using namespace LAMMPS_NS;

static constexpr double RESTART_VERSION = 4.0;

/* ---------------------------------------------------------------------- */

void FixBotan::grow_arrays(int nmax)
{
  memory->grow(values, MAX(nmax, 1), metadata.sizes.node_outputs, "botan:values");
  if (size_peratom_cols == 0)
    vector_atom = values[0];
  else
    array_atom = values;
  if (trajectory) trajectory->resize(MAX(nmax, 1));
  if (verification) verification->atoms.resize(MAX(nmax, 1));
  if (history) history->atoms.resize(MAX(nmax, 1));
}

/* ---------------------------------------------------------------------- */

void FixBotan::copy_arrays(int i, int j, int /*delflag*/)
{
  for (int k = 0; k < metadata.sizes.node_outputs; k++) values[j][k] = values[i][k];
  if (trajectory) trajectory->copy(i, j);
  if (verification) verification->atoms.copy(i, j);
  if (history) history->atoms.copy(i, j);
}

/* ---------------------------------------------------------------------- */

void FixBotan::set_arrays(int i)
{
  for (int k = 0; k < metadata.sizes.node_outputs; k++) values[i][k] = 0.0;
  if (trajectory) trajectory->clear(i);
  if (verification) verification->atoms.clear(i);
  if (history) history->atoms.clear(i);
}

/* ----------------------------------------------------------------------
   doubles that an atom takes along at most
------------------------------------------------------------------------- */

void FixBotan::size_exchange()
{
  maxexchange = metadata.sizes.node_outputs;
  if (trajectory) maxexchange += Trajectory::PACKED_SIZE;
  if (verification) maxexchange += verification->max_packed_size();
  if (history) maxexchange += history->atoms.packed_size();
}

/* ---------------------------------------------------------------------- */

int FixBotan::pack_exchange(int i, double *buf)
{
  int m = 0;
  while (m < metadata.sizes.node_outputs) {
    buf[m] = values[i][m];
    m++;
  }
  if (trajectory) m += trajectory->pack(i, buf + m);
  if (verification) m += verification->atoms.pack(i, buf + m);
  if (history) m += history->atoms.pack(i, buf + m);
  return m;
}

/* ---------------------------------------------------------------------- */

int FixBotan::unpack_exchange(int i, double *buf)
{
  int m = 0;
  while (m < metadata.sizes.node_outputs) {
    values[i][m] = buf[m];
    m++;
  }
  if (trajectory) m += trajectory->unpack(i, buf + m);
  if (verification) m += verification->atoms.unpack(i, buf + m);
  if (history) m += history->atoms.unpack(i, buf + m);
  return m;
}

/* ----------------------------------------------------------------------
   global: the version; then trajectory, verification and history, each as the number of its
doubles, 0 where there is none, and these
------------------------------------------------------------------------- */

void FixBotan::write_restart(FILE *file)
{
  if (comm->me != 0) return;
  std::vector<double> state = {RESTART_VERSION};
  const auto add = [&state](const std::vector<double> &section) {
    state.push_back(static_cast<double>(section.size()));
    state.insert(state.end(), section.begin(), section.end());
  };
  add(trajectory->state());
  add(verification ? verification->state() : std::vector<double>());
  add(history ? history->state() : std::vector<double>());
  const int size = static_cast<int>(state.size() * sizeof(double));
  fwrite(&size, sizeof(int), 1, file);
  fwrite(state.data(), sizeof(double), state.size(), file);
}

/* ----------------------------------------------------------------------
   called for every fix of the same ID, also for one that keeps nothing
------------------------------------------------------------------------- */

void FixBotan::restart(char *buf)
{
  if (!trajectory) return;
  const auto *numbers = reinterpret_cast<double *>(buf);
  const bool readable = *numbers++ == RESTART_VERSION;
  const auto section = [&numbers] {
    const double *found = numbers + 1;
    const bool is_there = *numbers > 0.0;
    numbers = found + static_cast<int>(*numbers);
    return is_there ? found : nullptr;
  };
  const double *of_verification = nullptr, *of_history = nullptr;
  if (readable) {
    trajectory->restore(section());
    of_verification = section();
    of_history = section();
  }
  verification_restored = verification && of_verification && verification->restore(of_verification);
  history_restored = history && of_history && history->restore(of_history);
  if (comm->me == 0) {
    if (verification && !verification_restored && (of_verification || !readable))
      error->warning(FLERR,
                     "Fix botan: the restart file holds predictions of another model or of another "
                     "version of this fix, which will not be verified");
    if (history && !history_restored && (of_history || !readable))
      error->warning(
          FLERR, "Fix botan: the restart file holds the history of another window or of another "
                 "version of this fix; the history of the atoms begins anew");
  }
  size_exchange();
}

/* ----------------------------------------------------------------------
   of an atom: the number of doubles, the trajectory, and two sections that begin with their size
------------------------------------------------------------------------- */

int FixBotan::pack_restart(int i, double *buf)
{
  const auto pack_nothing = [](double *section) {
    section[0] = 1.0;
    return 1;
  };
  int m = 1;
  m += trajectory->pack_restart(i, buf + m);
  m += verification ? verification->atoms.pack(i, buf + m) : pack_nothing(buf + m);
  m += history ? history->atoms.pack(i, buf + m) : pack_nothing(buf + m);
  buf[0] = m;
  return m;
}

/* ---------------------------------------------------------------------- */

void FixBotan::unpack_restart(int i, int nth)
{
  const double *record = atom->extra[i];
  for (int k = 0; k < nth; k++) record += static_cast<int>(*record);
  // a file of another version is not understood
  if (!trajectory || !trajectory->is_between_runs()) return;
  record++;
  record += trajectory->unpack(i, record);
  if (verification_restored) verification->atoms.unpack(i, record);
  record += static_cast<int>(*record);
  if (history_restored) history->atoms.unpack(i, record);
}

/* ---------------------------------------------------------------------- */

int FixBotan::size_restart(int i)
{
  return 1 + Trajectory::PACKED_SIZE + (verification ? verification->atoms.packed_size(i) : 1) +
         (history ? history->atoms.packed_size() : 1);
}

/* ---------------------------------------------------------------------- */

int FixBotan::maxsize_restart()
{
  return 1 + Trajectory::PACKED_SIZE + (verification ? verification->max_packed_size() : 1) +
         (history ? history->atoms.packed_size() : 1);
}

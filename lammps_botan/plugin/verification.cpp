/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "verification.h"

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "update.h"

#include <cmath>

using namespace LAMMPS_NS;

static constexpr double STATE_VERSION = 2.0;

Verification::Verification(LAMMPS *lmp, double lag) :
    Pointers(lmp), lag_time(lag), rho_atoms(std::nan("")), rho_bonds(std::nan("")), n_verified(0),
    n_begun(0), clock(0.0), offset(0.0), stride(0.0), replaying(false), between_runs(false)
{
}

/* ---------------------------------------------------------------------- */

double Verification::simulated_time() const
{
  return update->atime + (update->ntimestep - update->atimestep) * update->dt;
}

/* ----------------------------------------------------------------------
   reset_timestep and read_restart may have changed the time of LAMMPS
------------------------------------------------------------------------- */

void Verification::start_run()
{
  const bool was_between_runs = between_runs;
  if (between_runs) drop_if_moved();
  between_runs = false;
  // a snapshot of rerun: time has passed since the one before
  if (update->ntimestep != update->firststep) {
    replaying = true;
    go_on();
    return;
  }
  if (replaying)
    forget();
  else if (!was_between_runs)
    drop("the run before did not come to its end");
  replaying = false;
  offset = clock - simulated_time();
  stride = 0.0;
}

/* ---------------------------------------------------------------------- */

void Verification::go_on()
{
  between_runs = false;    // after `run ... pre no`, which has no setup
  const double before = clock;
  clock = simulated_time() + offset;
  stride = replaying ? update->dt : clock - before;
  // another file, or frames that are not in order
  if (clock < before) forget();
}

/* ---------------------------------------------------------------------- */

void Verification::end_run()
{
  for (int i = 0; i < atom->nlocal; i++) atoms.leave(i, unwrapped(i));
  between_runs = true;
}

/* ---------------------------------------------------------------------- */

PredictedAtoms::Place Verification::unwrapped(int i) const
{
  PredictedAtoms::Place place;
  domain->unmap(atom->x[i], atom->image[i], place.data());
  return place;
}

/* ----------------------------------------------------------------------
   commands like read_dump, displace_atoms, change_box or `set image` end the trajectory that was
   predicted, also where they move atoms for which there is no prediction
------------------------------------------------------------------------- */

void Verification::drop_if_moved()
{
  if (pending.empty()) return;
  const double length = MAX(domain->xprd, MAX(domain->yprd, domain->zprd));
  bigint counts[2] = {0, 0};    // atoms moved, atoms with a prediction
  for (int i = 0; i < atom->nlocal; i++) {
    const PredictedAtoms::Place now = unwrapped(i), &before = atoms.place(i);
    bool moved = false;
    // wrapping rounds; an atom that is new since the last run has no place before
    for (int d = 0; d < 3; d++)
      moved = moved || std::fabs(now[d] - before[d]) > 1e-10 * (length + std::fabs(now[d]));
    counts[0] += moved;
    counts[1] += !atoms.empty(i);
  }
  MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPI_LMP_BIGINT, MPI_SUM, world);
  if (counts[0] > 0)
    drop(fmt::format("{} atom(s) are not where the last run left them", counts[0]));
  else if (counts[1] == 0)
    drop("none of their atoms is left");
}

/* ---------------------------------------------------------------------- */

bool Verification::has_room() const
{
  const double rounding = 1e-6 * update->dt;
  return pending.empty() || (pending.size() < MAX_PENDING &&
                             clock - pending.back().begin >= lag_time / MAX_PENDING - rounding);
}

/* ---------------------------------------------------------------------- */

void Verification::begin(int most_bonds)
{
  MPI_Allreduce(MPI_IN_PLACE, &most_bonds, 1, MPI_INT, MPI_MAX, world);
  pending.push_back({n_begun++, clock, most_bonds});
}

/* ----------------------------------------------------------------------
   at the step that is nearest to the lag time
------------------------------------------------------------------------- */

void Verification::verify_due()
{
  while (!pending.empty()) {
    const Pending oldest = pending.front();
    const double late = clock - oldest.begin - lag_time;
    if (late < -0.5 * stride) return;
    // a run meets every step, rerun only those in its file
    if (!replaying || late < 0.5 * stride) {
      rho_atoms = pearson(compare_atoms(oldest.serial));
      rho_bonds = pearson(compare_bonds(oldest.serial));
      n_verified++;
    }
    atoms.erase(oldest.serial);
    pending.pop_front();
  }
}

/* ---------------------------------------------------------------------- */

void Verification::forget()
{
  pending.clear();
  atoms.erase_all();
}

/* ---------------------------------------------------------------------- */

void Verification::drop(const std::string &reason)
{
  if (pending.empty()) return;
  if (comm->me == 0)
    error->warning(FLERR, "Fix botan: {} prediction(s) will not be verified: {}", pending.size(),
                   reason);
  forget();
}

/* ---------------------------------------------------------------------- */

int Verification::max_packed_size() const
{
  std::vector<int> n_bonds;
  for (const Pending &prediction : pending) n_bonds.push_back(prediction.most_bonds);
  return PredictedAtoms::packed_size(n_bonds);
}

/* ----------------------------------------------------------------------
   a file that is written while the run goes on holds the places of that step
------------------------------------------------------------------------- */

int Verification::pack_restart(int i, double *buf)
{
  if (!between_runs) atoms.leave(i, unwrapped(i));
  return atoms.pack(i, buf);
}

/* ----------------------------------------------------------------------
   for restart files: everything but the atoms
------------------------------------------------------------------------- */

std::vector<double> Verification::state() const
{
  std::vector<double> numbers = {STATE_VERSION,
                                 lag_time,
                                 clock,
                                 rho_atoms,
                                 rho_bonds,
                                 static_cast<double>(n_verified),
                                 static_cast<double>(n_begun),
                                 static_cast<double>(pending.size())};
  for (const Pending &prediction : pending) {
    numbers.push_back(static_cast<double>(prediction.serial));
    numbers.push_back(prediction.begin);
    numbers.push_back(prediction.most_bonds);
  }
  return numbers;
}

/* ----------------------------------------------------------------------
   false: the file is of another plugin or of a model for another time, and nothing is taken from it
------------------------------------------------------------------------- */

bool Verification::restore(const double *numbers)
{
  if (numbers[0] != STATE_VERSION || numbers[1] != lag_time) return false;
  clock = numbers[2];
  rho_atoms = numbers[3];
  rho_bonds = numbers[4];
  n_verified = static_cast<bigint>(numbers[5]);
  n_begun = static_cast<bigint>(numbers[6]);
  const int n_pending = static_cast<int>(numbers[7]);
  for (const double *entry = numbers + 8; entry < numbers + 8 + 3 * n_pending; entry += 3)
    pending.push_back({static_cast<bigint>(entry[0]), entry[1], static_cast<int>(entry[2])});
  between_runs = true;
  return true;
}

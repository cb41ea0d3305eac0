/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "verification.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "update.h"

#include <cmath>

using namespace LAMMPS_NS;

Verification::Verification(LAMMPS *lmp, double lag, const Trajectory &of_atoms) :
    Pointers(lmp), lag_time(lag), rho_atoms(std::nan("")), rho_bonds(std::nan("")), n_verified(0),
    trajectory(of_atoms), n_begun(0), clock(0.0), offset(0.0), stride(0.0)
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
  if (!trajectory.broken().empty())
    drop(trajectory.broken());
  else if (!trajectory.is_replayed())
    drop_if_empty();
  if (trajectory.is_replayed()) {
    go_on();
    return;
  }
  if (trajectory.follows_replay()) forget();
  offset = clock - simulated_time();
  stride = 0.0;
}

/* ---------------------------------------------------------------------- */

void Verification::follow_clock()
{
  offset = clock - (simulated_time() - update->dt);
}

/* ---------------------------------------------------------------------- */

void Verification::go_on()
{
  const double before = clock;
  clock = simulated_time() + offset;
  stride = trajectory.is_replayed() ? update->dt : clock - before;
  // another file, or frames that are not in order
  if (clock < before) forget();
}

/* ---------------------------------------------------------------------- */

void Verification::drop_if_empty()
{
  if (pending.empty()) return;
  bigint n_predicted = 0;
  for (int i = 0; i < atom->nlocal; i++) n_predicted += !atoms.empty(i);
  MPI_Allreduce(MPI_IN_PLACE, &n_predicted, 1, MPI_LMP_BIGINT, MPI_SUM, world);
  if (n_predicted == 0) drop("none of their atoms is left");
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
    if (!trajectory.is_replayed() || late < 0.5 * stride) {
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
   for restart files: everything but the atoms
------------------------------------------------------------------------- */

std::vector<double> Verification::state() const
{
  std::vector<double> numbers = {lag_time,
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
   false: the file is of a model for another time, and nothing is taken from it
------------------------------------------------------------------------- */

bool Verification::restore(const double *numbers)
{
  if (numbers[0] != lag_time) return false;
  clock = numbers[1];
  rho_atoms = numbers[2];
  rho_bonds = numbers[3];
  n_verified = static_cast<bigint>(numbers[4]);
  n_begun = static_cast<bigint>(numbers[5]);
  const int n_pending = static_cast<int>(numbers[6]);
  for (const double *entry = numbers + 7; entry < numbers + 7 + 3 * n_pending; entry += 3)
    pending.push_back({static_cast<bigint>(entry[0]), entry[1], static_cast<int>(entry[2])});
  return true;
}

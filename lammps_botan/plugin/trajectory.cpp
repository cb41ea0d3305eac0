/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "trajectory.h"

#include "atom.h"
#include "domain.h"
#include "update.h"

#include <algorithm>
#include <cmath>

using namespace LAMMPS_NS;

// wrapping and restoring round
static constexpr double ROUNDING = 1e-10;

Trajectory::Trajectory(LAMMPS *lmp) :
    Pointers(lmp), left_box(), between_runs(false), replaying(false), after_replay(false),
    box_changed(false)
{
}

/* ---------------------------------------------------------------------- */

void Trajectory::start_run()
{
  const bool was_replaying = replaying;
  // a snapshot of rerun: time has passed since the one before
  replaying = update->ntimestep != update->firststep;
  after_replay = was_replaying && !replaying;
  box_changed = between_runs && is_changed_box();
  reason.clear();
  if (between_runs) {
    const bigint n = n_moved();
    if (n > 0) reason = fmt::format("{} atom(s) are not where the last run left them", n);
  } else if (!was_replaying && !replaying) {
    reason = "the run before did not come to its end";
  }
  between_runs = false;
}

/* ---------------------------------------------------------------------- */

void Trajectory::end_run()
{
  for (int i = 0; i < atom->nlocal; i++) left_at[i] = unwrapped(i);
  left_box = box();
  between_runs = true;
}

/* ---------------------------------------------------------------------- */

Trajectory::Place Trajectory::unwrapped(int i) const
{
  Place place;
  domain->unmap(atom->x[i], atom->image[i], place.data());
  return place;
}

/* ---------------------------------------------------------------------- */

Trajectory::Box Trajectory::box() const
{
  Box numbers;
  std::copy_n(domain->h, 6, numbers.begin());
  std::copy_n(domain->boxlo, 3, numbers.begin() + 6);
  return numbers;
}

/* ----------------------------------------------------------------------
   atoms that are new since the last run have no place before, and do not count
------------------------------------------------------------------------- */

bigint Trajectory::n_moved() const
{
  const double length = MAX(domain->xprd, MAX(domain->yprd, domain->zprd));
  bigint count = 0;
  for (int i = 0; i < atom->nlocal; i++) {
    const Place now = unwrapped(i);
    bool moved = false;
    for (int d = 0; d < 3; d++)
      moved = moved || std::fabs(now[d] - left_at[i][d]) > ROUNDING * (length + std::fabs(now[d]));
    count += moved;
  }
  MPI_Allreduce(MPI_IN_PLACE, &count, 1, MPI_LMP_BIGINT, MPI_SUM, world);
  return count;
}

/* ----------------------------------------------------------------------
   lengths that shrink-wrapping sets follow the atoms
------------------------------------------------------------------------- */

bool Trajectory::is_changed_box() const
{
  const Box now = box();
  const double length = MAX(domain->xprd, MAX(domain->yprd, domain->zprd));
  for (int k = 0; k < 9; k++) {
    const bool is_length = k < 3 || k >= 6;
    const int *sides = domain->boundary[k % 3];
    if (is_length && (sides[0] > 1 || sides[1] > 1)) continue;
    if (std::fabs(now[k] - left_box[k]) > ROUNDING * length) return true;
  }
  return false;
}

/* ---------------------------------------------------------------------- */

int Trajectory::pack(int i, double *buf) const
{
  std::copy_n(left_at[i].begin(), PACKED_SIZE, buf);
  return PACKED_SIZE;
}

/* ---------------------------------------------------------------------- */

int Trajectory::unpack(int i, const double *buf)
{
  std::copy_n(buf, PACKED_SIZE, left_at[i].begin());
  return PACKED_SIZE;
}

/* ----------------------------------------------------------------------
   a file that is written while the run goes on holds the places of that step
------------------------------------------------------------------------- */

int Trajectory::pack_restart(int i, double *buf)
{
  if (!between_runs) left_at[i] = unwrapped(i);
  return pack(i, buf);
}

/* ---------------------------------------------------------------------- */

std::vector<double> Trajectory::state() const
{
  const Box numbers = between_runs ? left_box : box();
  return {numbers.begin(), numbers.end()};
}

/* ---------------------------------------------------------------------- */

void Trajectory::restore(const double *numbers)
{
  std::copy_n(numbers, left_box.size(), left_box.begin());
  between_runs = true;
}

/* ---------------------------------------------------------------------- */

double Trajectory::memory_usage() const
{
  return static_cast<double>(left_at.capacity()) * sizeof(Place);
}

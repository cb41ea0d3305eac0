/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "history.h"

#include "box_coordinates.h"

#include "atom.h"
#include "comm.h"
#include "compute.h"
#include "domain.h"
#include "error.h"
#include "modify.h"
#include "update.h"

#include <algorithm>
#include <cmath>

using namespace LAMMPS_NS;

static constexpr double MOST_OFF = 0.1;    // of the interval

History::History(LAMMPS *lmp, const HistoryInput &given, const Trajectory &of_atoms,
                 const std::string &name) :
    Pointers(lmp), atoms(given.parts, given.samples_per_part), input(given), trajectory(of_atoms),
    compute_id(name), compute(nullptr), next_sample(-1), planned_stride(0), last_sample(-1),
    since_sample(NAN), even_samples(MAXBIGINT), gaps_told(false), ended_with_sample(false)
{
  std::copy_n(domain->h, 6, last_box.begin());
}

/* ---------------------------------------------------------------------- */

History::~History()
{
  if (has_compute && modify->get_compute_by_id(compute_id)) modify->delete_compute(compute_id);
}

/* ---------------------------------------------------------------------- */

void History::make_compute()
{
  modify->add_compute(compute_id + " all pe/atom");
  has_compute = true;
}

/* ---------------------------------------------------------------------- */

void History::init()
{
  compute = modify->get_compute_by_id(compute_id);
  if (!compute)
    error->all(FLERR, Error::NOLASTLINE,
               "Fix botan: compute {}, which gives energies to the history of atoms, is gone; "
               "remove `uncompute {}`",
               compute_id, compute_id);
  check_interval();
}

/* ---------------------------------------------------------------------- */

void History::check_interval() const
{
  const double interval = static_cast<double>(stride()) * update->dt;
  if (std::fabs(interval - input.interval) > MOST_OFF * input.interval)
    error->all(FLERR, Error::NOLASTLINE,
               "Fix botan: the model needs a sample of the atoms every {}, and with timestep {} "
               "samples are {} apart; write a `timestep` of which {} is a multiple",
               input.interval, update->dt, interval, input.interval);
}

/* ----------------------------------------------------------------------
   the positions of the first step of a run are those of the last step of the run before
------------------------------------------------------------------------- */

void History::start_run()
{
  if (!trajectory.broken().empty())
    drop(trajectory.broken());
  else if (trajectory.box_has_changed())
    drop("the box is not the one of the last run");
  if (trajectory.follows_replay()) forget();
  follow_flips();
  if (update->ntimestep % stride() == 0 && !ended_with_sample) sample();
  ended_with_sample = false;
  schedule();
}

/* ---------------------------------------------------------------------- */

void History::go_on(bool begins)
{
  ended_with_sample = false;    // after `run ... pre no`, which has no setup
  since_sample += update->dt;
  follow_flips();
  const bigint step = update->ntimestep;
  // energies are not there where reset_timestep came before `run ... pre no`
  const bool is_due = step == next_sample && step % stride() == 0 && update->eflag_atom == step;
  if (is_due) sample();
  // planned anew after a sample, and where steps are counted anew or have another length
  if (is_due || begins || step >= next_sample || stride() != planned_stride) schedule();
}

/* ---------------------------------------------------------------------- */

void History::end_run()
{
  ended_with_sample = is_sampled();
}

/* ---------------------------------------------------------------------- */

bool History::is_sampled() const
{
  return atoms.n_samples() > 0 && last_sample == update->ntimestep;
}

/* ---------------------------------------------------------------------- */

void History::drop(const std::string &reason)
{
  if (atoms.n_samples() == 0) return;
  if (comm->me == 0)
    error->warning(FLERR, "Fix botan: the history of the atoms begins anew: {}", reason);
  forget();
}

/* ---------------------------------------------------------------------- */

void History::forget()
{
  atoms.forget(atom->nlocal);
  ended_with_sample = false;
  even_samples = MAXBIGINT;
}

/* ---------------------------------------------------------------------- */

bigint History::stride() const
{
  return std::max<bigint>(1, std::llround(input.interval / update->dt));
}

/* ----------------------------------------------------------------------
   LAMMPS tallies energies of atoms only in steps that it was told before
------------------------------------------------------------------------- */

void History::schedule()
{
  check_interval();
  planned_stride = stride();
  next_sample = (update->ntimestep / planned_stride + 1) * planned_stride;
  compute->addstep(next_sample);
}

/* ----------------------------------------------------------------------
   steps of another length, or that are counted anew, make one gap of another length between
samples. a window with several such gaps is not the one that the model was trained with. this is
told once, until a window without them is full
------------------------------------------------------------------------- */

void History::watch_gaps()
{
  const bigint longest = atoms.samples_of_window() + input.samples_per_part;
  // a gap that is just allowed is a sum of timesteps, with its rounding
  if (!(std::fabs(since_sample - input.interval) > 1.01 * MOST_OFF * input.interval)) {
    even_samples = std::min(even_samples, longest) + 1;
    if (even_samples > longest && atoms.n_samples() > longest) gaps_told = false;
  } else if (even_samples > longest) {
    even_samples = 0;
  } else if (gaps_told) {
    forget();
  } else {
    gaps_told = true;
    drop(fmt::format("samples were {:.4g} apart in place of {:.4g}, more than once in a window; "
                     "was the timestep changed, or the step reset?",
                     since_sample, input.interval));
  }
}

/* ---------------------------------------------------------------------- */

void History::sample()
{
  const bigint step = update->ntimestep;
  if (trajectory.is_replayed()) {
    // a window with holes is not the one that the model was trained with
    if (step != last_sample + stride()) forget();
  } else if (atoms.n_samples() > 0) {
    watch_gaps();
  }
  if (compute->invoked_peratom != step) compute->compute_peratom();
  const BoxCoordinates coordinates(domain);
  double s[3];
  for (int i = 0; i < atom->nlocal; i++) {
    coordinates.of(atom->x[i], s);
    atoms.add(i, s, domain->periodicity, compute->vector_atom[i]);
  }
  atoms.end_sample();
  last_sample = step;
  since_sample = 0.0;
}

/* ----------------------------------------------------------------------
   fix deform and fix npt replace an edge of a box that is skewed too much by another edge of the
same lattice: b by b + n_xy a, c by c + n_yz b + n_xz a. no tilt changes by half of an edge in one
step otherwise
------------------------------------------------------------------------- */

void History::follow_flips()
{
  const double *h = domain->h;    // xx yy zz yz xz xy
  const double yz = std::rint((h[3] - last_box[3]) / h[1]);
  const double xz = std::rint((h[4] - last_box[4] - yz * last_box[5]) / h[0]);
  const double xy = std::rint((h[5] - last_box[5]) / h[0]);
  std::copy_n(h, 6, last_box.begin());
  if (yz == 0.0 && xz == 0.0 && xy == 0.0) return;
  const double matrix[3][3] = {{1.0, -xy, xy * yz - xz}, {0.0, 1.0, -yz}, {0.0, 0.0, 1.0}};
  atoms.transform(atom->nlocal, matrix);
}

/* ---------------------------------------------------------------------- */

bigint History::fewest_samples(const std::vector<char> &inside) const
{
  bigint fewest = atoms.n_samples();
  for (int i = 0; i < atom->nlocal; i++)
    if (inside[i]) fewest = MIN(fewest, atoms.n_samples_of(i));
  MPI_Allreduce(MPI_IN_PLACE, &fewest, 1, MPI_LMP_BIGINT, MPI_MIN, world);
  return fewest;
}

/* ---------------------------------------------------------------------- */

double History::share(bigint n_samples) const
{
  const double part =
      static_cast<double>(n_samples) / static_cast<double>(atoms.samples_of_window());
  return std::clamp(part, 0.0, 1.0);
}

/* ---------------------------------------------------------------------- */

bigint History::full_at(bigint n_samples) const
{
  return next_sample + (atoms.samples_of_window() - n_samples - 1) * stride();
}

/* ---------------------------------------------------------------------- */

History::Values History::values(int i) const
{
  const BoxCoordinates coordinates(domain);
  const HistoryParts::Average all = atoms.average(i);
  double s[3], to_mean[3];
  coordinates.of(atom->x[i], s);
  atoms.to_mean(i, all, s, domain->periodicity, to_mean);
  Values found;
  coordinates.to_vector(to_mean, found.displacement);
  // rounding can make a variance of nothing negative
  found.variance = MAX(coordinates.trace(all.covariance), 0.0);
  found.energy = all.energy;
  return found;
}

/* ---------------------------------------------------------------------- */

std::string History::in_words() const
{
  return fmt::format("keeps the history of each atom: {:g} in {} parts of {} samples, {} bytes per "
                     "atom",
                     input.window, input.parts, input.samples_per_part, atoms.bytes_per_atom());
}

/* ----------------------------------------------------------------------
   for restart files: everything but the atoms
------------------------------------------------------------------------- */

std::vector<double> History::state() const
{
  const bool counted = trajectory.is_between_runs() ? ended_with_sample : is_sampled();
  return {input.window,
          input.interval,
          static_cast<double>(input.parts),
          static_cast<double>(atoms.n_samples()),
          counted ? 1.0 : 0.0,
          since_sample,
          static_cast<double>(even_samples)};
}

/* ----------------------------------------------------------------------
   false: the file is of a model with another window, and nothing is taken from it
------------------------------------------------------------------------- */

bool History::restore(const double *numbers)
{
  if (numbers[0] != input.window || numbers[1] != input.interval || numbers[2] != input.parts)
    return false;
  atoms.restore(static_cast<bigint>(numbers[3]));
  ended_with_sample = numbers[4] == 1.0;
  since_sample = numbers[5];
  even_samples = numbers[6] < MAXSMALLINT ? static_cast<bigint>(numbers[6]) : MAXBIGINT;
  return true;
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "inherent_structure.h"

#include "rows_exchange.h"
#include "simulation_copy.h"

#include "atom.h"
#include "comm.h"
#include "compute.h"
#include "domain.h"
#include "error.h"
#include "exceptions.h"
#include "modify.h"
#include "update.h"

#include <cmath>

using namespace LAMMPS_NS;

static constexpr int MAX_ITERATIONS = 10000, MAX_EVALUATIONS = 100000;
static constexpr double ROUNDING = 1e-6;    // forces are computed anew after the minimization

// an atom of the copy on its way back
enum { INDEX, X, Y, Z, ENERGY, ROW_SIZE };

/* ---------------------------------------------------------------------- */

static double largest_force(SimulationCopy &copy)
{
  double largest = 0.0;
  for (int i = 0; i < copy->atom->nlocal; i++)
    for (int k = 0; k < 3; k++) largest = MAX(largest, fabs(copy->atom->f[i][k]));
  MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, copy->world);
  return largest;
}

/* ---------------------------------------------------------------------- */

static void minimize(SimulationCopy &copy, double force, double diameter)
{
  copy.command("compute energy all pe/atom");
  copy.command("min_style cg");
  copy.command(fmt::format("min_modify dmax {:.17g} norm inf", diameter / 10));
  copy.command(fmt::format("minimize 0 {:.17g} {} {}", force, MAX_ITERATIONS, MAX_EVALUATIONS));
  // LAMMPS reorders atoms at the end of a minimization, but not their energies
  copy.command("run 0 post no");
}

/* ---------------------------------------------------------------------- */

static void bring_back(LAMMPS *lmp, SimulationCopy &copy, InherentStructure &found)
{
  Compute *energy = copy->modify->get_compute_by_id("energy");
  energy->compute_peratom();
  std::vector<double> rows;
  std::vector<int> ranks;
  for (int i = 0; i < copy->atom->nlocal; i++) {
    const SimulationCopy::Origin origin = copy.origin(i);
    const double *x = copy->atom->x[i];
    ranks.push_back(origin.rank);
    rows.insert(rows.end(), {double(origin.index), x[0], x[1], x[2], energy->vector_atom[i]});
  }
  rows = exchange_rows(rows, ROW_SIZE, ranks, copy->world);

  const int n = lmp->atom->nlocal;
  found.displacement.assign(3 * static_cast<size_t>(n), 0.0);
  found.energy.assign(n, 0.0);
  for (size_t start = 0; start < rows.size(); start += ROW_SIZE) {
    const double *row = &rows[start];
    const int i = static_cast<int>(row[INDEX]);
    double *displacement = &found.displacement[3 * static_cast<size_t>(i)];
    for (int k = 0; k < 3; k++) displacement[k] = row[X + k] - lmp->atom->x[i][k];
    lmp->domain->minimum_image_big(FLERR, displacement);
    found.energy[i] = row[ENERGY];
  }
}

/* ---------------------------------------------------------------------- */

std::string LAMMPS_NS::find_inherent_structure(LAMMPS *lmp, double force, double diameter,
                                               InherentStructure &found)
{
  const std::string refusal = copy_refusal(lmp);
  if (!refusal.empty()) return "no inherent structure can be found: " + refusal;
  try {
    SimulationCopy copy(lmp);
    minimize(copy, force, diameter);
    const double largest = largest_force(copy);
    if (largest > force * (1.0 + ROUNDING) && lmp->comm->me == 0)
      lmp->error->warning(
          FLERR,
          "the minimization at step {} ended with a force of {:.3g}, larger than the "
          "{:.3g} that the model asks for",
          lmp->update->ntimestep, largest, force);
    bring_back(lmp, copy, found);
  } catch (const LAMMPSAbortException &failure) {
    // of this rank alone, for which the others wait
    lmp->error->one(FLERR, "the minimization of a copy failed: {}", failure.what());
  } catch (const LAMMPSException &failure) {
    // what LAMMPS calls the last input line is that of the copy
    const std::string text = failure.what();
    return fmt::format("the minimization of a copy failed at step {}: {}", lmp->update->ntimestep,
                       utils::trim(text.substr(0, text.find("Last input line"))));
  }
  return "";
}

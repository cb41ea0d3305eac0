/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "number_density.h"

#include "atom.h"
#include "domain.h"
#include "fmt/format.h"
#include "lammps.h"

#include <algorithm>
#include <cmath>

using namespace LAMMPS_NS;

static constexpr double ROUNDED = 0.005;      // relative
static constexpr double FLUCTUATION = 0.3;    // relative, times the square root of the number

/* ----------------------------------------------------------------------
   layers are at most half as thick as a gap, so that a gap holds one of them, wherever it lies
------------------------------------------------------------------------- */

static bool has_vacuum(LAMMPS *lmp, double gap)
{
  const Domain *domain = lmp->domain;
  const double *g = domain->h_inv;    // xx yy zz yz xz xy
  const double inverse_height[3] = {std::hypot(g[0], g[5], g[4]), std::hypot(g[1], g[3]), g[2]};
  int n_layers[3], first[3], n = 0;
  for (int d = 0; d < domain->dimension; d++) {
    // no more than atoms: then there is an empty one
    n_layers[d] = static_cast<int>(std::ceil(
        std::min(2.0 / (inverse_height[d] * gap), static_cast<double>(lmp->atom->natoms) + 1.0)));
    first[d] = n;
    n += n_layers[d];
  }
  std::vector<int> occupied(n, 0);
  for (int i = 0; i < lmp->atom->nlocal; i++) {
    double s[3];
    lmp->domain->x2lamda(lmp->atom->x[i], s);
    for (int d = 0; d < domain->dimension; d++)
      if (n_layers[d] > 0) {
        const int place = static_cast<int>((s[d] - std::floor(s[d])) * n_layers[d]);
        occupied[first[d] + std::min(place, n_layers[d] - 1)] = 1;
      }
  }
  MPI_Allreduce(MPI_IN_PLACE, occupied.data(), n, MPI_INT, MPI_MAX, lmp->world);
  return std::find(occupied.begin(), occupied.end(), 0) != occupied.end();
}

/* ---------------------------------------------------------------------- */

std::string LAMMPS_NS::unlike_density(LAMMPS *lmp, const std::vector<char> &inside, double gap,
                                      const std::optional<double> &trained)
{
  const Domain *domain = lmp->domain;
  const bool is_flat = domain->dimension == 2;
  if (!trained || !domain->xperiodic || !domain->yperiodic || !(domain->zperiodic || is_flat))
    return "";
  bigint numbers[2] = {static_cast<bigint>(inside.size()),
                       std::count(inside.begin(), inside.end(), 1)};
  MPI_Allreduce(MPI_IN_PLACE, numbers, 2, MPI_LMP_BIGINT, MPI_SUM, lmp->world);
  const auto n = static_cast<double>(numbers[1]);
  if (numbers[0] != numbers[1] || n == 0.0) return "";
  const double found = n / (domain->xprd * domain->yprd * (is_flat ? 1.0 : domain->zprd));
  const double most = ROUNDED + FLUCTUATION / std::sqrt(n);
  if (std::fabs(found - *trained) <= most * std::fabs(*trained) || has_vacuum(lmp, gap)) return "";
  return fmt::format("number density is {:.4g}, {:.4g} in training", found, *trained);
}

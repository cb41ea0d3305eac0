/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "edge_count.h"

#include "pair_cells.h"

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "lammps.h"

#include <cmath>

using namespace LAMMPS_NS;

static constexpr double ROUNDING = 1e-9;    // of a distance in units of the cutoff

/* ----------------------------------------------------------------------
   the box is cut into blocks, each no thinner than the cutoff, and one rank counts each block: it
   gets its atoms, and copies of all atoms and images that are within the cutoff of it
------------------------------------------------------------------------- */

namespace {

struct Point {
  double x[3];
  bool is_center;    // not a copy
};

class Blocks {
 public:
  Blocks(Domain *domain, double range, int n_ranks) : domain(domain), n_ranks(n_ranks)
  {
    const double *g = domain->h_inv;    // xx yy zz yz xz xy
    const double inverse_height[3] = {std::hypot(g[0], g[5], g[4]), std::hypot(g[1], g[3]), g[2]};
    periodic[0] = domain->xperiodic;
    periodic[1] = domain->yperiodic;
    periodic[2] = domain->zperiodic && domain->dimension == 3;
    for (int d = 0; d < 3; d++) margin[d] = range * inverse_height[d];
    for (int d = thickest(); d >= 0; d = thickest()) n_blocks[d]++;
  }

  // visit(rank, point) for the atom in its block and for all copies of it
  template <class F> void each_copy(double *x, F visit) const
  {
    double s[3];
    int home[3], first[3], last[3];
    domain->x2lamda(x, s);
    for (int d = 0; d < 3; d++) {
      home[d] = first[d] = last[d] = 0;
      if (!periodic[d]) continue;
      // images s + k between -margin and 1 + margin
      home[d] = -static_cast<int>(std::floor(s[d]));
      first[d] = static_cast<int>(std::ceil(-margin[d] - s[d]));
      last[d] = static_cast<int>(std::floor(1.0 + margin[d] - s[d]));
    }
    int own[3];
    for (int d = 0; d < 3; d++) own[d] = block(d, s[d] + home[d]);
    for (int a = first[0]; a <= last[0]; a++)
      for (int b = first[1]; b <= last[1]; b++)
        for (int c = first[2]; c <= last[2]; c++) {
          const bool is_home = a == home[0] && b == home[1] && c == home[2];
          const double *h = domain->h;
          const Point image = {
              {x[0] + a * h[0] + b * h[5] + c * h[4], x[1] + b * h[1] + c * h[3], x[2] + c * h[2]},
              false};
          const double place[3] = {s[0] + a, s[1] + b, s[2] + c};
          int from[3], to[3];
          for (int d = 0; d < 3; d++) {
            from[d] = block(d, place[d] - margin[d]);
            to[d] = block(d, place[d] + margin[d]);
          }
          for (int i = from[0]; i <= to[0]; i++)
            for (int j = from[1]; j <= to[1]; j++)
              for (int k = from[2]; k <= to[2]; k++) {
                Point copy = image;
                copy.is_center = is_home && i == own[0] && j == own[1] && k == own[2];
                visit(rank_of(i, j, k), copy);
              }
        }
  }

 private:
  Domain *domain;
  int n_ranks, n_blocks[3] = {1, 1, 1};
  bool periodic[3];
  double margin[3];    // in units of the box

  // the direction in which blocks are thickest and may still be cut; -1 where there is none
  int thickest() const
  {
    const int n = n_blocks[0] * n_blocks[1] * n_blocks[2];
    int found = -1;
    for (int d = 0; d < domain->dimension; d++) {
      const bool is_thick = (n_blocks[d] + 1) * margin[d] <= 1.0;
      if (!is_thick || n / n_blocks[d] * (n_blocks[d] + 1) > n_ranks) continue;
      if (found < 0 || n_blocks[d] * margin[d] < n_blocks[found] * margin[found]) found = d;
    }
    return found;
  }

  int rank_of(int i, int j, int k) const
  {
    const bigint n = static_cast<bigint>(n_blocks[0]) * n_blocks[1] * n_blocks[2];
    const bigint block = (static_cast<bigint>(i) * n_blocks[1] + j) * n_blocks[2] + k;
    return static_cast<int>(block * n_ranks / n);
  }

  // atoms beyond a boundary that is not periodic belong to the block there
  int block(int d, double place) const
  {
    return static_cast<int>(std::clamp(std::floor(place * n_blocks[d]), 0.0, n_blocks[d] - 1.0));
  }
};

struct Task {
  double cutoff;
  EdgeCount found;
};

int count_block(int n, char *buffer, int &returns, int *& /*procs*/, char *& /*answer*/,
                void *context)
{
  auto *task = static_cast<Task *>(context);
  const auto *points = reinterpret_cast<const Point *>(buffer);
  std::vector<double> x;
  x.reserve(3 * static_cast<size_t>(n));
  for (int k = 0; k < n; k++) x.insert(x.end(), points[k].x, points[k].x + 3);
  const double shorter = task->cutoff * (1.0 - ROUNDING), longer = task->cutoff * (1.0 + ROUNDING);
  const PairCells cells(longer, n, x.data(), std::vector<char>(n, true));
  for (int k = 0; k < n; k++) {
    if (!points[k].is_center) continue;
    // without the point itself
    task->found.least += cells.count(points[k].x, shorter * shorter) - 1;
    task->found.most += cells.count(points[k].x, longer * longer) - 1;
  }
  returns = 0;
  return 0;
}

}    // namespace

EdgeCount LAMMPS_NS::count_edges(LAMMPS *lmp, const std::vector<char> &inside, double cutoff)
{
  const Blocks blocks(lmp->domain, cutoff * (1.0 + ROUNDING), lmp->comm->nprocs);
  std::vector<Point> points;
  std::vector<int> ranks;
  for (int i = 0; i < lmp->atom->nlocal; i++)
    if (inside[i])
      blocks.each_copy(lmp->atom->x[i], [&](int rank, const Point &point) {
        ranks.push_back(rank);
        points.push_back(point);
      });
  Task task = {cutoff, {0, 0}};
  char *no_answer = nullptr;
  const int all_to_all = 1;
  lmp->comm->rendezvous(all_to_all, static_cast<int>(points.size()),
                        reinterpret_cast<char *>(points.data()), sizeof(Point), 0, ranks.data(),
                        &count_block, 0, no_answer, 0, &task);
  bigint found[2] = {task.found.least, task.found.most};
  MPI_Allreduce(MPI_IN_PLACE, found, 2, MPI_LMP_BIGINT, MPI_SUM, lmp->world);
  return {found[0], found[1]};
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Points sorted into cells, to find those near to a place. Periodic images are points like others.

#ifndef BOTAN_PAIR_CELLS_H
#define BOTAN_PAIR_CELLS_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

class PairCells {
 public:
  // x [n, 3] of finite numbers; those with `inside` false are left out. no distance that is asked
  // for may be longer than `longest`
  PairCells(double longest, int n, const double *x, const std::vector<char> &inside);

  // points with |x - place|^2 < r_sq
  int64_t count(const double *place, double r_sq) const
  {
    int64_t n = 0;
    each_row(place, [&](int first, int last) {
      int near = 0;
      for (int k = first; k < last; k++) near += distance_sq(place, k) < r_sq;
      n += near;
    });
    return n;
  }

  template <class F> void each(const double *place, double r_sq, F visit) const
  {
    each_row(place, [&](int first, int last) {
      for (int k = first; k < last; k++)
        if (distance_sq(place, k) < r_sq) visit(number[k]);
    });
  }

 private:
  // cells of half a distance hold fewer points that are too far than cells of a whole one
  static constexpr int REACH = 2;

  double low[3], inverse_edge;
  int n_cells[3];
  std::vector<int> start;           // [n_cells + 1]; x runs fastest
  std::vector<double> sorted[3];    // coordinates in the order of the cells
  std::vector<int> number;          // of the point

  int cell(const double *place, int d) const
  {
    const double c = (place[d] - low[d]) * inverse_edge;
    return static_cast<int>(std::clamp(c, 0.0, n_cells[d] - 1.0));
  }

  double distance_sq(const double *place, int k) const
  {
    const double dx = place[0] - sorted[0][k], dy = place[1] - sorted[1][k],
                 dz = place[2] - sorted[2][k];
    return dx * dx + dy * dy + dz * dz;
  }

  // cells of one row stand together, and so do their points
  template <class F> void each_row(const double *place, F visit) const
  {
    if (number.empty()) return;
    int from[3], to[3];
    for (int d = 0; d < 3; d++) {
      const int c = cell(place, d);
      from[d] = std::max(c - REACH, 0);
      to[d] = std::min(c + REACH, n_cells[d] - 1);
    }
    for (int z = from[2]; z <= to[2]; z++)
      for (int y = from[1]; y <= to[1]; y++) {
        const int row = (z * n_cells[1] + y) * n_cells[0];
        visit(start[row + from[0]], start[row + to[0] + 1]);
      }
  }
};

#endif

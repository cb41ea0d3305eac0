/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "pair_cells.h"

static constexpr double ROUNDING = 1e-9;    // of a coordinate in units of a cell

PairCells::PairCells(double longest, int n, const double *x, const std::vector<char> &inside)
{
  double high[3] = {0.0, 0.0, 0.0};
  std::fill_n(low, 3, 0.0);
  int n_inside = 0;
  for (int i = 0; i < n; i++) {
    if (!inside[i]) continue;
    for (int d = 0; d < 3; d++) {
      low[d] = n_inside ? std::min(low[d], x[3 * i + d]) : x[3 * i + d];
      high[d] = n_inside ? std::max(high[d], x[3 * i + d]) : x[3 * i + d];
    }
    n_inside++;
  }

  // not many more cells than points, however far these lie apart
  const double most_cells = 8.0 * n_inside + 64.0;
  double edge = longest / REACH * (1.0 + ROUNDING), cells[3];
  for (;; edge *= 1.5) {
    for (int d = 0; d < 3; d++) cells[d] = std::floor((high[d] - low[d]) / edge) + 1.0;
    if (cells[0] * cells[1] * cells[2] <= most_cells) break;
  }
  for (int d = 0; d < 3; d++) n_cells[d] = static_cast<int>(cells[d]);
  inverse_edge = 1.0 / edge;

  const auto cell_of = [&](int i) {
    const double *place = x + 3 * static_cast<size_t>(i);
    return (cell(place, 2) * n_cells[1] + cell(place, 1)) * n_cells[0] + cell(place, 0);
  };
  start.assign(static_cast<size_t>(n_cells[0]) * n_cells[1] * n_cells[2] + 1, 0);
  std::vector<int> of_point(n);
  for (int i = 0; i < n; i++)
    if (inside[i]) start[(of_point[i] = cell_of(i)) + 1]++;
  for (size_t c = 1; c < start.size(); c++) start[c] += start[c - 1];

  number.resize(n_inside);
  for (auto &coordinates : sorted) coordinates.resize(n_inside);
  std::vector<int> next(start.begin(), start.end() - 1);
  for (int i = 0; i < n; i++) {
    if (!inside[i]) continue;
    const int k = next[of_point[i]]++;
    number[k] = i;
    for (int d = 0; d < 3; d++) sorted[d][k] = x[3 * static_cast<size_t>(i) + d];
  }
}

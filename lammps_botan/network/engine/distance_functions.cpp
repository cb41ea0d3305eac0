#include "distance_functions.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace {

constexpr double LEAST_EXPONENT = -30;    // as in lammps_botan/network/shells.py

// of exp(-y^2 / 2) around y, in powers of a step
void series(double y, double step, double *terms)
{
  const double exponent = -y * y / 2;
  const bool far = exponent <= LEAST_EXPONENT;    // it is constant there
  terms[0] = std::exp(far ? LEAST_EXPONENT : exponent);
  terms[1] = far ? 0 : -y * step * terms[0];
  for (int k = 1; k + 1 < DISTANCE_TERMS; k++)
    terms[k + 1] = far ? 0 : -step * (y * terms[k] + step * terms[k - 1]) / (k + 1);
}

}    // namespace

DistanceFunctions::DistanceFunctions(double end, long functions, long columns, long all_columns) :
    n_cells(static_cast<int>(std::ceil(end * DISTANCE_CELLS)) + 1), n_columns(columns),
    n_all_columns(all_columns)
{
  const long each = n_cells * DISTANCE_TERMS * n_all_columns;
  if (functions > MOST_NUMBERS / each)
    throw std::invalid_argument(
        "a linear network of so many species and generations, with so large a cutoff, takes more "
        "than 1 GiB");
  numbers.reserve(functions * each);
}

void DistanceFunctions::add(const std::vector<Gaussian> &gaussians)
{
  std::vector<double> sums(DISTANCE_TERMS * n_all_columns);
  for (int cell = 0; cell < n_cells; cell++) {
    std::fill(sums.begin(), sums.end(), 0);
    for (const Gaussian &gaussian : gaussians) {
      double terms[DISTANCE_TERMS];
      const double middle = (cell + 0.5) / DISTANCE_CELLS;
      series((middle - gaussian.center) / gaussian.width, 1 / (gaussian.width * DISTANCE_CELLS),
             terms);
      for (int k = 0; k < DISTANCE_TERMS; k++)
        for (long c = 0; c < n_columns; c++)
          sums[k * n_all_columns + c] += terms[k] * gaussian.weights[c];
    }
    numbers.insert(numbers.end(), sums.begin(), sums.end());
  }
}

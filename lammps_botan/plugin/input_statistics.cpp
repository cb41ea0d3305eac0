/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "input_statistics.h"

#include "fmt/format.h"

#include <cmath>

static constexpr double LARGEST_DIFFERENCE = 0.5;    // deviations, of a mean over many atoms
static constexpr double LARGEST_ERROR = 5.0;         // standard errors of a mean, on top of it

InputSums::InputSums(size_t n_species, int n_vectors, int n_scalars) :
    n_vectors(n_vectors), n_scalars(n_scalars), n_columns(1 + n_vectors + n_scalars)
{
  numbers.assign(n_species * n_columns, 0.0);
}

/* ---------------------------------------------------------------------- */

void InputSums::add(int species, const float *vectors, const float *scalars)
{
  double *sum = &numbers[species * n_columns];
  *sum++ += 1.0;
  for (int k = 0; k < n_vectors; k++, vectors += 3) {
    const double x = vectors[0], y = vectors[1], z = vectors[2];
    *sum++ += std::sqrt(x * x + y * y + z * z);
  }
  for (int k = 0; k < n_scalars; k++) *sum++ += scalars[k];
}

/* ---------------------------------------------------------------------- */

std::string InputSums::unlike(const InputStatistics &seen, const std::vector<std::string> &species,
                              const std::vector<std::string> &quantities) const
{
  std::string words;
  for (size_t k = 0; k < species.size(); k++) {
    const double *sums = &numbers[k * n_columns];
    const double n = *sums++;
    if (n == 0.0) continue;
    for (size_t q = 0; q < quantities.size(); q++) {
      const double found = sums[q] / n, mean = seen.mean[k][q], deviation = seen.deviation[k][q];
      const double largest = (LARGEST_DIFFERENCE + LARGEST_ERROR / std::sqrt(n)) * deviation;
      if (std::fabs(found - mean) <= largest) continue;
      words +=
          fmt::format("{}{} of {} is {:.4g} on average, {:.4g} +- {:.2g} in training",
                      words.empty() ? "" : "; ", quantities[q], species[k], found, mean, deviation);
    }
  }
  return words;
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "input_statistics.h"

#include "botan_model.h"

#include "fmt/format.h"

#include <algorithm>
#include <cmath>
#include <limits>

// deviations, of a mean over many atoms
static constexpr double LARGEST_DIFFERENCE = 0.5;
static constexpr double OF_POSITIONS_ALONE = 0.2;
static constexpr double LARGEST_ERROR = 5.0;    // standard errors of a mean, on top of it

InputSums::InputSums(const std::vector<std::vector<double>> &bond_lengths, int n_vectors,
                     int n_scalars) :
    n_vectors(n_vectors), n_scalars(n_scalars),
    n_quantities(n_vectors > 0 ? 2 * n_vectors + n_scalars : bond_lengths.size() + 1),
    bonds_sq(bond_lengths)
{
  for (auto &row : bonds_sq)
    for (double &bond : row) bond *= bond;
  numbers.assign(bond_lengths.size() * n_quantities * 2, 0.0);
}

/* ---------------------------------------------------------------------- */

void InputSums::add(const BotanGraph &graph, int64_t i)
{
  double *sums = &numbers[graph.species[i] * n_quantities * 2];
  const auto count = [&sums](double value) {
    *sums++ += 1.0;
    *sums++ += value;
  };
  const int64_t first = graph.first_edge[i], last = graph.first_edge[i + 1];
  if (n_vectors == 0) {
    for (int64_t e = first; e < last; e++) sums[2 * graph.species[graph.neighbor[e]] + 1] += 1.0;
    for (size_t k = 0; k < bonds_sq.size(); k++) count(0.0);    // which are added above
  }
  for (int k = 0; k < n_vectors; k++) {
    const float *vector = &graph.node_vectors[(i * n_vectors + k) * 3];
    const double x = vector[0], y = vector[1], z = vector[2];
    count(std::sqrt(x * x + y * y + z * z));
  }
  for (int k = 0; k < n_scalars; k++) count(graph.node_scalars[i * n_scalars + k]);
  if (first == last) return;
  for (int k = 0; k < std::max(1, n_vectors); k++) count(std::sqrt(nearest_sq(graph, i, k)));
}

/* ----------------------------------------------------------------------
   where vector k of an atom and those of its neighbors lead, or where they are if there are no
   vectors; in bond lengths
------------------------------------------------------------------------- */

double InputSums::nearest_sq(const BotanGraph &graph, int64_t i, int k) const
{
  double nearest = std::numeric_limits<double>::infinity();
  const std::vector<double> &bond_sq = bonds_sq[graph.species[i]];
  static constexpr float nowhere[3] = {};
  const auto way_of = [&](int64_t node) {
    return n_vectors > 0 ? &graph.node_vectors[(node * n_vectors + k) * 3] : nowhere;
  };
  const float *mine = way_of(i);
  for (int64_t e = graph.first_edge[i]; e < graph.first_edge[i + 1]; e++) {
    const int64_t j = graph.neighbor[e];
    const float *other = way_of(j);
    double square = 0.0;
    for (int d = 0; d < 3; d++) {
      const double apart = graph.vectors[3 * e + d] + (static_cast<double>(mine[d]) - other[d]);
      square += apart * apart;
    }
    nearest = std::min(nearest, square / bond_sq[graph.species[j]]);
  }
  return nearest;
}

/* ---------------------------------------------------------------------- */

std::string InputSums::unlike(const InputStatistics &seen, const std::vector<std::string> &species,
                              const std::vector<std::string> &quantities) const
{
  std::string words;
  const double difference = n_vectors > 0 ? LARGEST_DIFFERENCE : OF_POSITIONS_ALONE;
  for (size_t k = 0; k < species.size(); k++) {
    for (size_t q = 0; q < n_quantities; q++) {
      const double *sums = &numbers[(k * n_quantities + q) * 2];
      const double n = sums[0];
      if (n == 0.0) continue;
      const double found = sums[1] / n, mean = seen.mean[k][q], deviation = seen.deviation[k][q];
      const double largest = (difference + LARGEST_ERROR / std::sqrt(n)) * deviation;
      if (std::fabs(found - mean) <= largest) continue;
      words +=
          fmt::format("{}{} of {} is {:.4g} on average, {:.4g} +- {:.2g} in training",
                      words.empty() ? "" : "; ", quantities[q], species[k], found, mean, deviation);
    }
  }
  return words;
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What a model saw in training, and whether what it sees of a configuration is like it, as
// lammps_botan/network/input_statistics.py. Quantities are the lengths of the vectors of an atom,
// then its scalars, and then for each vector the distance to the nearest neighbor in the mean (or
// inherent) positions, in bond lengths of the pair. Of a model that sees positions alone they are
// the number of neighbors of each species and the distance to the nearest of them.

#ifndef BOTAN_INPUT_STATISTICS_H
#define BOTAN_INPUT_STATISTICS_H

#include <cstdint>
#include <string>
#include <vector>

struct BotanGraph;

struct InputStatistics {
  std::vector<std::vector<double>> mean, deviation;    // [n_species, n_quantities]
};

class InputSums {
 public:
  InputSums(const std::vector<std::vector<double>> &bond_lengths, int n_vectors, int n_scalars);

  void add(const BotanGraph &graph, int64_t i);    // a local atom of the graph

  // for each species and quantity the number of atoms that have it, and its sum over them: to be
  // added up over MPI tasks
  std::vector<double> numbers;

  // in words; empty where all means are like those of the training
  std::string unlike(const InputStatistics &seen, const std::vector<std::string> &species,
                     const std::vector<std::string> &quantities) const;

 private:
  const int n_vectors, n_scalars;
  const size_t n_quantities;
  std::vector<std::vector<double>> bonds_sq;

  double nearest_sq(const BotanGraph &graph, int64_t i, int k) const;
};

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What a model saw in training, and whether the inputs of a configuration are like it, as
// lammps_botan/network/input_statistics.py. Quantities are the lengths of the vectors of an atom,
// and then its scalars.

#ifndef BOTAN_INPUT_STATISTICS_H
#define BOTAN_INPUT_STATISTICS_H

#include <string>
#include <vector>

struct InputStatistics {
  std::vector<std::vector<double>> mean, deviation;    // [n_species, n_quantities]
};

class InputSums {
 public:
  InputSums(size_t n_species, int n_vectors, int n_scalars);

  void add(int species, const float *vectors, const float *scalars);

  // for each species the number of its atoms, and then the sum of each quantity: to be added up
  // over MPI tasks
  std::vector<double> numbers;

  // in words; empty where all means are like those of the training
  std::string unlike(const InputStatistics &seen, const std::vector<std::string> &species,
                     const std::vector<std::string> &quantities) const;

 private:
  const int n_vectors, n_scalars;
  const size_t n_columns;
};

#endif

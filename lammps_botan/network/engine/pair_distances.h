// Distances of a pair between thermal, mean and inherent positions:
// lammps_botan/network/pair_distances.py.

#ifndef BOTAN_PAIR_DISTANCES_H
#define BOTAN_PAIR_DISTANCES_H

#include "network.h"

#include <string>
#include <vector>

class PairDistances {
 public:
  // tensors are prefix + "mean" and prefix + "deviation"
  PairDistances(const NetworkDescription &, const std::string &prefix);

  long columns() const { return 1 + 2 * n_vectors; }
  // of all edges that arrive at local nodes first .. last - 1: that of edge e is at
  // to + (e - graph.first_edge[first]) * columns()
  void fill(const EngineGraph &, long first, long last, float *to) const;

 private:
  void functions(const EngineGraph &, long center, int64_t edge, float *to) const;

  long n_vectors;
  float diameter;
  std::vector<float> mean, deviation;    // [columns]
};

#endif

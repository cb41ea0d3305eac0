// Inputs of particles, in networks that see more than positions:
// lammps_botan/network/particle_inputs.py.

#ifndef BOTAN_PARTICLE_INPUTS_H
#define BOTAN_PARTICLE_INPUTS_H

#include "network.h"

#include <string>
#include <vector>

class ParticleInputs {
 public:
  // tensors are prefix + "mean" and prefix + "deviation"
  ParticleInputs(const NetworkDescription &, const std::string &prefix);

  long columns() const { return n_species + n_scalars + n_vectors; }
  // of nodes first .. last - 1, that of node i at to + (i - first) * columns()
  void fill(const EngineGraph &, long first, long last, float *to) const;

 private:
  void functions(const float *vectors, const float *scalars, float *to) const;

  long n_species, n_vectors, n_scalars;
  bool history;
  float diameter;
  std::vector<float> mean, deviation;    // [n_species, n_scalars + n_vectors]
};

#endif

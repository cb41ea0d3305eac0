// The weights of one network, in the order in which the kernels read them.

#ifndef BOTAN_WEIGHTS_H
#define BOTAN_WEIGHTS_H

#include "kernels.h"

#include <vector>

class Weights {
 public:
  BotanNetwork net;

  Weights(const float *const *given, long inputs, int panel);
  // h_v^0 and its block of the first layer of MLP_v, for species 0, 1, ...
  void of_species(int64_t n_species, std::vector<float> &node, std::vector<float> &constant) const;

 private:
  std::vector<std::vector<float>> numbers;    // those kept stay in their place when there come more
  std::vector<std::vector<uint32_t>> pairs;
  long inputs;    // columns of species_first: 1, or one for each species
  const float *species_first, *species_bias, *species_second, *species_second_bias;
  const float *constant, *constant_bias;

  float from_species(long j, int64_t species) const;
  const float *keep(const float *, long rows, long columns, long stride);
  const float *keep(const float *given, long n) { return keep(given, 1, n, n); }
  BotanBlock pack(const float *, long stride, int panel);
};

#endif

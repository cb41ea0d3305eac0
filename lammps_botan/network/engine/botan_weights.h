// The weights of one network, in the order in which the kernels read them.

#ifndef BOTAN_WEIGHTS_H
#define BOTAN_WEIGHTS_H

#include "kernels.h"

#include <vector>

class Weights {
 public:
  BotanNetwork net;

  Weights(const float *const *given, int inputs_of_nodes, int inputs_of_edges, int panel);

 private:
  std::vector<std::vector<float>> numbers;    // those kept stay in their place when there come more
  std::vector<std::vector<uint32_t>> pairs;

  const float *keep(const float *given, long n);
  BotanEncoder encoder(const float *const *layers, int inputs, const float *constant, long stride,
                       const float *constant_bias, int panel);
  BotanBlock pack(const float *, long stride, int panel);
};

#endif

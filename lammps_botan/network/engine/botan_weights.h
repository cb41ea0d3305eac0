// The weights of BOTAN, in the order in which its kernels read them.

#ifndef BOTAN_WEIGHTS_H
#define BOTAN_WEIGHTS_H

#include "botan_kernels.h"

#include <vector>

class BotanWeights {
 public:
  BotanNetwork net;

  BotanWeights(const std::vector<const float *> &given, int inputs_of_nodes, int inputs_of_edges,
               int panel);

 private:
  std::vector<std::vector<float>> numbers;    // those kept stay in their place when there come more
  std::vector<std::vector<uint32_t>> pairs;

  const float *keep(const float *given, long n);
  BotanEncoder encoder(const float *const *layers, int inputs, const float *constant, long stride,
                       const float *constant_bias, int panel);
  BotanBlock pack(const float *, long stride, int panel);
};

#endif

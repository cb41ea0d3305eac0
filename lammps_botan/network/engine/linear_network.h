// The linear network: lammps_botan/network/linear.py.

#ifndef BOTAN_LINEAR_NETWORK_H
#define BOTAN_LINEAR_NETWORK_H

#include "distance_functions.h"
#include "memory.h"
#include "network.h"

#include <vector>

class LinearNetwork : public EngineNetwork {
 public:
  LinearNetwork(const NetworkDescription &, Instructions);

  void encode(const EngineGraph &) override;
  void step(long round, float *node_out, float *edge_out) override;
  float *node() override { return state.node; }
  double bytes() const override;
  void release_memory() override;

 private:
  void read_densities(const NetworkDescription &, double reach);
  void read_start(const NetworkDescription &, const float *rows, long n);
  void read_changes(const NetworkDescription &, double reach);
  void fill_inputs(long i, float *to) const;

  long generations, n_species;
  bool history, inherent, pairs;
  float diameter;
  const LinearKernels &kernels;

  DistanceFunctions densities, changes;
  std::vector<float> origin, start, input_weights;
  LinearWeights weights = {};

  EngineGraph graph = {};
  LinearState state = {};
  Memory<float> kept_node, kept_inputs, kept_own_weight, kept_weight;
};

#endif

/* The equivariant network: lammps_botan/network/equivariant.py.

   A node sends a row of numbers once a round; rows of edges live in the cache only.
*/

#ifndef BOTAN_EQUIVARIANT_NETWORK_H
#define BOTAN_EQUIVARIANT_NETWORK_H

#include "equivariant_weights.h"
#include "memory.h"
#include "network.h"
#include "particle_inputs.h"

class EquivariantNetwork : public EngineNetwork {
 public:
  EquivariantNetwork(const NetworkDescription &, const EquivariantKernels &);

  void encode(const EngineGraph &) override;
  void step(long round, float *node_out, float *edge_out) override;
  float *node() override { return state.node; }
  double bytes() const override;
  void release_memory() override;

 private:
  const EquivariantKernels &kernels;
  PackedEquivariant packed;
  ParticleInputs particles;
  long scratch_floats;

  EngineGraph graph = {};
  EquivariantState state = {};
  Memory<float> nodes, own, sent, scratch;    // the last has a part for each thread

  // calls work(scratch of the thread, first, last) in threads
  template <class Work> void in_threads(const std::vector<long> &start, const Work &work);
};

#endif

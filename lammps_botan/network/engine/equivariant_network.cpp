#include "equivariant_network.h"

#include "threads.h"

#include <algorithm>

EquivariantNetwork::EquivariantNetwork(const NetworkDescription &network,
                                       const EquivariantKernels &which) :
    kernels(which), packed(network), particles(network, "particles."),
    scratch_floats(kernels.scratch(packed.weights))
{
  const EquivariantWeights &w = packed.weights;
  rounds = w.rounds;
  width = w.width + EQUIVARIANT_ROWS * w.features;
  node_outputs = edge_outputs = w.n_times;
}

template <class Work>
void EquivariantNetwork::in_threads(const std::vector<long> &start, const Work &work)
{
  float *all = scratch.at_least(0);
  Threads::parallel(start, [&](long first, long last) {
    // shares that begin together are empty, but for one
    const auto t = std::lower_bound(start.begin(), start.end(), first) - start.begin();
    if (first < last) work(all + t * scratch_floats, first, last);
  });
}

void EquivariantNetwork::encode(const EngineGraph &given)
{
  const EquivariantWeights &w = packed.weights;
  graph = given;
  const long n = w.n_vectors ? graph.n_local : graph.n_nodes;
  state = {};
  state.species = graph.species;
  state.first_edge = graph.first_edge;
  state.neighbor = graph.neighbor;
  state.vectors = graph.vectors;
  state.node_vectors = graph.node_vectors;
  state.node = nodes.at_least(graph.n_nodes * width);
  state.sent = sent.at_least(graph.n_nodes * equivariant_sent(w, rounds - 1));
  float *inputs = own.at_least(n * w.n_own);
  state.own = inputs;
  scratch.at_least(std::max(graph.threads, 1L) * scratch_floats);
  in_threads(Threads::shares(n, graph.threads), [&](float *memory, long first, long last) {
    particles.fill(graph, first, last, inputs + first * w.n_own);
    kernels.encode(w, state, memory, first, last);
  });
}

void EquivariantNetwork::step(long round, float *node_out, float *edge_out)
{
  const EquivariantWeights &w = packed.weights;
  state.has_features = round > 0 || w.n_vectors > 0;
  state.node_out = node_out;
  state.edge_out = edge_out;
  in_threads(Threads::shares(graph.n_nodes, graph.threads),
             [&](float *memory, long first, long last) {
               kernels.send(w, state, round, memory, first, last);
             });
  in_threads(Threads::shares(graph.n_local, graph.first_edge, graph.threads),
             [&](float *memory, long first, long last) {
               kernels.receive(w, state, round, memory, first, last);
             });
}

double EquivariantNetwork::bytes() const
{
  return nodes.bytes() + own.bytes() + sent.bytes() + scratch.bytes();
}

void EquivariantNetwork::release_memory()
{
  for (Memory<float> *memory : {&nodes, &own, &sent, &scratch}) memory->release();
  state = {};
}

std::unique_ptr<EngineNetwork> make_equivariant(const NetworkDescription &network,
                                                Instructions instructions)
{
  const EquivariantKernels *kernels = &equivariant_kernels_portable;
#ifdef BOTAN_X86
  if (instructions == Instructions::AVX2)
    kernels = &equivariant_kernels_avx2;
  else if (instructions != Instructions::PORTABLE)
    kernels = &equivariant_kernels_avx512;
#else
  (void) instructions;
#endif
  return std::make_unique<EquivariantNetwork>(network, *kernels);
}

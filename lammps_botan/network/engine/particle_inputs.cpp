#include "particle_inputs.h"

#include "model_limits.h"

#include <algorithm>
#include <cmath>

namespace {

constexpr float LEAST = 0.01;    // diameters; shorter displacements say nothing of the motion
constexpr float FARTHEST = 6;    // standard deviations, beyond which an input says no more

}    // namespace

ParticleInputs::ParticleInputs(const NetworkDescription &network, const std::string &prefix) :
    n_species(network.whole("n_species", 1, Limits::species)), n_vectors(network.n_vectors()),
    n_scalars(network.n_scalars()), history(network.flag("history")),
    diameter(static_cast<float>(network.positive("diameter")))
{
  const long n = n_scalars + n_vectors;
  const float *numbers = network.tensor(prefix + "mean", {n_species, n});
  mean.assign(numbers, numbers + n_species * n);
  numbers = network.positive_tensor(prefix + "deviation", {n_species, n});
  deviation.assign(numbers, numbers + n_species * n);
}

void ParticleInputs::fill(const EngineGraph &graph, long first, long last, float *to) const
{
  const long n = n_scalars + n_vectors;
  for (long i = first; i < last; i++, to += columns()) {
    const int64_t species = graph.species[i];
    float *found = to + n_species;
    std::fill(to, found, 0.0F);
    to[species] = 1;
    functions(graph.node_vectors + i * n_vectors * 3, graph.node_scalars + i * n_scalars, found);
    for (long k = 0; k < n; k++) {
      const float x = (found[k] - mean[species * n + k]) / deviation[species * n + k];
      found[k] = std::clamp(x, -FARTHEST, FARTHEST);    // NaN stays NaN
    }
  }
}

// logarithms of variance and lengths, and energies
void ParticleInputs::functions(const float *vectors, const float *scalars, float *to) const
{
  std::copy_n(scalars, n_scalars, to);
  if (history) {
    // models are tried out on numbers that are no variances; NaN stays NaN
    const float variance = std::max(scalars[0], 0.0F) / (diameter * diameter);
    to[0] = std::log(variance + LEAST * LEAST);
  }
  for (long k = 0; k < n_vectors; k++, vectors += 3) {
    const float square =
        vectors[0] * vectors[0] + vectors[1] * vectors[1] + vectors[2] * vectors[2];
    to[n_scalars + k] = std::log(std::sqrt(square) / diameter + LEAST);
  }
}

#include "pair_distances.h"

#include <algorithm>
#include <cmath>

namespace {

constexpr float FARTHEST = 6;    // standard deviations, beyond which a distance says no more

float length(const float *x)
{
  return std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
}

}    // namespace

PairDistances::PairDistances(const NetworkDescription &network, const std::string &prefix) :
    n_vectors(network.n_vectors()), diameter(static_cast<float>(network.positive("diameter")))
{
  const float *numbers = network.tensor(prefix + "mean", {columns()});
  mean.assign(numbers, numbers + columns());
  numbers = network.positive_tensor(prefix + "deviation", {columns()});
  deviation.assign(numbers, numbers + columns());
}

void PairDistances::fill(const EngineGraph &graph, long first, long last, float *to) const
{
  const long n = columns();
  for (long i = first; i < last; i++)
    for (int64_t e = graph.first_edge[i]; e < graph.first_edge[i + 1]; e++, to += n) {
      functions(graph, i, e, to);
      for (long k = 0; k < n; k++)    // NaN stays NaN
        to[k] = std::clamp((to[k] - mean[k]) / deviation[k], -FARTHEST, FARTHEST);
    }
}

// the thermal distance; then, for each vector of a particle, the distance between mean (or
// inherent) positions, and its difference to the thermal one; diameters
void PairDistances::functions(const EngineGraph &graph, long center, int64_t edge, float *to) const
{
  const float *vector = graph.vectors + edge * 3;
  const float *first = graph.node_vectors + center * n_vectors * 3;
  const float *second = graph.node_vectors + graph.neighbor[edge] * n_vectors * 3;
  const float distance = length(vector) / diameter;
  *to++ = distance;
  for (long k = 0; k < n_vectors; k++, first += 3, second += 3) {
    float apart[3];
    // a difference first, so that a pair has one distance in both directions
    for (int d = 0; d < 3; d++) apart[d] = vector[d] + (first[d] - second[d]);
    const float other = length(apart) / diameter;
    *to++ = other;
    *to++ = other - distance;
  }
}

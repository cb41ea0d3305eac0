/* Descriptors are never stored: what the sum over radii R of exp(-(r - R)^2 / 2 d^2) w_R adds to
   the projections of a node is one function of the distance r, and so is Y(r) v of a pair
   (distance_functions.h).

   In place of the columns of linear.py, which move on from round to round, columns k n .. k n + n -
   1 of a node belong to one generation, the last one first: averages of the generation before are
   added to it in place. S is in the first of the last generation.
*/

#include "linear_network.h"

#include "model_limits.h"
#include "threads.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace {

// as in lammps_botan/network/linear.py and shells.py, in diameters
constexpr double FIRST_RADIUS = 0.75, RADIUS_STEP = 0.05, SHELL_WIDTH = 0.05;
constexpr double FIRST_DISTANCE = 0.8, NEAR_STEP = 0.04, FAR = 1.6, FAR_STEP = 0.1;
constexpr float LEAST_VARIANCE = 1e-4F, MOST_DISPLACEMENT = 0.5F;
constexpr double ROUNDING = 1e-6;
constexpr long PAIR_FACTORS = 6;

constexpr double MOST_REACH = 100;
constexpr double BEYOND = 1;           // the reach, where all Gaussians have fallen off
constexpr double MOST_WIDTH = 0.12;    // of these Gaussians
constexpr long REGISTER = 16;          // floats, at most

using Gaussians = std::vector<DistanceFunctions::Gaussian>;

const LinearKernels &find_kernels(Instructions instructions)
{
#ifdef BOTAN_X86
  if (instructions == Instructions::AVX2) return linear_kernels_avx2;
  if (instructions != Instructions::PORTABLE) return linear_kernels_avx512;
#else
  (void) instructions;
#endif
  return linear_kernels_portable;
}

double reach_of(const NetworkDescription &network)
{
  const double reach = network.positive("cutoff") / network.positive("diameter");
  if (!(reach <= MOST_REACH))
    throw std::invalid_argument("the cutoff of a linear network must be 100 diameters or less");
  return reach;
}

// of numbers from `first` on, up to rounding
long grid(double first, double end, double step)
{
  return std::max(0L, static_cast<long>(std::ceil((end - first) / step - ROUNDING)));
}

long width_of(const NetworkDescription &network)
{
  return (network.whole("generations", 1, Limits::rounds) + 1) *
         network.whole("n_species", 1, Limits::species);
}

float length(const float *x)
{
  return std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
}

}    // namespace

LinearNetwork::LinearNetwork(const NetworkDescription &network, Instructions instructions) :
    generations(network.whole("generations", 1, Limits::rounds)),
    n_species(network.whole("n_species", 1, Limits::species)), history(network.flag("history")),
    inherent(network.flag("inherent")), pairs(network.flag("pairs")),
    diameter(static_cast<float>(network.positive("diameter"))), kernels(find_kernels(instructions)),
    densities(reach_of(network), n_species, width_of(network),
              (width_of(network) + REGISTER - 1) / REGISTER * REGISTER),
    changes(reach_of(network) + BEYOND, pairs ? n_species * n_species : 0, PAIR_FACTORS,
            LINEAR_FACTORS)
{
  width = width_of(network);
  rounds = generations + 1 + pairs;
  node_outputs = 1;
  edge_outputs = pairs;
  read_densities(network, reach_of(network));
  read_changes(network, reach_of(network));
  weights.n_species = static_cast<int>(n_species);
  weights.n_inputs = static_cast<int>(origin.size());
  weights.width = static_cast<int>(width);
  weights.diameter = diameter;
  weights.reach = static_cast<float>(reach_of(network));
  weights.densities = {densities.terms(), densities.cells(), densities.columns()};
  weights.changes = {changes.terms(), changes.cells(), changes.columns()};
  weights.start = start.data();
  weights.inputs = input_weights.data();
}

// rows of weights are inputs, then one for each species, then radii for each species
void LinearNetwork::read_densities(const NetworkDescription &network, double reach)
{
  const long n_radii = grid(FIRST_RADIUS, std::max(reach, FIRST_RADIUS) + RADIUS_STEP, RADIUS_STEP);
  const long first_radius = 4 * history + 2 * inherent + n_species;
  const long n = first_radius + n_species * n_radii;
  const float *radii = network.tensor("radii", {n_radii});
  const float *rows = network.tensor("weights", {n, width});
  read_start(network, rows, n);
  for (long s = 0; s < n_species; s++) {
    Gaussians shells;
    for (long k = 0; k < n_radii; k++)
      shells.push_back({radii[k], SHELL_WIDTH, rows + (first_radius + s * n_radii + k) * width});
    densities.add(shells);
  }
}

// what nodes have without their edges, of n rows of weights
void LinearNetwork::read_start(const NetworkDescription &network, const float *rows, long n)
{
  const long n_inputs = 4 * history + 2 * inherent, columns = densities.columns();
  const float *origins = network.tensor("origin", {n});
  const float *offset = network.tensor("offset", {n_species});
  origin.assign(origins, origins + n_inputs);
  input_weights.resize(n_inputs * columns);
  for (long k = 0; k < n_inputs; k++)
    std::copy_n(rows + k * width, width, &input_weights[k * columns]);

  start.resize(n_species * columns);
  for (long c = 0; c < width; c++) {
    double of_origin = 0;
    for (long k = n_inputs; k < n; k++)
      of_origin += static_cast<double>(origins[k]) * rows[k * width + c];
    for (long s = 0; s < n_species; s++) {
      const bool is_own = c == width - n_species + s;    // the column of which S is made
      start[s * columns + c] = static_cast<float>(rows[(n_inputs + s) * width + c] - of_origin +
                                                  (is_own ? offset[s] : 0));
    }
  }
}

// columns of pair_weights are factors for each pair of species
void LinearNetwork::read_changes(const NetworkDescription &network, double reach)
{
  const long n = grid(FIRST_DISTANCE, std::min(reach, FAR), NEAR_STEP) + grid(FAR, reach, FAR_STEP);
  const long kinds = n_species * n_species;
  const float *distances = network.tensor("distances", {n});
  const float *widths = network.tensor("distance_widths", {n});
  const float *rows = network.tensor("pair_weights", {n, kinds * PAIR_FACTORS});
  const float *offset = network.tensor("pair_offset", {kinds});
  if (!pairs) return;
  for (long k = 0; k < n; k++)
    if (!(widths[k] >= DistanceFunctions::LEAST_WIDTH && widths[k] <= MOST_WIDTH &&
          distances[k] <= reach))
      throw std::invalid_argument(
          "the network 'linear': expected 'distances' up to " + std::to_string(reach) +
          " and 'distance_widths' of 0.04 to 0.12 diameters, found " +
          std::to_string(distances[k]) + " and " + std::to_string(widths[k]));
  std::vector<float> constants(kinds * PAIR_FACTORS);    // the first factor is 1
  for (long kind = 0; kind < kinds; kind++) {
    constants[kind * PAIR_FACTORS] = offset[kind];
    Gaussians near = {{0, INFINITY, &constants[kind * PAIR_FACTORS]}};
    for (long k = 0; k < n; k++)
      near.push_back({distances[k], widths[k], rows + (k * kinds + kind) * PAIR_FACTORS});
    changes.add(near);
  }
}

/* ---------------------------------------------------------------------- */

void LinearNetwork::encode(const EngineGraph &given)
{
  graph = given;
  const long n_inputs = weights.n_inputs, vectors = history + inherent;
  state.species = graph.species;
  state.first_edge = graph.first_edge;
  state.neighbor = graph.neighbor;
  state.vectors = graph.vectors;
  state.node_vectors = vectors ? graph.node_vectors : nullptr;
  state.node_stride = 3 * vectors;
  state.node = kept_node.at_least(graph.n_nodes * width);
  state.own_weight = kept_own_weight.at_least(graph.n_local);
  state.weight = kept_weight.at_least(graph.n_edges);
  float *inputs = kept_inputs.at_least(graph.n_local * n_inputs);
  state.inputs = inputs;
  std::fill_n(state.node, graph.n_nodes * width,
              0.0F);    // ranks exchange it before the first round
  if (n_inputs)
    Threads::parallel(Threads::shares(graph.n_local, graph.threads), [&](long first, long last) {
      for (long i = first; i < last; i++) fill_inputs(i, inputs + i * n_inputs);
    });
}

// of history, then of inherent structure, less their origin; NaN stays NaN
void LinearNetwork::fill_inputs(long i, float *to) const
{
  const float *vector = graph.node_vectors + i * 3 * (history + inherent);
  const float *scalar = graph.node_scalars + i * (2 * history + inherent);
  float *next = to;
  const auto displacement = [&] {
    *next++ = std::min(length(vector) / diameter, MOST_DISPLACEMENT);
  };
  if (history) {
    const float variance = scalar[0] / (diameter * diameter);
    const float spread = std::log(std::max(variance, LEAST_VARIANCE));
    *next++ = spread;
    *next++ = spread * spread;
    displacement();
    *next++ = scalar[1];
    vector += 3;
    scalar += 2;
  }
  if (inherent) {
    displacement();
    *next++ = scalar[0];
  }
  for (long k = 0; k < weights.n_inputs; k++) to[k] -= origin[k];
}

void LinearNetwork::step(long round, float *node_out, float *edge_out)
{
  const long first_of_last = generations * n_species;
  state.edge_out = edge_out;
  Threads::parallel(
      Threads::shares(graph.n_local, graph.first_edge, graph.threads), [&](long first, long last) {
        if (round == 0)
          kernels.project(weights, state, first, last);
        else if (round <= generations)
          kernels.average(weights, state, static_cast<int>(round), first, last);
        else
          kernels.change(weights, state, static_cast<int>(first_of_last), first, last);
        for (long i = first; i < last; i++) {
          float *own = state.node + i * width + first_of_last;
          if (round == generations) own[0] = own[graph.species[i]];
          if (round == rounds - 1) node_out[i] = own[0] * diameter;
        }
      });
}

double LinearNetwork::bytes() const
{
  return kept_node.bytes() + kept_inputs.bytes() + kept_own_weight.bytes() + kept_weight.bytes();
}

void LinearNetwork::release_memory()
{
  for (auto *kept : {&kept_node, &kept_inputs, &kept_own_weight, &kept_weight}) kept->release();
  state = {};
}

std::unique_ptr<EngineNetwork> make_linear(const NetworkDescription &network,
                                           Instructions instructions)
{
  return std::make_unique<LinearNetwork>(network, instructions);
}

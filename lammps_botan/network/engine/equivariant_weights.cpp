#include "equivariant_weights.h"

#include "model_limits.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace {

constexpr double CLOSEST = 0.7;    // diameters, where the first Gaussian stands

long padded(long n, long unit)
{
  return (n + unit - 1) / unit * unit;
}

}    // namespace

/* ---------------------------------------------------------------------- */

float *PackedEquivariant::keep(long n)
{
  numbers.emplace_back();
  float *all = numbers.back().at_least(std::max(n, 1L));
  std::fill_n(all, n, 0.0F);
  return all;
}

float *PackedEquivariant::row(const float *given, Part part)
{
  float *to = keep(part.size());
  for (long i = 0; i < part.n; i++) to[part.at(i)] = given[i];
  return to;
}

PackedEquivariant::Block PackedEquivariant::block(const NetworkDescription &network,
                                                  const std::string &name, Part inputs,
                                                  Part outputs)
{
  return {network.tensor(name, {outputs.n, inputs.n}), inputs.n, inputs, outputs};
}

void PackedEquivariant::place(const Block &block, float *to, long columns)
{
  for (long j = 0; j < block.outputs.n; j++)
    for (long k = 0; k < block.inputs.n; k++)
      to[block.inputs.at(k) * columns + block.outputs.at(j)] = block.weight[j * block.stride + k];
}

EquivariantMatrix PackedEquivariant::matrix(const Block &block)
{
  return below({block});
}

EquivariantMatrix PackedEquivariant::below(std::initializer_list<Block> blocks)
{
  const long columns = blocks.begin()->outputs.size();
  long inputs = 0;
  for (const Block &block : blocks) inputs += block.inputs.size();
  float *to = keep(inputs * columns);
  const EquivariantMatrix all = {to, inputs, columns};
  for (const Block &block : blocks) {
    place(block, to, columns);
    to += block.inputs.size() * columns;
  }
  return all;
}

EquivariantMatrix PackedEquivariant::beside(std::initializer_list<Block> blocks)
{
  const long inputs = blocks.begin()->inputs.size();
  long columns = 0;
  for (const Block &block : blocks) columns += block.outputs.size();
  float *to = keep(inputs * columns);
  const EquivariantMatrix all = {to, inputs, columns};
  for (const Block &block : blocks) {
    place(block, to, columns);
    to += block.outputs.size();
  }
  return all;
}

/* ---------------------------------------------------------------------- */

PackedEquivariant::PackedEquivariant(const NetworkDescription &network)
{
  const long n_species = network.whole("n_species", 1, Limits::species);
  weights.n_own = n_species + network.n_scalars() + network.n_vectors();
  read_settings(network);
  pack_start(network);
  for (long k = 0; k < weights.rounds; k++)
    layers.push_back(layer(network, "layers." + std::to_string(k) + "."));
  weights.layers = layers.data();
  pack_node_output(network, n_species);
  pack_pairs(network);
}

void PackedEquivariant::read_settings(const NetworkDescription &network)
{
  EquivariantWeights &w = weights;
  w.width = network.whole("width", 1, Limits::width);
  w.features = network.whole("features", 1, Limits::width / EQUIVARIANT_ROWS);
  w.padded_width = padded(w.width, EQUIVARIANT_LANES);
  w.padded_features = padded(w.features, EQUIVARIANT_CHANNELS);
  w.n_vectors = network.n_vectors();
  w.n_gaussians = network.whole("n_gaussians", 2, Limits::width);
  w.n_radial = w.n_gaussians * (1 + w.n_vectors) + w.n_vectors;
  w.n_times = network.whole("n_times", 1, Limits::outputs);
  w.rounds = network.whole("rounds", 1, Limits::rounds);
  const double diameter = network.positive("diameter");
  const double reach = network.positive("cutoff") / diameter;
  if (reach <= CLOSEST)
    throw std::invalid_argument("no particles are closer than 0.7 diameters: expected a longer "
                                "cutoff of the equivariant network");
  w.diameter = static_cast<float>(diameter);
  w.reach = static_cast<float>(reach);
  w.gaussians_per_diameter =
      static_cast<float>(static_cast<double>(w.n_gaussians - 1) / (reach - CLOSEST));
}

void PackedEquivariant::pack_start(const NetworkDescription &network)
{
  EquivariantWeights &w = weights;
  const Part s = scalars(), own = plain(w.n_own);
  float *real = keep(w.padded_width);
  std::fill_n(real, w.width, 1.0F);
  w.real = real;
  w.radii = row(network.tensor("pairs.radii", {w.n_gaussians}),
                {w.n_gaussians, w.n_gaussians, padded(w.n_gaussians, EQUIVARIANT_LANES)});
  w.root_neighbors = std::sqrt(*network.positive_tensor("pairs.neighbors", {}));
  w.begin = matrix(block(network, "begin.weight", own, s));
  w.begin_bias = row(network.tensor("begin.bias", {s.n}), s);
  w.begin_scalars = matrix(block(network, "begin_scalars.weight", s, s));
  w.begin_scalars_bias = row(network.tensor("begin_scalars.bias", {s.n}), s);
  if (!w.n_vectors) return;    // no vectors, no features to begin with
  const Part gates = features(2 * w.n_vectors);
  w.begin_features = matrix(block(network, "begin_features.weight", own, gates));
  w.begin_features_bias = row(network.tensor("begin_features.bias", {gates.n}), gates);
}

EquivariantLayerWeights PackedEquivariant::layer(const NetworkDescription &network,
                                                 const std::string &prefix)
{
  const EquivariantWeights &w = weights;
  const Part s = scalars(), one = features(1), two = features(2), six = features(6),
             own = plain(w.n_own), channels = plain(w.features);
  const auto of = [&](const char *name, Part inputs, Part outputs) {
    return block(network, prefix + name, inputs, outputs);
  };
  const auto bias = [&](const char *name) { return row(network.tensor(prefix + name, {s.n}), s); };
  EquivariantLayerWeights to = {};
  to.normalize = bias("normalize.weight");
  to.normalize_bias = bias("normalize.bias");
  to.center = matrix(of("center.weight", s, s));
  to.center_bias = bias("radial.bias");
  to.send = beside({of("neighbor.weight", s, s), of("send_scalars.weight", s, s)});
  to.send_vectors = matrix(of("send_vectors.weight", channels, one));
  to.send_matrices = matrix(of("send_matrices.weight", channels, one));
  to.pair = below({of("radial.weight", plain(w.n_radial), s), of("angle.weight", two, s)});
  to.gates = beside({of("scalar_gate.weight", s, s), of("feature_gate.weight", s, two)});

  const Part products = features(8);
  const long inputs = 2 * s.n + own.n + products.n;
  const float *update = network.tensor(prefix + "update.weight", {s.n, inputs});
  to.update = below({{update, inputs, s, s},
                     {update + s.n, inputs, s, s},
                     {update + 2 * s.n + own.n, inputs, products, s},
                     {update + 2 * s.n, inputs, own, s}});
  to.update_bias = bias("update.bias");
  const float *change = network.tensor(prefix + "change.weight", {s.n + six.n, s.n});
  to.change = beside({{change, s.n, s, s}, {change + s.n * s.n, s.n, s, six}});
  const float *given = network.tensor(prefix + "change.bias", {s.n + six.n});
  float *changes = keep(s.size() + six.size());
  for (long i = 0; i < s.n; i++) changes[i] = given[i];
  for (long i = 0; i < six.n; i++) changes[s.size() + six.at(i)] = given[s.n + i];
  to.change_bias = changes;
  to.mix_vectors = matrix(of("mix_vectors.weight", six, one));
  to.mix_matrices = matrix(of("mix_matrices.weight", six, one));
  return to;
}

// the same numbers as in torch, but that scales are in the weights
void PackedEquivariant::pack_node_output(const NetworkDescription &network, long n_species)
{
  EquivariantWeights &w = weights;
  const long n = n_species * w.n_times;
  const float *weight = network.tensor("node_output.weight", {n, w.width});
  const float *bias = network.tensor("node_output.bias", {n});
  const float *mean = network.tensor("node_mean", {n_species, w.n_times});
  const float *deviation = network.tensor("node_deviation", {n_species, w.n_times});
  float *rows = keep(n * w.padded_width), *offsets = keep(n);
  for (long i = 0; i < n; i++) {
    for (long j = 0; j < w.width; j++)
      rows[i * w.padded_width + j] = weight[i * w.width + j] * deviation[i] * w.diameter;
    offsets[i] = (bias[i] * deviation[i] + mean[i]) * w.diameter;
  }
  w.node_output = rows;
  w.node_output_bias = offsets;
}

void PackedEquivariant::pack_pairs(const NetworkDescription &network)
{
  EquivariantWeights &w = weights;
  const Part s = scalars(), two = features(2);
  const auto of = [&](const char *name, Part inputs) { return block(network, name, inputs, s); };
  w.pair_sum = matrix(of("edge_output.sum.weight", s));
  w.pair_output = below({of("edge_output.radial.weight", plain(w.n_radial)),
                         of("edge_output.angle.weight", two), of("edge_output.lengths.weight", two),
                         of("edge_output.product.weight", s)});
  w.pair_bias = row(network.tensor("edge_output.radial.bias", {s.n}), s);
  const float *weight = network.tensor("edge_output.output.weight", {w.n_times, w.width});
  const float *bias = network.tensor("edge_output.output.bias", {w.n_times});
  const float *deviation = network.tensor("edge_output.deviation", {w.n_times});
  const float *approach = network.tensor("edge_output.approach", {w.n_vectors, w.n_times});
  float *rows = keep(w.n_times * w.padded_width), *offsets = keep(w.n_times);
  float *shares = keep(w.n_vectors * w.n_times);
  for (long i = 0; i < w.n_times; i++) {
    const float scale = deviation[i] * w.diameter;
    for (long j = 0; j < w.width; j++)
      rows[i * w.padded_width + j] = weight[i * w.width + j] * scale;
    offsets[i] = bias[i] * scale;
  }
  for (long i = 0; i < w.n_vectors * w.n_times; i++) shares[i] = approach[i] * w.diameter;
  w.edge_output = rows;
  w.edge_output_bias = offsets;
  w.approach = shares;
}

#include "weights.h"

#include <cmath>
#include <cstring>

namespace {

constexpr long WIDTH = BOTAN_WIDTH;

using Numbers = std::vector<float>;

// to the nearest, ties to even
uint32_t bfloat16(float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (std::isnan(x)) return (bits >> 16) | 0x40;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

// to = W x + b
void apply(const float *weight, const float *bias, const float *x, float *to)
{
  for (long j = 0; j < WIDTH; j++) {
    to[j] = bias[j];
    for (long k = 0; k < WIDTH; k++) to[j] += weight[j * WIDTH + k] * x[k];
  }
}

// max, but NaN stays NaN
float relu(float x)
{
  return x < 0 ? 0 : x;
}

}    // namespace

const float *Weights::keep(const float *given, long rows, long columns, long stride)
{
  Numbers kept;
  for (long r = 0; r < rows; r++)
    kept.insert(kept.end(), given + r * stride, given + r * stride + columns);
  numbers.push_back(std::move(kept));
  return numbers.back().data();
}

BotanBlock Weights::pack(const float *w, long stride, int panel)
{
  Numbers panels;
  for (long column = 0; column < WIDTH; column += panel)
    for (long k = 0; k < WIDTH; k++)
      for (long j = 0; j < panel; j++) panels.push_back(w[(column + j) * stride + k]);
  std::vector<uint32_t> rounded;
  for (long k = 0; k < WIDTH; k += 2)
    for (long j = 0; j < WIDTH; j++)
      rounded.push_back(bfloat16(w[j * stride + k]) | bfloat16(w[j * stride + k + 1]) << 16);
  pairs.push_back(std::move(rounded));
  return {keep(panels.data(), WIDTH * WIDTH), pairs.back().data()};
}

Weights::Weights(const float *const *w, long columns, int panel) : inputs(columns)
{
  species_first = keep(w[0], WIDTH * inputs);
  species_bias = keep(w[1], WIDTH);
  species_second = keep(w[2], WIDTH * WIDTH);
  species_second_bias = keep(w[3], WIDTH);

  Numbers transposed;
  for (long d = 0; d < 3; d++)
    for (long j = 0; j < WIDTH; j++) transposed.push_back(w[4][3 * j + d]);
  net.encoder_first = keep(transposed.data(), 3 * WIDTH);
  net.encoder_first_bias = keep(w[5], WIDTH);
  net.encoder_second = pack(w[6], WIDTH, panel);
  net.encoder_second_bias = keep(w[7], WIDTH);

  net.from_node = pack(w[8], 3 * WIDTH, panel);
  constant = keep(w[8] + WIDTH, WIDTH, WIDTH, 3 * WIDTH);
  net.from_received = pack(w[8] + 2 * WIDTH, 3 * WIDTH, panel);
  constant_bias = keep(w[9], WIDTH);
  net.node_second = pack(w[10], WIDTH, panel);
  net.node_second_bias = keep(w[11], WIDTH);

  net.from_neighbor = pack(w[12], 4 * WIDTH, panel);
  net.from_center = pack(w[12] + WIDTH, 4 * WIDTH, panel);
  net.from_edge = pack(w[12] + 2 * WIDTH, 4 * WIDTH, panel);
  net.from_constant = pack(w[12] + 3 * WIDTH, 4 * WIDTH, panel);
  net.edge_first_bias = keep(w[13], WIDTH);
  net.edge_second = pack(w[14], WIDTH, panel);
  net.edge_second_bias = keep(w[15], WIDTH);

  net.decoder_first = pack(w[16], WIDTH, panel);
  net.decoder_first_bias = keep(w[17], WIDTH);
  net.decoder_second = pack(w[18], WIDTH, panel);
  net.decoder_second_bias = keep(w[19], WIDTH);
  net.output = keep(w[20], WIDTH);
  net.output_bias = *w[21];
}

// what the first layer makes of a species, NaN of one that the network does not know
float Weights::from_species(long j, int64_t s) const
{
  if (inputs == 1) return species_first[j] * static_cast<float>(s);
  return s < inputs ? species_first[j * inputs + s] : NAN;
}

void Weights::of_species(int64_t n_species, Numbers &node, Numbers &node_constant) const
{
  node.resize(n_species * WIDTH);
  node_constant.resize(n_species * WIDTH);
  for (int64_t s = 0; s < n_species; s++) {
    float hidden[WIDTH], *own = &node[s * WIDTH];
    for (long j = 0; j < WIDTH; j++) hidden[j] = relu(from_species(j, s) + species_bias[j]);
    apply(species_second, species_second_bias, hidden, own);
    for (long j = 0; j < WIDTH; j++) own[j] = relu(own[j]);
    apply(constant, constant_bias, own, &node_constant[s * WIDTH]);
  }
}

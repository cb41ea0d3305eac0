#include "botan_weights.h"

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

}    // namespace

const float *BotanWeights::keep(const float *given, long n)
{
  numbers.emplace_back(given, given + n);
  return numbers.back().data();
}

BotanBlock BotanWeights::pack(const float *w, long stride, int panel)
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

BotanEncoder BotanWeights::encoder(const float *const *layers, int inputs,
                                   const float *constant_block, long stride,
                                   const float *constant_bias, int panel)
{
  Numbers transposed;
  for (int d = 0; d < inputs; d++)
    for (long j = 0; j < WIDTH; j++) transposed.push_back(layers[0][inputs * j + d]);
  return {inputs,
          keep(transposed.data(), inputs * WIDTH),
          keep(layers[1], WIDTH),
          pack(layers[2], WIDTH, panel),
          keep(layers[3], WIDTH),
          pack(constant_block, stride, panel),
          keep(constant_bias, WIDTH)};
}

BotanWeights::BotanWeights(const std::vector<const float *> &w, int inputs_of_nodes,
                           int inputs_of_edges, int panel)
{
  net.nodes = encoder(&w[0], inputs_of_nodes, w[8] + WIDTH, 3 * WIDTH, w[9], panel);
  net.edges = encoder(&w[4], inputs_of_edges, w[12] + 3 * WIDTH, 4 * WIDTH, w[13], panel);

  net.from_node = pack(w[8], 3 * WIDTH, panel);
  net.from_received = pack(w[8] + 2 * WIDTH, 3 * WIDTH, panel);
  net.node_second = pack(w[10], WIDTH, panel);
  net.node_second_bias = keep(w[11], WIDTH);

  net.from_neighbor = pack(w[12], 4 * WIDTH, panel);
  net.from_center = pack(w[12] + WIDTH, 4 * WIDTH, panel);
  net.from_edge = pack(w[12] + 2 * WIDTH, 4 * WIDTH, panel);
  net.edge_second = pack(w[14], WIDTH, panel);
  net.edge_second_bias = keep(w[15], WIDTH);

  net.decoder_first = pack(w[16], WIDTH, panel);
  net.decoder_first_bias = keep(w[17], WIDTH);
  net.decoder_second = pack(w[18], WIDTH, panel);
  net.decoder_second_bias = keep(w[19], WIDTH);
  net.output = keep(w[20], WIDTH);
  net.output_bias = *w[21];
}

// The weights of an equivariant network, in the order in which the kernels read them.

#ifndef BOTAN_EQUIVARIANT_WEIGHTS_H
#define BOTAN_EQUIVARIANT_WEIGHTS_H

#include "equivariant_kernels.h"
#include "memory.h"
#include "network.h"

#include <initializer_list>
#include <string>
#include <vector>

class PackedEquivariant {
 public:
  EquivariantWeights weights = {};

  explicit PackedEquivariant(const NetworkDescription &);
  PackedEquivariant(const PackedEquivariant &) = delete;    // pointers in it stay
  PackedEquivariant &operator=(const PackedEquivariant &) = delete;

 private:
  // inputs or outputs of a matrix: n, in groups that are padded
  struct Part {
    long n, group, padded;
    long at(long i) const { return i / group * padded + i % group; }
    long size() const { return n / group * padded; }
  };
  // a part of a weight of torch, whose outputs are `stride` apart
  struct Block {
    const float *weight;
    long stride;
    Part inputs, outputs;
  };

  std::vector<Memory<float>> numbers;
  std::vector<EquivariantLayerWeights> layers;

  void read_settings(const NetworkDescription &);
  void pack_start(const NetworkDescription &);
  EquivariantLayerWeights layer(const NetworkDescription &, const std::string &prefix);
  void pack_node_output(const NetworkDescription &, long n_species);
  void pack_pairs(const NetworkDescription &);

  Part scalars() const { return {weights.width, weights.width, weights.padded_width}; }
  Part features(long groups) const
  {
    return {groups * weights.features, weights.features, weights.padded_features};
  }
  static Part plain(long n) { return {n, 1, 1}; }
  static Block block(const NetworkDescription &, const std::string &name, Part inputs,
                     Part outputs);
  float *keep(long n);
  float *row(const float *given, Part);
  static void place(const Block &, float *to, long columns);
  EquivariantMatrix matrix(const Block &);
  EquivariantMatrix below(std::initializer_list<Block>);     // inputs one after the other
  EquivariantMatrix beside(std::initializer_list<Block>);    // outputs one after the other
};

#endif

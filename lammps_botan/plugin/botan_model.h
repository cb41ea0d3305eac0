/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// A trained network as the fix sees it: no torch here, no LAMMPS there.
// docs/reference/model_file.md is the contract behind it. A function that can fail returns what
// went wrong, or an empty string.

#ifndef BOTAN_MODEL_H
#define BOTAN_MODEL_H

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

struct BotanGraph {
  int64_t n_local = 0;                      // these come first among the nodes
  std::vector<int64_t> species;             // [n_nodes], local and ghost
  std::vector<int64_t> first_edge = {0};    // [n_local + 1], of those that arrive at a node
  std::vector<int32_t> neighbor;            // [n_edges]
  std::vector<float> vectors;               // [n_edges, 3], r_center - r_neighbor
  // of models with inputs (docs/reference/model_file.md)
  std::vector<float> node_vectors;    // [n_nodes, V, 3]
  std::vector<float> node_scalars;    // [n_nodes, K]
  // pairs at least so long need no output
  float pair_range = INFINITY;
};

struct BotanSizes {
  int rounds = 0;
  int width = 0;    // columns of the node state, which is what ranks exchange
  int node_outputs = 0;
  int edge_outputs = 0;
  int node_vectors = 0, node_scalars = 0;    // inputs of a node besides its species

  bool has_inputs() const { return node_vectors + node_scalars > 0; }
};

class BotanModel {
 public:
  virtual ~BotanModel() = default;
  virtual std::string device() const = 0;
  virtual std::string engine() const = 0;    // torch, or the instructions that the engine uses
  virtual std::string set_sizes(const BotanSizes &sizes) = 0;    // checks the methods for them
  virtual double memory_usage() const = 0;                       // bytes held between two scorings
  virtual void release_memory() = 0;                             // until the next scoring

  // one scoring: encode, step 0, [ghost rows of node() refreshed, step m] ..., decode; with inputs
  // ghost rows are refreshed before step 0 as well.
  // the graph must live until decode
  virtual std::string encode(const BotanGraph &graph) = 0;
  virtual std::string step(int round) = 0;
  virtual float *node() = 0;    // [n_nodes, width] in host memory
  virtual std::string decode(std::vector<float> &node_out, std::vector<float> &edge_out) = 0;

  // the same by the method forward of the model file, on a graph without ghosts: it has a number of
  // rounds of its own
  virtual std::string forward(const BotanGraph &, std::vector<float> &, std::vector<float> &)
  {
    return "the compiled engine has no method forward";
  }
};

// trust runs code that check_program refuses (torch_program.h); device is cpu, cuda or auto;
// rank_on_host shares the GPUs of a host out among its ranks.
// message says why the result is a null pointer
using BotanModelCreator = BotanModel *(const char *bytes, size_t n_bytes, bool trust,
                                       const char *device, int rank_on_host, int threads,
                                       std::string *message);

#endif

/* A kind of network in the engine. A new kind is a subclass and a line in engine.cpp.

   The equations are those of the classes in lammps_botan/network; names and shapes of tensors are
   those of their state_dict.
*/

#ifndef BOTAN_NETWORK_H
#define BOTAN_NETWORK_H

#include "graph.h"
#include "instructions.h"

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

// what a model file says of one network; what does not fit throws std::invalid_argument
class NetworkDescription {
 public:
  struct Tensor {
    std::vector<long> shape;
    const float *numbers;    // row-major
  };

  std::string kind;                          // such as "botan"
  std::map<std::string, double> settings;    // history and inherent are 1 where it sees them
  std::map<std::string, Tensor> tensors;

  // throws if a setting or a tensor was not asked for: it would mean something that is not computed
  void check_all_used() const;

  long whole(const std::string &name, long least, long most) const;
  bool flag(const std::string &name) const;          // false where it is not set
  double positive(const std::string &name) const;    // and finite
  const float *tensor(const std::string &name, std::initializer_list<long> shape) const;
  const float *positive_tensor(const std::string &name, std::initializer_list<long> shape) const;
  long columns(const std::string &name) const;    // of a tensor with two dimensions

  long n_vectors() const { return flag("history") + flag("inherent"); }
  long n_scalars() const { return 2 * flag("history") + flag("inherent"); }

 private:
  mutable std::set<std::string> used;
};

// another program may compute it
struct UnknownNetwork : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

class EngineNetwork {
 public:
  virtual ~EngineNetwork() = default;

  long rounds = 0;
  long width = 0;    // columns of the node state, which is what ranks exchange
  long node_outputs = 0, edge_outputs = 0;

  // without inputs the rows of ghosts are encoded as well; with inputs they come from other ranks
  virtual void encode(const EngineGraph &) = 0;
  // round is 0 .. rounds - 1; the rows of ghosts are fresh. The last one writes the outputs,
  // row-major [n_local, node_outputs] and [n_edges, edge_outputs]
  virtual void step(long round, float *node_out, float *edge_out) = 0;
  virtual float *node() = 0;           // [n_nodes, width]
  virtual double bytes() const = 0;    // kept for the next graph
  virtual void release_memory() = 0;
};

// weights are copied; what does not fit throws std::invalid_argument
std::unique_ptr<EngineNetwork> make_botan(const NetworkDescription &, Instructions);
std::unique_ptr<EngineNetwork> make_linear(const NetworkDescription &, Instructions);
std::unique_ptr<EngineNetwork> make_equivariant(const NetworkDescription &, Instructions);

#endif

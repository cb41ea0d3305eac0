/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Knows torch, as torch_program.cpp does, in a library of its own (see CMakeLists.txt).

#include "botan_model.h"
#include "torch_program.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/cuda.h>
#include <torch/script.h>
#include <torch/version.h>

#include <sstream>
#include <stdexcept>

namespace {

// a message of torch can be pages: keep the line that says what happened

std::string brief(const std::string &text)
{
  const bool interpreter = text.find("TorchScript interpreter") != std::string::npos;
  std::istringstream lines(text);
  std::string line, kept;
  while (std::getline(lines, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    kept = line;
    if (!interpreter) break;    // the interpreter puts a traceback before its message
  }
  return kept;
}

// torch's number of threads belongs to the whole process, LAMMPS's OpenMP styles included:
// set it only while the model computes

class Threads {
 public:
  explicit Threads(int threads) : before(at::get_num_threads()) { set(threads); }
  ~Threads() { set(before); }
  Threads(const Threads &) = delete;
  Threads &operator=(const Threads &) = delete;

 private:
  int before;
  static void set(int threads)
  {
    if (threads != at::get_num_threads()) at::set_num_threads(threads);
  }
};

class TorchModel : public BotanModel {
 public:
  TorchModel(std::string_view, bool trust, const std::string &, int, int);
  std::string device() const override { return torch_device.str(); }
  std::string engine() const override { return "torch"; }
  std::string set_sizes(const BotanSizes &) override;
  double memory_usage() const override { return 0.0; }    // decode gives it back
  void release_memory() override {}
  std::string encode(const BotanGraph &) override;
  std::string step(int) override;
  float *node() override { return host_node.data_ptr<float>(); }
  std::string decode(std::vector<float> &, std::vector<float> &) override;
  std::string forward(const BotanGraph &, std::vector<float> &, std::vector<float> &) override;

 private:
  torch::Device torch_device = torch::kCPU;
  int n_threads;
  torch::jit::Module module;
  BotanSizes sizes;

  int64_t n_nodes = 0, n_local = 0, n_edges = 0;
  at::Tensor node_state, host_node;    // the same tensor on the CPU
  at::Tensor node_const, edge, edge_const, center, neighbor;

  template <typename F> std::string guarded(F body);
  std::vector<c10::IValue> encode_arguments(const BotanGraph &);
  static std::vector<at::Tensor> call(const torch::jit::Module &, const char *,
                                      std::vector<c10::IValue>, size_t);
  void check(const char *, const char *, const at::Tensor &, int64_t, int64_t) const;
  void copy_outputs(const char *, const std::vector<at::Tensor> &, std::vector<float> &,
                    std::vector<float> &) const;
  std::vector<at::Tensor> send_together(const std::vector<at::Tensor> &) const;
};

torch::Device choose_device(const std::string &wanted, int rank_on_host)
{
  if (wanted == "cpu" || (wanted == "auto" && !torch::cuda::is_available())) return torch::kCPU;
  if (!torch::cuda::is_available())
    throw std::runtime_error("device cuda was asked for, but torch finds no CUDA device here; "
                             "use `device cpu`, or `device auto` to take a GPU where there is one");
  const int n_devices = static_cast<int>(torch::cuda::device_count());
  return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(rank_on_host % n_devices));
}

void check_method(const torch::jit::Module &module, const char *name, size_t n_arguments)
{
  const auto method = module.find_method(name);
  if (!method) throw std::runtime_error(std::string("the model has no method ") + name);
  const size_t found = method->function().getSchema().arguments().size() - 1;    // less self
  if (found != n_arguments)
    throw std::runtime_error(std::string("method ") + name + " of the model takes " +
                             std::to_string(found) + " arguments, expected " +
                             std::to_string(n_arguments));
}

TorchModel::TorchModel(std::string_view bytes, bool trust, const std::string &device,
                       int rank_on_host, int threads) :
    torch_device(choose_device(device, rank_on_host)), n_threads(threads)
{
  const c10::InferenceMode inference;
  std::istringstream stream{std::string(bytes)};
  try {
    if (!trust) check_program(bytes);
    module = torch::jit::load(stream, torch_device);
  } catch (const c10::Error &failure) {
    // the rest of this message guesses at causes
    const std::string text = brief(failure.what_without_backtrace());
    throw std::runtime_error("not a TorchScript archive (" + text.substr(0, text.find(". ")) +
                             "); `lammps-botan export` makes one from a checkpoint");
  }
  module.eval();
}

std::string TorchModel::set_sizes(const BotanSizes &given)
{
  return guarded([&] {
    sizes = given;
    check_method(module, "encode", sizes.has_inputs() ? 7 : 2);
    check_method(module, "step", 8);
    check_method(module, "decode", 2);
    check_method(module, "forward", sizes.has_inputs() ? 6 : 4);
  });
}

// no exception of torch may reach LAMMPS

template <typename F> std::string TorchModel::guarded(F body)
{
  try {
    const c10::InferenceMode inference;
    const Threads threads(n_threads);
    body();
    return "";
  } catch (const c10::Error &failure) {
    return brief(failure.what_without_backtrace());
  } catch (const std::exception &failure) {
    return brief(failure.what());
  }
}

std::vector<at::Tensor> TorchModel::call(const torch::jit::Module &network, const char *name,
                                         std::vector<c10::IValue> inputs, size_t n_results)
{
  const c10::IValue result = network.get_method(name)(std::move(inputs));
  std::vector<at::Tensor> tensors;
  if (result.isTuple())
    for (const auto &element : result.toTupleRef().elements())
      if (element.isTensor()) tensors.push_back(element.toTensor());
  if (tensors.size() != n_results)
    throw std::runtime_error(std::string("method ") + name +
                             " of the model must return a tuple of " + std::to_string(n_results) +
                             " tensors");
  return tensors;
}

// columns < 0: the model's own affair

void TorchModel::check(const char *method, const char *name, const at::Tensor &tensor, int64_t rows,
                       int64_t columns) const
{
  const bool fits =
      tensor.dim() == 2 && tensor.size(0) == rows && (columns < 0 || tensor.size(1) == columns) &&
      tensor.scalar_type() == torch::kFloat32 && tensor.device().type() == torch_device.type();
  if (fits) return;
  std::ostringstream text;
  text << "method " << method << " of the model returned " << name << " as "
       << c10::toString(tensor.scalar_type()) << " " << tensor.sizes() << " on " << tensor.device()
       << ", expected Float [" << rows << ", ";
  if (columns < 0)
    text << "any]";
  else
    text << columns << "]";
  text << " on " << torch_device;
  throw std::runtime_error(text.str());
}

// in one transfer, of page-locked memory to a GPU; arrays of larger numbers must come first

std::vector<at::Tensor> TorchModel::send_together(const std::vector<at::Tensor> &arrays) const
{
  std::vector<at::Tensor> bytes, sent;
  for (const at::Tensor &array : arrays) bytes.push_back(array.flatten().view(torch::kUInt8));
  at::Tensor together = at::cat(bytes);
  if (!torch_device.is_cpu()) together = together.pin_memory().to(torch_device);
  int64_t first = 0;
  for (const at::Tensor &array : arrays) {
    const auto size = static_cast<int64_t>(array.nbytes());
    sent.push_back(together.narrow(0, first, size).view(array.scalar_type()).view(array.sizes()));
    first += size;
  }
  return sent;
}

// also sets sizes, centers and neighbors

std::vector<c10::IValue> TorchModel::encode_arguments(const BotanGraph &graph)
{
  n_local = graph.n_local;
  n_nodes = static_cast<int64_t>(graph.species.size());
  n_edges = static_cast<int64_t>(graph.neighbor.size());
  const auto array = [](const auto &numbers, std::vector<int64_t> shape, at::ScalarType type) {
    return at::from_blob(const_cast<void *>(static_cast<const void *>(numbers.data())), shape,
                         type);
  };
  const std::vector<at::Tensor> given =
      send_together({array(graph.species, {n_nodes}, torch::kInt64),
                     array(graph.first_edge, {n_local + 1}, torch::kInt64),
                     array(graph.neighbor, {n_edges}, torch::kInt32),
                     array(graph.vectors, {n_edges, 3}, torch::kFloat32),
                     array(graph.node_vectors, {n_nodes, sizes.node_vectors, 3}, torch::kFloat32),
                     array(graph.node_scalars, {n_nodes, sizes.node_scalars}, torch::kFloat32)});
  center = at::repeat_interleave(given[1].diff(), std::optional<int64_t>(n_edges));
  neighbor = given[2].to(torch::kInt64);
  if (!sizes.has_inputs()) return {given[0], given[3]};
  return {given[0], given[3], given[4], given[5], center, neighbor, n_local};
}

std::string TorchModel::encode(const BotanGraph &graph)
{
  return guarded([&] {
    const auto state = call(module, "encode", encode_arguments(graph), 4);
    // models with inputs give local nodes only, since what they give may depend on edges
    const int64_t rows = sizes.has_inputs() ? n_local : n_nodes;
    check("encode", "node", state[0], rows, sizes.width);
    check("encode", "node_const", state[1], rows, -1);
    check("encode", "edge", state[2], n_edges, -1);
    check("encode", "edge_const", state[3], n_edges, -1);
    // a copy: rows of ghosts are written into it
    node_state = at::zeros({n_nodes, sizes.width}, state[0].options());
    node_state.narrow(0, 0, rows).copy_(state[0]);
    node_const = state[1].contiguous();
    edge = state[2].contiguous();
    edge_const = state[3].contiguous();
    host_node = node_state.cpu();
  });
}

std::string TorchModel::step(int round)
{
  return guarded([&] {
    // rows of ghosts came in through host_node
    if ((round > 0 || sizes.has_inputs()) && !torch_device.is_cpu())
      node_state.narrow(0, n_local, n_nodes - n_local)
          .copy_(host_node.narrow(0, n_local, n_nodes - n_local));

    const auto state = call(module, "step",
                            {static_cast<int64_t>(round), node_state, node_const, edge, edge_const,
                             center, neighbor, n_local},
                            2);
    check("step", "node_local", state[0], n_local, sizes.width);
    check("step", "edge", state[1], n_edges, -1);
    node_state.narrow(0, 0, n_local).copy_(state[0]);
    edge = state[1].contiguous();
    if (!torch_device.is_cpu()) host_node.narrow(0, 0, n_local).copy_(state[0]);
  });
}

void TorchModel::copy_outputs(const char *method, const std::vector<at::Tensor> &outputs,
                              std::vector<float> &node_out, std::vector<float> &edge_out) const
{
  check(method, "node_out", outputs[0], n_local, sizes.node_outputs);
  check(method, "edge_out", outputs[1], n_edges, sizes.edge_outputs);
  const at::Tensor both = at::cat({outputs[0].flatten(), outputs[1].flatten()}).cpu();
  const float *first = both.data_ptr<float>(), *middle = first + outputs[0].numel();
  node_out.assign(first, middle);
  edge_out.assign(middle, first + both.numel());
}

std::string TorchModel::decode(std::vector<float> &node_out, std::vector<float> &edge_out)
{
  return guarded([&] {
    const auto outputs = call(module, "decode", {node_state.narrow(0, 0, n_local), edge}, 2);
    copy_outputs("decode", outputs, node_out, edge_out);
    // memory of the edges is the largest part: not held until the next scoring
    for (at::Tensor *tensor :
         {&node_state, &host_node, &node_const, &edge, &edge_const, &center, &neighbor})
      *tensor = at::Tensor();
  });
}

std::string TorchModel::forward(const BotanGraph &graph, std::vector<float> &node_out,
                                std::vector<float> &edge_out)
{
  return guarded([&] {
    auto arguments = encode_arguments(graph);
    if (sizes.has_inputs())
      arguments.pop_back();    // n_local
    else
      arguments.insert(arguments.end(), {center, neighbor});
    copy_outputs("forward", call(module, "forward", arguments, 2), node_out, edge_out);
    center = neighbor = at::Tensor();
  });
}

}    // namespace

// torch's interface in C++ changes with its releases, and a library that was built with one may
// load with another and compute with it: what is wrong, or an empty string

extern "C" __attribute__((visibility("default"))) const char *botan_torch_failure()
{
  static std::string words;
  const uint64_t found = aoti_torch_abi_version();    // the release in its first three bytes
  const uint64_t major = found >> 56, minor = found >> 48 & 255, patch = found >> 40 & 255;
  if (major == TORCH_VERSION_MAJOR && minor == TORCH_VERSION_MINOR) return "";
  const auto join = [](uint64_t a, uint64_t b, uint64_t c) {
    return std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c);
  };
  const std::string built = join(TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR, TORCH_VERSION_PATCH);
  words = "expected torch " + built + ", with which libbotan_model.so was built, found torch " +
          join(major, minor, patch) + ": pip install torch==" + built +
          ", or compile lammps-botan again with the torch that is there (docs/how_to/install.md)";
  return words.c_str();
}

extern "C" __attribute__((visibility("default"))) BotanModel *
create_botan_model(const char *bytes, size_t n_bytes, bool trust, const char *device,
                   int rank_on_host, int threads, std::string *message)
{
  try {
    return new TorchModel({bytes, n_bytes}, trust, device, rank_on_host, threads);
  } catch (const c10::Error &failure) {
    *message = brief(failure.what_without_backtrace());
  } catch (const std::exception &failure) {
    *message = brief(failure.what());
  }
  return nullptr;
}

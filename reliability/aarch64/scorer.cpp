// Scores one graph by the engine, with networks and graph from a file and outputs to another:
//
//     scorer libbotan_engine.so given.bin outputs.bin
//
// It stands for Python and LAMMPS where there is neither: reliability/aarch64.py writes and reads
// the files. Numbers are little-endian; a list begins with its length.

#include "engine.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <dlfcn.h>
#include <string>
#include <vector>

namespace {

void fail(const std::string &what)
{
  fprintf(stderr, "%s\n", what.c_str());
  exit(1);
}

class Given {
 public:
  explicit Given(const char *path) : file(fopen(path, "rb"))
  {
    if (!file) fail(std::string("cannot read ") + path);
  }
  template <class T> const std::vector<T> &list()
  {
    std::vector<T> numbers(one<int64_t>());
    take(numbers.data(), numbers.size() * sizeof(T));
    return kept(std::move(numbers));
  }
  template <class T> T one()
  {
    T number;
    take(&number, sizeof number);
    return number;
  }
  const char *text()
  {
    const auto &letters = list<char>();
    texts.emplace_back(letters.begin(), letters.end());
    return texts.back().c_str();
  }
  template <class T> const std::vector<T> &kept(std::vector<T> numbers)
  {
    static std::deque<std::vector<T>> all;    // they stay in their place when there come more
    all.push_back(std::move(numbers));
    return all.back();
  }

 private:
  FILE *file;
  std::deque<std::string> texts;

  void take(void *to, size_t bytes)
  {
    if (bytes && fread(to, bytes, 1, file) != 1) fail("the file ends too early");
  }
};

BotanGivenNetwork network(Given &given)
{
  const char *kind = given.text();
  std::vector<BotanSetting> settings(given.one<int64_t>());
  for (auto &setting : settings) {
    setting.name = given.text();
    setting.value = given.one<double>();
  }
  std::vector<BotanTensor> tensors(given.one<int64_t>());
  for (auto &tensor : tensors) {
    tensor.name = given.text();
    const auto &shape = given.list<int64_t>();
    tensor.n_dimensions = static_cast<int64_t>(shape.size());
    tensor.shape = shape.data();
    tensor.numbers = given.list<float>().data();
  }
  const auto &kept_settings = given.kept(std::move(settings));
  const auto &kept_tensors = given.kept(std::move(tensors));
  return {kind, static_cast<int64_t>(kept_settings.size()), kept_settings.data(),
          static_cast<int64_t>(kept_tensors.size()), kept_tensors.data()};
}

template <class F> F *function(void *library, const char *name)
{
  void *found = dlsym(library, name);
  if (!found) fail(std::string("no function ") + name);
  return reinterpret_cast<F *>(found);
}

}    // namespace

int main(int, char **arguments)
{
  void *library = dlopen(arguments[1], RTLD_NOW);
  if (!library) fail(dlerror());
  const auto create = function<decltype(botan_engine_create)>(library, "botan_engine_create");
  const auto find_sizes = function<decltype(botan_engine_sizes)>(library, "botan_engine_sizes");
  const auto encode = function<decltype(botan_engine_encode)>(library, "botan_engine_encode");
  const auto step = function<decltype(botan_engine_step)>(library, "botan_engine_step");
  const auto instructions =
      function<decltype(botan_engine_instructions)>(library, "botan_engine_instructions");

  Given given(arguments[2]);
  std::vector<BotanGivenNetwork> networks(given.one<int64_t>());
  for (auto &one : networks) one = network(given);
  bool known;
  const char *message = "";
  BotanEngine *engine =
      create(static_cast<int64_t>(networks.size()), networks.data(), false, &known, &message);
  if (!engine) fail(message);

  EngineGraph graph;
  graph.threads = given.one<int64_t>();
  const auto &species = given.list<int64_t>();
  const auto &neighbor = given.list<int32_t>();
  graph.n_local = graph.n_nodes = static_cast<int64_t>(species.size());
  graph.n_edges = static_cast<int64_t>(neighbor.size());
  graph.species = species.data();
  graph.neighbor = neighbor.data();
  graph.first_edge = given.list<int64_t>().data();
  graph.vectors = given.list<float>().data();
  graph.node_vectors = given.list<float>().data();
  graph.node_scalars = given.list<float>().data();

  BotanEngineSizes sizes;
  find_sizes(engine, &sizes);
  std::vector<float> outputs(graph.n_local * sizes.node_outputs +
                             graph.n_edges * sizes.edge_outputs);
  if (!encode(engine, &graph)) fail("not enough memory");
  for (int64_t round = 0; round < sizes.rounds; round++)
    step(engine, outputs.data(), outputs.data() + graph.n_local * sizes.node_outputs);

  FILE *file = fopen(arguments[3], "wb");
  if (!file || fwrite(outputs.data(), sizeof(float), outputs.size(), file) != outputs.size() ||
      fclose(file) != 0)
    fail("cannot write the outputs");
  printf("%s\n", instructions(engine));
}

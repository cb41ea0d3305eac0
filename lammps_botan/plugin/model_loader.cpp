/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "model_loader.h"

#include "archive.h"
#include "checksum.h"
#include "engine_model.h"
#include "model_fallback.h"
#include "model_weights.h"
#include "readable.h"

#include "comm.h"
#include "error.h"
#include "lammps.h"
#include "platform.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <string_view>
#include <unistd.h>

using namespace LAMMPS_NS;

// folder of botanplugin.so, where libbotan_model.so lies as well; taken when the plugin is loaded,
// since its path may be relative and LAMMPS may change its folder later

static std::string plugin_folder()
{
  Dl_info info;
  if (!dladdr(reinterpret_cast<void *>(&plugin_folder), &info) || !info.dli_fname) return ".";
  const std::string folder = platform::path_dirname(info.dli_fname);
  if (folder[0] == '/') return folder;
  char *current = getcwd(nullptr, 0);
  const std::string path = platform::path_join(current ? current : ".", folder);
  free(current);
  return path;
}

static const std::string FOLDER = plugin_folder();

static std::string read_file(const std::string &path, std::vector<char> &bytes)
{
  FILE *file = fopen(path.c_str(), "rb");
  bool complete = file && platform::fseek(file, platform::END_OF_FILE) == 0;
  if (complete) {
    bytes.resize(platform::ftell(file));
    rewind(file);
    complete = fread(bytes.data(), 1, bytes.size(), file) == bytes.size();
  }
  if (file) fclose(file);
  return complete ? "" : fmt::format("cannot read model file {}", path);
}

static std::string read_model_file(const std::string &name, std::vector<char> &bytes)
{
  const std::string shipped =
      platform::path_join(platform::path_dirname(FOLDER), "network/shipped");
  for (const std::string &path : {name, platform::path_join(shipped, name + ".pt")})
    // not a folder; stat() would need a newer glibc than the wheel asks for
    if (access(path.c_str(), F_OK) == 0 && access((path + "/.").c_str(), F_OK) != 0)
      return read_file(path, bytes);
  return fmt::format("no model file '{}', nor a model of that name in {}; `lammps-botan models` "
                     "lists those that came with the package",
                     name, shipped);
}

static std::string open_model_library(BotanModelCreator *&create)
{
  // never closed: torch does not survive being unloaded
  static void *library = nullptr;
  // torch takes tens of MB anew for every operation on the edges: with huge pages a scoring takes
  // half the time. torch reads this once, and a user's own choice stands
  setenv("THP_MEM_ALLOC_ENABLE", "1", 0);
  const std::string path = platform::path_join(FOLDER, "libbotan_model.so");
  if (!library && !platform::file_is_readable(path))
    return fmt::format("{} is missing, since this lammps-botan was compiled without torch; "
                       "docs/how_to/install.md says how to compile it with torch",
                       path);
  if (!library) library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fmt::format(
        "cannot load {}: {}; it needs the torch it was built with in the same Python "
        "environment: pip install torch=={} (or put the lib folder of that torch into "
        "LD_LIBRARY_PATH)",
        path, dlerror(), BOTAN_TORCH_VERSION);
  using Failure = const char *();
  auto *failure = reinterpret_cast<Failure *>(dlsym(library, "botan_torch_failure"));
  if (failure && failure()[0]) return failure();
  create = reinterpret_cast<BotanModelCreator *>(dlsym(library, "create_botan_model"));
  return create ? "" : fmt::format("{} is not part of this plugin: {}", path, dlerror());
}

/* ----------------------------------------------------------------------
   a failure on any rank becomes one error on all of them
------------------------------------------------------------------------- */

static void agree(LAMMPS *lmp, const std::string &failure)
{
  MPI_Comm world = lmp->world;
  const int mine = failure.empty() ? lmp->comm->nprocs : lmp->comm->me;
  int first = 0;
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, world);
  if (first == lmp->comm->nprocs) return;

  int length = static_cast<int>(failure.size());
  MPI_Bcast(&length, 1, MPI_INT, first, world);
  std::string text = failure;
  text.resize(length);
  MPI_Bcast(text.data(), length, MPI_CHAR, first, world);
  lmp->error->all(FLERR, FixBotanArguments::MODEL, "Fix botan: {}", readable(text));
}

/* ----------------------------------------------------------------------
   outputs on a graph without ghosts
------------------------------------------------------------------------- */

static BotanGraph small_graph(const ModelMetadata &metadata)
{
  constexpr int N = 16;
  BotanGraph graph;
  graph.n_local = N;
  for (int i = 0; i < N; i++) {
    graph.species.push_back(i % static_cast<int>(metadata.mixture.species.size()));
    for (int k = 1; k < N; k += 2) {
      graph.neighbor.push_back((i + k) % N);
      // directions and lengths of no meaning, within the cutoff
      for (const int d : {2, 3, 5})
        graph.vectors.push_back(static_cast<float>(0.5 * metadata.cutoff * sin(d * (i + N * k))));
    }
    graph.first_edge.push_back(static_cast<int64_t>(graph.neighbor.size()));
    for (int k = 0; k < 3 * metadata.sizes.node_vectors; k++)
      graph.node_vectors.push_back(static_cast<float>(0.1 * metadata.cutoff * sin(i + N * k)));
    for (int k = 0; k < metadata.sizes.node_scalars; k++)
      graph.node_scalars.push_back(static_cast<float>(cos(i + N * k)));
  }
  return graph;
}

static std::string try_out(BotanModel &model, const BotanGraph &graph, int rounds,
                           std::vector<float> &node_out, std::vector<float> &edge_out)
{
  std::string failure = model.encode(graph);
  for (int round = 0; failure.empty() && round < rounds; round++) failure = model.step(round);
  return failure.empty() ? model.decode(node_out, edge_out) : failure;
}

static bool are_close(const std::vector<float> &a, const std::vector<float> &b)
{
  float scale = 0.0F;
  for (const float x : b) scale = MAX(scale, std::fabs(x));
  for (size_t i = 0; i < a.size(); i++)
    if (!(std::fabs(a[i] - b[i]) <= 1e-4F * scale)) return false;
  return a.size() == b.size();
}

/* ----------------------------------------------------------------------
   metadata.json says how often step is called, and the method forward knows it by itself
------------------------------------------------------------------------- */

static std::string check_rounds(BotanModel &model, const ModelMetadata &metadata)
{
  const BotanGraph graph = small_graph(metadata);
  std::vector<float> node_out[2], edge_out[2];
  std::string failure = try_out(model, graph, metadata.sizes.rounds, node_out[0], edge_out[0]);
  if (failure.empty()) failure = model.forward(graph, node_out[1], edge_out[1]);
  if (!failure.empty()) return "";    // a scoring will say so, with the step
  for (const auto &outputs : {node_out[0], node_out[1], edge_out[0], edge_out[1]})
    for (const float x : outputs)
      if (!std::isfinite(x)) return "";    // likewise
  if (are_close(node_out[0], node_out[1]) && are_close(edge_out[0], edge_out[1])) return "";
  return fmt::format("{} rounds, as metadata.json has them, give other numbers than the model "
                     "itself: the file is damaged, or was not made by `lammps-botan export`",
                     metadata.sizes.rounds);
}

/* ----------------------------------------------------------------------
   what a model file holds, besides TorchScript
------------------------------------------------------------------------- */

struct Contents {
  std::string_view bytes;    // of the whole archive
  std::string words;         // its name in messages
  ModelWeights weights;      // none where the engine does not know the network
  std::string_view fallback;
};

static void read_contents(LAMMPS *lmp, Contents &contents, ModelMetadata &metadata)
{
  std::string failure;
  try {
    failure = parse_metadata(extra_file(contents.bytes, "metadata.json"), metadata);
    if (failure.empty() && !metadata.networks.empty())
      failure = contents.weights.read(extra_file(contents.bytes, "weights.safetensors"), metadata);
    contents.fallback = extra_file(contents.bytes, "fallback.pt");
  } catch (const std::exception &unreadable) {
    failure =
        fmt::format("{}; `lammps-botan export` makes one from a checkpoint", unreadable.what());
  }
  agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", contents.words, failure));
}

/* ----------------------------------------------------------------------
   by torch: on a GPU, and where the engine does not know the network or is not wanted
------------------------------------------------------------------------- */

// the environment of rank 0 counts: that of other hosts may be another one

static bool environment_wants_torch(LAMMPS *lmp)
{
  const char *engine = getenv("LAMMPS_BOTAN_ENGINE");
  int wants = engine && std::string_view(engine) == "torch";
  MPI_Bcast(&wants, 1, MPI_INT, 0, lmp->world);
  return wants != 0;
}

static std::string why_torch(const FixBotanArguments &given, bool known_to_engine)
{
  if (!known_to_engine)
    return "the compiled engine does not know its network, or an earlier version of lammps-botan "
           "wrote the file, and `lammps-botan export` writes it again";
  return given.device == "cpu" ? "LAMMPS_BOTAN_ENGINE is torch" : "device " + given.device;
}

static std::unique_ptr<BotanModel> open_with_torch(LAMMPS *lmp, const FixBotanArguments &given,
                                                   const Contents &contents, bool known_to_engine,
                                                   std::string &failure)
{
  MPI_Comm host;
  int rank_on_host = 0;
  MPI_Comm_split_type(lmp->world, MPI_COMM_TYPE_SHARED, lmp->comm->me, MPI_INFO_NULL, &host);
  MPI_Comm_rank(host, &rank_on_host);
  MPI_Comm_free(&host);

  BotanModelCreator *create = nullptr;
  failure = open_model_library(create);
  if (!failure.empty()) {
    failure = fmt::format("{} is computed by torch here ({}): {}", contents.words,
                          why_torch(given, known_to_engine), failure);
    return nullptr;
  }
  std::unique_ptr<BotanModel> model(create(contents.bytes.data(), contents.bytes.size(),
                                           given.trust, given.device.c_str(), rank_on_host,
                                           given.threads, &failure));
  if (!model) failure = fmt::format("{}: {}", contents.words, failure);
  return model;
}

// `device auto` takes a GPU where there is one on any rank, and does without torch elsewhere

static std::unique_ptr<BotanModel> choose_torch(LAMMPS *lmp, const FixBotanArguments &given,
                                                const Contents &contents, bool known_to_engine)
{
  const bool not_wanted = given.device == "cpu" && !environment_wants_torch(lmp);
  if (known_to_engine && not_wanted) return nullptr;
  std::string failure;
  auto model = open_with_torch(lmp, given, contents, known_to_engine, failure);
  if (known_to_engine && given.device == "auto") {
    const int mine = model && model->device() != "cpu";
    int any = 0;
    MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, lmp->world);
    if (!any && !failure.empty() && lmp->comm->me == 0)
      utils::logmesg(lmp, "Fix botan: device auto takes the processor: {}\n", failure);
    if (!any) return nullptr;
  }
  agree(lmp, failure);
  return model;
}

/* ----------------------------------------------------------------------
   plain weights and TorchScript of a file are two ways to say the same
------------------------------------------------------------------------- */

static bool are_finite(const std::vector<float> &numbers)
{
  return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
}

static std::string compare(BotanModel &model, BotanModel &engine, const ModelMetadata &metadata)
{
  const BotanGraph graph = small_graph(metadata);
  std::vector<float> node_out[2], edge_out[2];
  std::string failure = try_out(engine, graph, metadata.sizes.rounds, node_out[0], edge_out[0]);
  if (failure.empty())
    failure = try_out(model, graph, metadata.sizes.rounds, node_out[1], edge_out[1]);
  if (!failure.empty()) return failure;
  if (!are_finite(node_out[1]) || !are_finite(edge_out[1])) return "";    // a scoring will say so
  if (are_close(node_out[0], node_out[1]) && are_close(edge_out[0], edge_out[1])) return "";
  return "its plain weights and its TorchScript predict different numbers: the file was not made "
         "by `lammps-botan export`; do not use it";
}

static std::string check_torch(BotanModel &model, BotanModel *engine, const ModelMetadata &metadata)
{
  // a graph without atoms shows here, on all ranks at once, whether the methods fit together
  std::vector<float> node_out, edge_out;
  std::string failure = try_out(model, BotanGraph(), metadata.sizes.rounds, node_out, edge_out);
  if (!failure.empty()) return "it fails on an empty graph: " + failure;
  failure = check_rounds(model, metadata);
  return failure.empty() && engine ? compare(model, *engine, metadata) : failure;
}

/* ----------------------------------------------------------------------
   what computes a model
------------------------------------------------------------------------- */

static std::unique_ptr<BotanModel> make_model(LAMMPS *lmp, const FixBotanArguments &given,
                                              bool bfloat16, const Contents &contents,
                                              const ModelMetadata &metadata)
{
  const std::string no_bfloat16 =
      "precision bfloat16 is for BOTAN with 64 features on device cpu, by the compiled engine; it "
      "is computed by torch here: write `precision float32`";
  std::string failure;
  // before the processor is asked, which may not know bfloat16 either
  if (bfloat16 && environment_wants_torch(lmp)) failure = no_bfloat16;
  agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", contents.words, failure));
  bool known = false;
  std::unique_ptr<BotanModel> engine;
  if (!metadata.networks.empty())
    engine = make_engine_model(contents.weights, bfloat16, given.threads, known, failure);
  if (!known) failure.clear();    // of a newer version, which torch may compute
  if (failure.empty() && engine) failure = engine->set_sizes(metadata.sizes);
  agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", contents.words, failure));

  auto model = choose_torch(lmp, given, contents, known);
  if (!model) return engine;
  if (bfloat16) failure = no_bfloat16;
  if (failure.empty()) failure = model->set_sizes(metadata.sizes);
  if (failure.empty()) failure = check_torch(*model, engine.get(), metadata);
  agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", contents.words, failure));
  return model;
}

/* ----------------------------------------------------------------------
   rank 0 reads the file
------------------------------------------------------------------------- */

static std::vector<char> share_model_file(LAMMPS *lmp, const FixBotanArguments &given)
{
  MPI_Comm world = lmp->world;
  std::vector<char> bytes;
  std::string failure;
  bool has_checksum = true;
  if (lmp->comm->me == 0) {
    failure = read_model_file(given.model, bytes);
    if (failure.empty()) {
      failure = check_checksum({bytes.data(), bytes.size()}, has_checksum);
      if (!failure.empty()) failure = fmt::format("model file {}: {}", given.model, failure);
    }
  }
  agree(lmp, failure);
  if (!has_checksum)
    utils::logmesg(lmp,
                   "Fix botan: model file {} has no checksum, so that damage goes unseen; "
                   "`lammps-botan export` of its checkpoint writes one\n",
                   given.model);
  bigint n_bytes = static_cast<bigint>(bytes.size());
  MPI_Bcast(&n_bytes, 1, MPI_LMP_BIGINT, 0, world);
  if (n_bytes > MAXSMALLINT)
    lmp->error->all(FLERR, FixBotanArguments::MODEL, "Fix botan: model file {} is larger than 2 GB",
                    given.model);
  bytes.resize(n_bytes);
  MPI_Bcast(bytes.data(), static_cast<int>(n_bytes), MPI_CHAR, 0, world);
  return bytes;
}

LoadedModel LAMMPS_NS::load_model(LAMMPS *lmp, const FixBotanArguments &given,
                                  LoadedModel &fallback)
{
  const std::vector<char> bytes = share_model_file(lmp, given);
  LoadedModel loaded;
  Contents contents, inside;
  contents.bytes = {bytes.data(), bytes.size()};
  contents.words = fmt::format("model file {}", given.model);
  read_contents(lmp, contents, loaded.metadata);
  inside.bytes = contents.fallback;
  inside.words = fmt::format("the fallback of model file {}", given.model);
  if (!inside.bytes.empty()) {
    if (!loaded.metadata.history)
      agree(lmp, contents.words +
                     " has a fallback, which is for models that see a history, and sees none");
    read_contents(lmp, inside, fallback.metadata);
    std::string failure = check_fallback(loaded.metadata, fallback.metadata);
    if (failure.empty() && !inside.fallback.empty()) failure = "it has a fallback of its own";
    agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", inside.words, failure));
  }
  loaded.model = make_model(lmp, given, given.bfloat16, contents, loaded.metadata);
  // in float32, as in Python
  if (!inside.bytes.empty())
    fallback.model = make_model(lmp, given, false, inside, fallback.metadata);
  return loaded;
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "model_loader.h"

#include "checksum.h"
#include "model_fallback.h"

#include "comm.h"
#include "error.h"
#include "lammps.h"
#include "platform.h"

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
  return folder[0] == '/' ? folder : platform::path_join(platform::current_directory(), folder);
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
    if (access(path.c_str(), F_OK) == 0 && !platform::path_is_directory(path))
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
  if (!library) library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fmt::format(
        "cannot load {}: {}; it needs the torch it was built with in the same Python "
        "environment: pip install torch=={} (or put the lib folder of that torch into "
        "LD_LIBRARY_PATH)",
        path, dlerror(), BOTAN_TORCH_VERSION);
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
  lmp->error->all(FLERR, FixBotanArguments::MODEL, "Fix botan: {}", text);
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
   the compiled engine, where the code in the model file turns out to compute the same
------------------------------------------------------------------------- */

static std::unique_ptr<BotanModel> choose_engine(LAMMPS *lmp, const FixBotanArguments &given,
                                                 const ModelMetadata &metadata,
                                                 std::unique_ptr<BotanModel> model)
{
  std::string failure;
  std::unique_ptr<BotanModel> engine(model->make_engine(false, &failure));
  if (engine) {
    const BotanGraph graph = small_graph(metadata);
    const int rounds = metadata.sizes.rounds;
    std::vector<float> node_out[2], edge_out[2];
    const bool same = try_out(*engine, graph, rounds, node_out[0], edge_out[0]).empty() &&
                      try_out(*model, graph, rounds, node_out[1], edge_out[1]).empty() &&
                      are_close(node_out[0], node_out[1]) && are_close(edge_out[0], edge_out[1]);
    if (!same) engine.reset();
  }
  if (given.bfloat16 && failure.empty()) {
    if (engine) engine.reset(model->make_engine(true, &failure));
    if (!engine && failure.empty())
      failure =
          fmt::format("precision bfloat16 is for BOTAN with 64 features on device cpu, by the "
                      "compiled engine; {} is computed by torch here: write `precision "
                      "float32`",
                      given.model);
  }
  agree(lmp, failure);
  return engine ? std::move(engine) : std::move(model);
}

/* ----------------------------------------------------------------------
   every rank builds the model from the same bytes; `words` name it in messages
------------------------------------------------------------------------- */

static std::unique_ptr<BotanModel> open_model(LAMMPS *lmp, const FixBotanArguments &given,
                                              std::string_view bytes, const std::string &words,
                                              ModelMetadata &metadata)
{
  MPI_Comm host;
  int rank_on_host = 0;
  MPI_Comm_split_type(lmp->world, MPI_COMM_TYPE_SHARED, lmp->comm->me, MPI_INFO_NULL, &host);
  MPI_Comm_rank(host, &rank_on_host);
  MPI_Comm_free(&host);

  BotanModelCreator *create = nullptr;
  agree(lmp, open_model_library(create));
  std::string failure;
  std::unique_ptr<BotanModel> model(create(bytes.data(), bytes.size(), given.trust,
                                           given.device.c_str(), rank_on_host, given.threads,
                                           &failure));
  agree(lmp, model ? "" : fmt::format("{}: {}", words, failure));
  failure = parse_metadata(model->metadata(), metadata);
  agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", words, failure));
  return model;
}

/* ----------------------------------------------------------------------
   what computes a model whose metadata have been checked
------------------------------------------------------------------------- */

static std::unique_ptr<BotanModel> make_ready(LAMMPS *lmp, const FixBotanArguments &given,
                                              const ModelMetadata &metadata,
                                              const std::string &words,
                                              std::unique_ptr<BotanModel> model)
{
  std::string failure = model->set_sizes(metadata.sizes);
  agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", words, failure));

  // a graph without atoms shows here, on all ranks at once, whether the methods fit together
  std::vector<float> node_out, edge_out;
  failure = try_out(*model, BotanGraph(), metadata.sizes.rounds, node_out, edge_out);
  agree(lmp, failure.empty() ? "" : fmt::format("{} fails on an empty graph: {}", words, failure));
  failure = check_rounds(*model, metadata);
  agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", words, failure));
  return choose_engine(lmp, given, metadata, std::move(model));
}

/* ----------------------------------------------------------------------
   rank 0 reads the file
------------------------------------------------------------------------- */

std::unique_ptr<BotanModel> LAMMPS_NS::load_model(LAMMPS *lmp, const FixBotanArguments &given,
                                                  ModelMetadata &metadata)
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

  const std::string words = fmt::format("model file {}", given.model);
  auto model = open_model(lmp, given, {bytes.data(), bytes.size()}, words, metadata);
  if (!metadata.history && !model->fallback().empty())
    agree(lmp, words + " has a fallback, which is for models that see a history, and sees none");
  return make_ready(lmp, given, metadata, words, std::move(model));
}

/* ---------------------------------------------------------------------- */

std::unique_ptr<BotanModel> LAMMPS_NS::load_fallback(LAMMPS *lmp, const FixBotanArguments &given,
                                                     const BotanModel &model,
                                                     const ModelMetadata &metadata,
                                                     ModelMetadata &of_fallback)
{
  const std::string bytes = model.fallback();
  if (bytes.empty()) return nullptr;
  const std::string words = fmt::format("the fallback of model file {}", given.model);
  auto fallback = open_model(lmp, given, bytes, words, of_fallback);
  std::string failure = check_fallback(metadata, of_fallback);
  if (failure.empty() && !fallback->fallback().empty()) failure = "it has a fallback of its own";
  agree(lmp, failure.empty() ? "" : fmt::format("{}: {}", words, failure));
  return make_ready(lmp, given, of_fallback, words, std::move(fallback));
}

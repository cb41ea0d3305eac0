/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Gives damaged input to what the plugin reads without the help of LAMMPS or torch:
//
//   parsers metadata SEED TRIES FILE...   metadata.json of model files, parse_metadata
//   parsers mutants SEED TRIES FILE...    the same, and the mutants on standard output
//   parsers given SEED TRIES FILE...      the texts as they are, one after the other, likewise
//   parsers checksum SEED TRIES FILE...   whole model files, check_checksum
//   parsers weights SEED TRIES FILE...    model files, extra_file, ModelWeights and the engine
//   parsers images SEED TRIES             boxes and vectors, ClosestImage
//
// The last line of output has the number of tries that were refused, and of those that were wrong.

#include "mutator.h"
#include "small_graph.h"
#include "usable.h"

#include "archive.h"
#include "checksum.h"
#include "closest_image.h"
#include "model_metadata.h"
#include "model_weights.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

using LAMMPS_NS::ClosestImage;
using LAMMPS_NS::Domain;

struct Counts {
  int64_t refused = 0, wrong = 0;
};

static std::vector<std::string> read_files(int argc, char **argv)
{
  std::vector<std::string> contents;
  for (int k = 4; k < argc; k++) {
    std::ifstream file(argv[k], std::ios::binary);
    contents.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (contents.back().empty()) {
      std::cerr << "cannot read " << argv[k] << "\n";
      exit(2);
    }
  }
  return contents;
}

static Counts metadata(Mutator &mutator, int64_t tries, const std::vector<std::string> &texts,
                       const std::string &kind)
{
  Counts counts;
  for (int64_t k = 0; k < tries; k++) {
    std::string mutant = texts[static_cast<size_t>(k) % texts.size()];
    if (kind != "given") {
      const std::string &text = texts[mutator.below(texts.size())];
      mutant = mutator.mutate(text, texts[mutator.below(texts.size())]);
    }
    ModelMetadata found;
    const std::string failure = parse_metadata(mutant, found);
    counts.refused += !failure.empty();
    counts.wrong += failure.empty() && !is_usable(found);
    // length and refusal, then the bytes themselves
    if (kind != "metadata")
      std::cout << mutant.size() << " " << failure.size() << "\n" << mutant << failure << "\n";
  }
  return counts;
}

/* ----------------------------------------------------------------------
   a change is seen, unless it takes the checksum away
------------------------------------------------------------------------- */

static Counts checksum(Mutator &mutator, int64_t tries, const std::vector<std::string> &files)
{
  Counts counts;
  for (int64_t k = 0; k < tries; k++) {
    const std::string &file = files[mutator.below(files.size())];
    // files of every length: SHA-256 pads the last block
    std::string bytes = file.substr(file.size() - std::min(file.size(), 84 + mutator.below(400)));
    const std::string covered = bytes.substr(0, bytes.size() - 84);
    bytes = covered + "lammps-botan sha256 " + sha256(covered);
    bool found = false;
    counts.wrong += !check_checksum(bytes, found).empty() || !found;
    const std::string before = bytes;
    mutator.damage(bytes);
    const std::string failure = check_checksum(bytes, found);
    counts.refused += !failure.empty();
    counts.wrong += failure.empty() && found && bytes != before;
  }
  return counts;
}

/* ----------------------------------------------------------------------
   plain weights of damaged archives, and of archives whose header of weights is damaged
------------------------------------------------------------------------- */

// every number that was found lies inside of what was read
static double read_all(const ModelWeights &weights)
{
  double sum = 0.0;
  for (const BotanGivenNetwork &network : weights.networks())
    for (int64_t k = 0; k < network.n_tensors; k++) {
      const BotanTensor &tensor = network.tensors[k];
      int64_t size = 1;
      for (int64_t d = 0; d < tensor.n_dimensions; d++) size *= tensor.shape[d];
      for (int64_t i = 0; i < size; i++) sum += tensor.numbers[i] != 0.0F;
    }
  return sum;
}

static std::string damage_header(Mutator &mutator, std::string_view content)
{
  if (content.size() < 8) return std::string(content);
  uint64_t length = 0;
  for (size_t k = 8; k-- > 0;) length = length << 8 | static_cast<unsigned char>(content[k]);
  std::string header(content.substr(8, length));
  header = mutator.mutate(header, header);
  length = mutator.below(16) ? header.size() : mutator.below(1 << 20);
  std::string bytes;
  for (size_t k = 0; k < 8; k++) bytes += static_cast<char>(length >> 8 * k);
  return bytes + header + std::string(content.substr(8 + header.size()));
}

static Counts weights(Mutator &mutator, int64_t tries, const std::vector<std::string> &files)
{
  Counts counts;
  for (int64_t k = 0; k < tries; k++) {
    const std::string &file = files[mutator.below(files.size())];
    std::string archive = file;
    std::string failure;
    try {
      ModelMetadata found;
      ModelWeights plain;
      if (mutator.below(2)) {    // the directory is at the end
        const size_t n = std::min<size_t>(archive.size(), 6000);
        std::string end = archive.substr(archive.size() - n);
        for (size_t d = 0; d <= mutator.below(4); d++) mutator.damage(end);
        archive = archive.substr(0, archive.size() - n) + end;
      }
      failure = parse_metadata(extra_file(archive, "metadata.json"), found);
      extra_file(archive, "fallback.pt");
      const std::string_view content = extra_file(archive, "weights.safetensors");
      if (failure.empty())
        failure = plain.read(archive == file ? damage_header(mutator, content) : content, found);
      if (failure.empty()) counts.wrong += !(read_all(plain) >= 0.0);
      if (failure.empty()) failure = score_small_graph(plain);
    } catch (const std::runtime_error &refused) {
      failure = refused.what();
    }
    counts.refused += !failure.empty();
  }
  return counts;
}

/* ----------------------------------------------------------------------
   the shortest image is not longer than those around the vector, and the same for all of them
------------------------------------------------------------------------- */

static double brute_force(const Domain &box, const double *v, int reach)
{
  double shortest = HUGE_VAL;
  for (int c = -reach; c <= reach; c++)
    for (int b = -reach; b <= reach; b++)
      for (int a = -reach; a <= reach; a++) {
        if ((a && !box.xperiodic) || (b && !box.yperiodic) || (c && !box.zperiodic)) continue;
        const double x = v[0] + a * box.h[0] + b * box.h[5] + c * box.h[4];
        const double y = v[1] + b * box.h[1] + c * box.h[3], z = v[2] + c * box.h[2];
        shortest = std::min(shortest, std::hypot(x, y, z));
      }
  return shortest;
}

static Counts images(Mutator &mutator, int64_t tries)
{
  Counts counts;
  for (int64_t k = 0; k < tries; k++) {
    Domain box{};
    // edges within a factor of 30, tilts up to half of an edge, as LAMMPS wants them
    for (int d = 0; d < 3; d++) box.h[d] = std::exp(3.4 * mutator.unit());
    box.triclinic = mutator.below(4) > 0;
    const int edges[3] = {1, 0, 0};    // yz, xz, xy are tilts of these edges
    for (int d = 0; box.triclinic && d < 3; d++)
      box.h[3 + d] = (mutator.below(4) ? mutator.unit() - 0.5 : 0.5) * box.h[edges[d]];
    box.xperiodic = mutator.below(8) > 0;
    box.yperiodic = mutator.below(8) > 0;
    box.zperiodic = mutator.below(8) > 0;
    double v[3];
    for (int d = 0; d < 3; d++) v[d] = (mutator.unit() - 0.5) * 2.0 * box.h[d];
    const double found = ClosestImage(&box).length(v), expected = brute_force(box, v, 3);
    counts.wrong += !(found <= expected * (1.0 + 1e-12));
    double far[3] = {v[0] + box.xperiodic * 7 * box.h[0], v[1], v[2]};
    if (box.zperiodic) far[0] -= 5 * box.h[4], far[1] -= 5 * box.h[3], far[2] -= 5 * box.h[2];
    counts.wrong += !(std::fabs(ClosestImage(&box).length(far) - found) <= 1e-10 * (1.0 + found));
  }
  return counts;
}

/* ---------------------------------------------------------------------- */

int main(int argc, char **argv)
{
  if (argc < 4) {
    std::cerr << "parsers metadata|mutants|given|checksum|weights|images SEED TRIES FILE...\n";
    return 2;
  }
  const std::string kind = argv[1];
  Mutator mutator(strtoull(argv[2], nullptr, 10));
  const int64_t tries = strtoll(argv[3], nullptr, 10);
  const std::vector<std::string> files = read_files(argc, argv);
  Counts counts;
  if (kind == "images")
    counts = images(mutator, tries);
  else if (kind == "checksum")
    counts = checksum(mutator, tries, files);
  else if (kind == "weights")
    counts = weights(mutator, tries, files);
  else
    counts = metadata(mutator, tries, files, kind);
  std::cout << "refused " << counts.refused << " wrong " << counts.wrong << "\n";
  return 0;
}

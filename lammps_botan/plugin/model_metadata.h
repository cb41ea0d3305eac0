/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What metadata.json of a model file says (docs/reference/model_file.md).

#ifndef BOTAN_MODEL_METADATA_H
#define BOTAN_MODEL_METADATA_H

#include "botan_model.h"
#include "input_statistics.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// what a model sees besides positions and species, as lammps_botan/network/metadata.py
struct HistoryInput {
  double window = 0.0, interval = 0.0;    // t_w; from one sample to the next
  int parts = 0;                          // of the window
  int64_t samples_per_part = 0;
};

struct InherentInput {
  double force = 0.0;       // the minimization ends where no component of a force is larger
  double diameter = 0.0;    // of the mixture; a tenth of it is the longest step
};

// as lammps_botan/structure/mixture.py; only what the fix uses
struct ModelMixture {
  std::string name, units;
  std::vector<std::string> species;
  std::vector<std::vector<double>> bond_lengths;    // [n_species, n_species]
  double diameter = 0.0;                            // 0 where the file does not say it
  int dimension = 0;
  int reference = 0;    // number of the species whose correlation is quoted

  double longest_bond() const;
  double reference_bond() const { return bond_lengths[reference][reference]; }
};

// whose plain weights are in the file
struct ModelNetwork {
  std::string kind;
  std::map<std::string, double> settings;    // flags are 0 or 1
};

struct ModelMetadata {
  std::string architecture;
  std::vector<ModelNetwork> networks;    // several of a committee; none that the engine computes
  ModelMixture mixture;
  std::optional<HistoryInput> history;
  std::optional<InherentInput> inherent;
  std::vector<std::string> quantities;    // that the model sees of an atom, in words
  std::optional<InputStatistics> seen;    // of these quantities in training, where it is known
  std::vector<std::string> node_outputs, edge_outputs;
  double cutoff = 0.0;
  BotanSizes sizes;
  std::vector<double> lag_times;
  std::optional<double> density;    // of the training, where it is known
  std::string trained_for;    // temperature, density and lag times in words, where they are known

  std::string in_words() const { return architecture + trained_for; }
};

// returns what is wrong with the text, or an empty string
std::string parse_metadata(std::string_view text, ModelMetadata &metadata);

#endif

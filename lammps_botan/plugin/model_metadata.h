/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What metadata.json of a model file says (docs/model_file.md).

#ifndef BOTAN_MODEL_METADATA_H
#define BOTAN_MODEL_METADATA_H

#include "botan_model.h"

#include <string>
#include <vector>

// as lammps_botan/structure/mixture.py; only what the fix uses
struct ModelMixture {
  std::string name, units;
  std::vector<std::string> species;
  std::vector<std::vector<double>> bond_lengths;    // [n_species, n_species]
  int dimension = 0;
  int reference = 0;    // number of the species whose correlation is quoted

  double longest_bond() const;
  double reference_bond() const { return bond_lengths[reference][reference]; }
};

struct ModelMetadata {
  std::string architecture;
  ModelMixture mixture;
  std::vector<std::string> node_outputs, edge_outputs;
  double cutoff = 0.0;
  BotanSizes sizes;
  std::vector<double> lag_times;
  std::string trained_for;    // temperature, density and lag times in words, where they are known
};

// returns what is wrong with the text, or an empty string
std::string parse_metadata(const std::string &text, ModelMetadata &metadata);

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "model_fallback.h"

#include "fmt/format.h"
#include "json.h"

#include <cmath>

using LAMMPS_NS::json;

template <typename T>
static std::string difference(const std::string &what, const T &expected, const T &found)
{
  if (expected == found) return "";
  return fmt::format("expected the {} of the model, {}, found {}; `lammps-botan export MODEL -o "
                     "NEW.pt --fallback OTHER` adds another fallback",
                     what, json(expected).dump(), json(found).dump());
}

// up to rounding, as Python compares them

static bool are_close(const std::vector<std::vector<double>> &a,
                      const std::vector<std::vector<double>> &b)
{
  for (size_t i = 0; i < a.size(); i++)
    for (size_t j = 0; j < a[i].size(); j++)
      if (std::fabs(a[i][j] - b[i][j]) > 1e-9 * b[i][j]) return false;
  return true;
}

/* ---------------------------------------------------------------------- */

std::string check_fallback(const ModelMetadata &model, const ModelMetadata &fallback)
{
  const ModelMixture &mine = model.mixture, &other = fallback.mixture;
  std::string failure;
  const auto add = [&failure](const std::string &found) {
    if (failure.empty()) failure = found;
  };
  if (fallback.sizes.has_inputs()) add("it sees more than positions and species");
  add(difference("units", mine.units, other.units));
  add(difference("species", mine.species, other.species));
  add(difference("dimension", mine.dimension, other.dimension));
  if (failure.empty() && !are_close(mine.bond_lengths, other.bond_lengths))
    add(difference("bond lengths", mine.bond_lengths, other.bond_lengths));
  add(difference("cutoff", model.cutoff, fallback.cutoff));
  add(difference("node outputs", model.node_outputs, fallback.node_outputs));
  add(difference("edge outputs", model.edge_outputs, fallback.edge_outputs));
  add(difference("lag times", model.lag_times, fallback.lag_times));
  return failure;
}

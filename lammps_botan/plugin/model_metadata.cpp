/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "model_metadata.h"

#include "limited_json.h"
#include "model_limits.h"

#include "fmt/format.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

using LAMMPS_NS::json;

// of models without inputs, and with them
static constexpr int FORMAT_VERSION = 2, FORMAT_VERSION_OF_INPUTS = 3;

double ModelMixture::longest_bond() const
{
  double longest = 0.0;
  for (const auto &row : bond_lengths)
    for (const double length : row) longest = std::max(longest, length);
  return longest;
}

/* ---------------------------------------------------------------------- */

static const json &at(const json &object, const std::string &key)
{
  const auto found = object.find(key);
  if (found == object.end())
    throw std::runtime_error(fmt::format("metadata.json has no key '{}'", key));
  return *found;
}

[[noreturn]] static void wrong(const std::string &key, const std::string &expected,
                               const json &found)
{
  throw std::runtime_error(
      fmt::format("metadata.json: '{}' must be {}, got {}", key, expected, found.dump()));
}

static std::string text_at(const json &object, const std::string &key)
{
  const json &value = at(object, key);
  if (!value.is_string()) wrong(key, "a string", value);
  return value.get<std::string>();
}

static bool is_finite(const json &value)
{
  return value.is_number() && std::isfinite(value.get<double>());
}

static bool is_positive(const json &value)
{
  return is_finite(value) && value.get<double>() > 0.0;
}

static int count_at(const json &object, const std::string &key, int64_t largest)
{
  const json &value = at(object, key);
  // compared as a double, in which every integer of JSON fits
  if (!value.is_number_integer() || value.get<double>() < 1.0)
    wrong(key, "a positive integer", value);
  if (value.get<double>() > static_cast<double>(largest))
    wrong(key, fmt::format("{} or less", largest), value);
  return value.get<int>();
}

static std::vector<std::string> names_at(const json &object, const std::string &key, size_t least,
                                         size_t most)
{
  const json &value = at(object, key);
  bool good = value.is_array() && value.size() >= least && value.size() <= most;
  if (good)
    for (const auto &name : value) good = good && name.is_string();
  if (!good) wrong(key, fmt::format("a list of {} to {} names", least, most), value);
  return value.get<std::vector<std::string>>();
}

/* ---------------------------------------------------------------------- */

static std::vector<std::vector<double>> bond_lengths_at(const json &object, size_t n_species)
{
  const json &rows = at(object, "bond_lengths");
  const auto has_length = [=](const json &list) {
    return list.is_array() && list.size() == n_species;
  };
  bool good = has_length(rows);
  for (size_t a = 0; good && a < n_species; a++) good = has_length(rows[a]);
  for (size_t a = 0; good && a < n_species; a++)
    for (size_t b = 0; good && b < n_species; b++)
      good = is_positive(rows[a][b]) && is_positive(rows[b][a]) && rows[a][b] == rows[b][a];
  if (!good)
    wrong("bond_lengths",
          fmt::format("{} rows of {} positive numbers, the same for both orders of two species",
                      n_species, n_species),
          rows);
  return rows.get<std::vector<std::vector<double>>>();
}

// a name that a command of LAMMPS can have, as Mixture in structure/mixture.py wants it

static bool is_word(const std::string &name)
{
  constexpr std::ptrdiff_t MOST = 64;    // letters, of one byte or more
  const auto begins_letter = [](char byte) { return (byte & 0xC0) != 0x80; };
  return !name.empty() && name.find_first_of(" \t\n\v\f\r\"'$&#") == std::string::npos &&
         std::count_if(name.begin(), name.end(), begins_letter) <= MOST;
}

static ModelMixture mixture_at(const json &object)
{
  const json &value = at(object, "mixture");
  if (!value.is_object()) wrong("mixture", "an object", value);
  ModelMixture mixture;
  mixture.name = text_at(value, "name");
  if (!is_word(mixture.name)) wrong("name", "a word that LAMMPS can read", value["name"]);
  mixture.units = text_at(value, "units");
  mixture.species = names_at(value, "species", 1, Limits::species);
  const std::set<std::string> different(mixture.species.begin(), mixture.species.end());
  if (different.size() < mixture.species.size() || different.count("NULL"))
    wrong("species", "a list of different names, none of them NULL", value["species"]);
  for (const std::string &name : mixture.species)
    if (!is_word(name)) wrong("species", "a list of words that LAMMPS can read", value["species"]);
  mixture.bond_lengths = bond_lengths_at(value, mixture.species.size());
  mixture.dimension = count_at(value, "dimension", 3);
  if (mixture.dimension < 2) wrong("dimension", "2 or 3", value["dimension"]);
  const auto reference = std::find(mixture.species.begin(), mixture.species.end(),
                                   text_at(value, "reference_species"));
  if (reference == mixture.species.end())
    wrong("reference_species", "one of the species", value["reference_species"]);
  if (value.contains("diameter") && is_positive(value["diameter"]))
    mixture.diameter = value["diameter"].get<double>();
  mixture.reference = static_cast<int>(reference - mixture.species.begin());
  return mixture;
}

// temperature, density and lag times may be null; the temperature is for the reader of the log only

static std::string trained_for(const json &object)
{
  std::string words;
  const auto add = [&words](const std::string &key, const std::string &name, const json &value) {
    if (!is_finite(value)) wrong(key, "a number, or null", value);
    words += fmt::format(", {} {}", name, value.get<double>());
  };
  for (const std::string key : {"temperature", "density"})
    if (!at(object, key).is_null()) add(key, key, at(object, key));
  const json &lag_times = at(object, "lag_times");
  if (!lag_times.is_null() && !lag_times.is_array())
    wrong("lag_times", "a list of numbers, or null", lag_times);
  for (const auto &lag_time : lag_times) add("lag_times", "lag time", lag_time);
  return words;
}

// format_version

static int check_format(const json &object)
{
  if (!object.is_object()) throw std::runtime_error("metadata.json is not a JSON object");
  if (text_at(object, "format") != "lammps-botan")
    wrong("format", "\"lammps-botan\"", object["format"]);
  const int version = count_at(object, "format_version", INT32_MAX);
  const std::string found = fmt::format("it has format_version {}, and this plugin reads {} and {}",
                                        version, FORMAT_VERSION, FORMAT_VERSION_OF_INPUTS);
  if (version < FORMAT_VERSION)
    throw std::runtime_error(found + "; export it again: lammps-botan export OLD.pt -o NEW.pt");
  if (version > FORMAT_VERSION_OF_INPUTS)
    throw std::runtime_error(found +
                             "; install the lammps-botan that wrote the model, or a newer one");
  return version;
}

/* ---------------------------------------------------------------------- */

static double positive_at(const json &object, const std::string &key)
{
  const json &value = at(object, key);
  if (!is_positive(value)) wrong(key, "a positive number", value);
  return value.get<double>();
}

// a model that asks for something else cannot be evaluated

static const json &input_at(const json &inputs, const std::string &key,
                            const std::set<std::string> &keys)
{
  static const json nothing;
  const auto found = inputs.find(key);
  if (found == inputs.end() || found->is_null()) return nothing;
  bool good = found->is_object();
  if (good)
    for (const auto &item : found->items()) good = good && keys.count(item.key());
  if (good) return *found;
  std::string names;
  for (const auto &name : keys) names += " " + name;
  wrong("inputs." + key, "null, or an object with the keys" + names, *found);
}

static HistoryInput history_of(const json &value)
{
  HistoryInput history;
  history.window = positive_at(value, "window");
  history.interval = positive_at(value, "interval");
  history.parts = count_at(value, "parts", Limits::parts);
  const double samples = history.window / history.interval / history.parts;
  if (!(samples >= 1.0 - 1e-6 && samples <= static_cast<double>(Limits::samples_per_part) &&
        std::fabs(samples - std::round(samples)) <= 1e-6 * samples))
    wrong("inputs.history", "a window of whole samples in each of its parts", value);
  history.samples_per_part = std::llround(samples);
  return history;
}

static void read_inputs(const json &object, int version, ModelMetadata &metadata)
{
  if (version == FORMAT_VERSION && !object.contains("inputs")) return;
  const json &inputs = at(object, "inputs");
  bool good = inputs.is_object();
  if (good)
    for (const auto &item : inputs.items())
      good = good && (item.key() == "history" || item.key() == "inherent");
  if (!good) wrong("inputs", "an object with the keys history and inherent", inputs);
  const json &history = input_at(inputs, "history", {"window", "interval", "parts"});
  const json &inherent = input_at(inputs, "inherent", {"force"});
  if (!history.is_null()) metadata.history = history_of(history);
  if (!inherent.is_null())
    metadata.inherent = InherentInput{positive_at(inherent, "force"),
                                      positive_at(at(object, "mixture"), "diameter")};
  metadata.sizes.node_vectors = !history.is_null() + !inherent.is_null();
  metadata.sizes.node_scalars = 2 * !history.is_null() + !inherent.is_null();
  const bool has_inputs = metadata.sizes.has_inputs();
  if (has_inputs != (version == FORMAT_VERSION_OF_INPUTS))
    wrong("format_version",
          has_inputs ? "3 for a model with inputs" : "2 for a model without inputs", version);
}

/* ----------------------------------------------------------------------
   what is compared of an atom, as in Python's network/inputs.py
------------------------------------------------------------------------- */

static std::vector<std::string> name_quantities(const ModelMetadata &metadata)
{
  const std::string nearest = "distance to the nearest neighbor ";
  std::vector<std::string> names;
  if (!metadata.sizes.has_inputs()) {
    for (const std::string &name : metadata.mixture.species)
      names.push_back(fmt::format("number of {} neighbors", name));
    names.push_back(nearest + "(in bond lengths)");
  }
  if (metadata.history) names.emplace_back("distance to the mean position");
  if (metadata.inherent) names.emplace_back("distance to the inherent position");
  if (metadata.history) names.insert(names.end(), {"variance", "mean energy"});
  if (metadata.inherent) names.emplace_back("inherent energy");
  if (metadata.history) names.push_back(nearest + "in the mean positions (in bond lengths)");
  if (metadata.inherent) names.push_back(nearest + "in the inherent positions (in bond lengths)");
  return names;
}

/* ---------------------------------------------------------------------- */

static std::vector<std::vector<double>> table_at(const json &seen, const std::string &key,
                                                 size_t n_rows, size_t n_columns, bool positive)
{
  const auto rows = seen.find(key);
  bool good = rows != seen.end() && rows->is_array() && rows->size() == n_rows;
  for (size_t k = 0; good && k < n_rows; k++) {
    const json &row = (*rows)[k];
    good = row.is_array() && row.size() == n_columns;
    for (size_t q = 0; good && q < n_columns; q++)
      good = positive ? is_positive(row[q]) : is_finite(row[q]);
  }
  if (!good)
    wrong("seen." + key,
          fmt::format("{} rows of {} {}numbers, one for each species and quantity", n_rows,
                      n_columns, positive ? "positive " : ""),
          rows == seen.end() ? seen : *rows);
  return rows->get<std::vector<std::vector<double>>>();
}

static void read_seen(const json &object, ModelMetadata &metadata)
{
  const auto found = object.find("seen");
  if (found == object.end() || found->is_null()) return;
  bool good = found->is_object();
  if (good)
    for (const auto &item : found->items())
      good = good && (item.key() == "mean" || item.key() == "deviation");
  if (!good) wrong("seen", "null, or an object with the keys mean and deviation", *found);
  const size_t n_species = metadata.mixture.species.size(), n = metadata.quantities.size();
  metadata.seen = InputStatistics{table_at(*found, "mean", n_species, n, false),
                                  table_at(*found, "deviation", n_species, n, true)};
}

// each an object with a kind and settings, which are numbers or flags

static std::vector<ModelNetwork> networks_at(const json &object)
{
  const auto found = object.find("networks");
  if (found == object.end() || found->is_null()) return {};
  const auto is_name = [](const std::string &name) {    // no signs that end a string in C
    return !name.empty() && name.size() <= Limits::letters &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
  };
  const auto is_network = [&](const json &one) {
    if (!one.is_object() || one.size() != 2 || !one.contains("kind") || !one["kind"].is_string() ||
        !is_name(one["kind"].get_ref<const std::string &>()) || !one.contains("settings") ||
        !one["settings"].is_object() || one["settings"].size() > Limits::settings)
      return false;
    for (const auto &item : one["settings"].items())
      if (!is_name(item.key()) || (!item.value().is_boolean() && !is_finite(item.value())))
        return false;
    return true;
  };
  bool good = found->is_array() && !found->empty() && found->size() <= Limits::networks;
  if (good)
    for (const auto &one : *found) good = good && is_network(one);
  if (!good)
    wrong("networks",
          fmt::format(
              "null, or a list of 1 to {} objects with the keys kind and settings, whose names "
              "are of small letters",
              static_cast<int64_t>(Limits::networks)),
          *found);
  std::vector<ModelNetwork> networks;
  for (const auto &one : *found) {
    networks.push_back({one["kind"].get<std::string>(), {}});
    for (const auto &item : one["settings"].items())
      networks.back().settings[item.key()] = item.value().is_boolean()
                                                 ? static_cast<double>(item.value().get<bool>())
                                                 : item.value().get<double>();
  }
  return networks;
}

static double cutoff_at(const json &object, double longest_bond)
{
  const double cutoff = positive_at(object, "cutoff");
  const double largest = std::min(static_cast<double>(Limits::cutoff),
                                  static_cast<double>(Limits::cutoff_in_bonds) * longest_bond);
  if (cutoff > largest)
    wrong("cutoff",
          fmt::format("{} or less, {} times the longest bond", largest, Limits::cutoff_in_bonds),
          object["cutoff"]);
  return cutoff;
}

static ModelMetadata read(const json &object)
{
  const int version = check_format(object);
  ModelMetadata metadata;
  metadata.architecture = text_at(object, "architecture");
  metadata.networks = networks_at(object);
  metadata.mixture = mixture_at(object);
  const std::string node_input = text_at(object, "node_input");
  if (node_input != "number" && node_input != "one-hot")
    wrong("node_input", "\"number\" or \"one-hot\"", object["node_input"]);
  if (node_input == "number" && metadata.mixture.species.size() > 2)
    wrong("node_input", fmt::format("\"one-hot\" for {} species", metadata.mixture.species.size()),
          object["node_input"]);
  metadata.node_outputs = names_at(object, "node_outputs", 1, Limits::outputs);
  metadata.edge_outputs = names_at(object, "edge_outputs", 0, Limits::outputs);
  metadata.cutoff = cutoff_at(object, metadata.mixture.longest_bond());
  metadata.sizes.rounds = count_at(object, "rounds", Limits::rounds);
  metadata.sizes.width = count_at(object, "width", Limits::width);
  metadata.sizes.node_outputs = static_cast<int>(metadata.node_outputs.size());
  metadata.sizes.edge_outputs = static_cast<int>(metadata.edge_outputs.size());
  read_inputs(object, version, metadata);
  metadata.quantities = name_quantities(metadata);
  read_seen(object, metadata);
  metadata.trained_for = trained_for(object);
  if (!at(object, "density").is_null()) metadata.density = at(object, "density").get<double>();
  if (!at(object, "lag_times").is_null())
    metadata.lag_times = at(object, "lag_times").get<std::vector<double>>();
  return metadata;
}

std::string parse_metadata(std::string_view text, ModelMetadata &metadata)
{
  if (text.empty())
    return "it is an archive without metadata.json, so not a model file of this project; "
           "`lammps-botan export` makes one from a checkpoint";
  try {
    metadata = read(parse_limited_json(text, "metadata.json"));
    return "";
  } catch (const std::exception &failure) {
    return failure.what();
  }
}

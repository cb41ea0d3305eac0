/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "model_metadata.h"

#include "fmt/format.h"
#include "json.h"

#include <set>
#include <stdexcept>

using LAMMPS_NS::json;

static constexpr int FORMAT_VERSION = 1;

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

static int count_at(const json &object, const std::string &key)
{
  const json &value = at(object, key);
  if (!value.is_number_integer() || value.get<int>() < 1) wrong(key, "a positive integer", value);
  return value.get<int>();
}

static std::vector<std::string> names_at(const json &object, const std::string &key, size_t least)
{
  const json &value = at(object, key);
  bool good = value.is_array() && value.size() >= least;
  if (good)
    for (const auto &name : value) good = good && name.is_string();
  if (!good) wrong(key, fmt::format("a list of at least {} names", least), value);
  return value.get<std::vector<std::string>>();
}

// temperature, density and lag times may be null; the first two are for the reader of the log only

static std::string trained_for(const json &object)
{
  std::string words;
  const auto add = [&words](const std::string &key, const std::string &name, const json &value) {
    if (!value.is_number()) wrong(key, "a number, or null", value);
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

static ModelMetadata read(const json &object)
{
  if (!object.is_object()) throw std::runtime_error("metadata.json is not a JSON object");
  if (text_at(object, "format") != "lammps-botan")
    wrong("format", "\"lammps-botan\"", object["format"]);
  if (count_at(object, "format_version") != FORMAT_VERSION)
    throw std::runtime_error(
        fmt::format("it has format_version {}, and this plugin reads {}; export the model again "
                    "with `lammps-botan export` of the installed version",
                    object["format_version"].get<int>(), FORMAT_VERSION));

  ModelMetadata metadata;
  metadata.architecture = text_at(object, "architecture");
  metadata.units = text_at(object, "units");
  metadata.species = names_at(object, "species", 1);
  const std::set<std::string> different(metadata.species.begin(), metadata.species.end());
  if (different.size() < metadata.species.size() || different.count("NULL"))
    wrong("species", "a list of different names, none of them NULL", object["species"]);
  metadata.node_outputs = names_at(object, "node_outputs", 1);
  metadata.edge_outputs = names_at(object, "edge_outputs", 0);
  const json &cutoff = at(object, "cutoff");
  if (!cutoff.is_number() || cutoff.get<double>() <= 0.0)
    wrong("cutoff", "a positive number", cutoff);
  metadata.cutoff = cutoff.get<double>();
  metadata.sizes.rounds = count_at(object, "rounds");
  metadata.sizes.width = count_at(object, "width");
  metadata.sizes.node_outputs = static_cast<int>(metadata.node_outputs.size());
  metadata.sizes.edge_outputs = static_cast<int>(metadata.edge_outputs.size());
  metadata.trained_for = trained_for(object);
  if (!at(object, "lag_times").is_null())
    metadata.lag_times = at(object, "lag_times").get<std::vector<double>>();
  return metadata;
}

std::string parse_metadata(const std::string &text, ModelMetadata &metadata)
{
  if (text.empty())
    return "it is a TorchScript archive without metadata.json, so not a model file of this project";
  try {
    metadata = read(json::parse(text));
    return "";
  } catch (const std::exception &failure) {
    return failure.what();
  }
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "model_weights.h"

#include "limited_json.h"

#include "fmt/format.h"

#include <cmath>
#include <cstring>
#include <stdexcept>

using LAMMPS_NS::json;

static constexpr double SAME_LENGTH = 1e-6;           // relative
static constexpr size_t LENGTH = sizeof(uint64_t);    // of the number of bytes of the header

const char *ModelWeights::keep(const std::string &name)
{
  names.push_back(name);
  return names.back().c_str();
}

std::string ModelWeights::read(std::string_view safetensors, const ModelMetadata &metadata)
{
  if (safetensors.empty())
    return "metadata.json names networks, and the archive has no weights.safetensors; "
           "`lammps-botan export` of the checkpoint makes a whole file";
  try {
    read_settings(metadata);
    read_tensors(safetensors);
  } catch (const std::exception &failure) {
    return fmt::format("weights.safetensors: {}", failure.what());
  }
  for (size_t k = 0; k < metadata.networks.size(); k++)
    given.push_back({keep(metadata.networks[k].kind), static_cast<int64_t>(settings[k].size()),
                     settings[k].data(), static_cast<int64_t>(tensors[k].size()),
                     tensors[k].data()});
  return "";
}

// species and inputs are those of the whole model

// a network has the lengths that it learned with

static void check_length(const ModelNetwork &network, const std::string &name, double expected)
{
  const auto own = network.settings.find(name);
  if (own == network.settings.end() || expected == 0.0 ||
      std::fabs(own->second - expected) <= SAME_LENGTH * expected)
    return;
  throw std::runtime_error(fmt::format("the network '{}' has the {} {}, and metadata.json says "
                                       "{}: the file was not made by `lammps-botan export`",
                                       network.kind, name, own->second, expected));
}

void ModelWeights::read_settings(const ModelMetadata &metadata)
{
  for (const ModelNetwork &network : metadata.networks) {
    check_length(network, "cutoff", metadata.cutoff);
    check_length(network, "diameter", metadata.mixture.diameter);
    std::map<std::string, double> all = network.settings;
    all["n_species"] = static_cast<double>(metadata.mixture.species.size());
    all["history"] = metadata.history.has_value();
    all["inherent"] = metadata.inherent.has_value();
    auto &own = settings.emplace_back();
    for (const auto &[name, value] : all) own.push_back({keep(name), value});
  }
  tensors.resize(settings.size());
}

// eight bytes with the length of a header of JSON, the header, and the numbers of all tensors

static std::string_view read_header(std::string_view bytes)
{
  uint64_t length = 0;
  if (bytes.size() >= LENGTH)
    for (size_t k = LENGTH; k-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[k]);
  if (bytes.size() < LENGTH || length > bytes.size() - LENGTH)
    throw std::runtime_error("it ends too early");
  return bytes.substr(LENGTH, length);
}

struct Place {
  std::vector<int64_t> shape;
  size_t first, size;    // in numbers
};

static Place find_tensor(const std::string &name, const json &said, size_t n_bytes)
{
  const auto are_whole = [](const json &list) {
    bool whole = list.is_array();
    for (const json &one : list) whole = whole && one.is_number_unsigned();
    return whole;
  };
  if (!said.is_object() || !said.contains("dtype") || !said["dtype"].is_string() ||
      !said.contains("shape") || !are_whole(said["shape"]) || !said.contains("data_offsets") ||
      !are_whole(said["data_offsets"]))
    throw std::runtime_error(
        fmt::format("expected dtype, shape and data_offsets of '{}', found {}", name, said.dump()));
  const std::string dtype = said.at("dtype").get<std::string>();
  if (dtype != "F32")
    throw std::runtime_error(fmt::format("expected numbers F32, found '{}' of {}", name, dtype));
  Place place = {said.at("shape").get<std::vector<int64_t>>(), 0, 1};
  const auto ends = said.at("data_offsets").get<std::vector<uint64_t>>();
  bool good =
      ends.size() == 2 && ends[0] <= ends[1] && ends[1] <= n_bytes && ends[0] % sizeof(float) == 0;
  for (const int64_t length : place.shape) {
    // no product is larger than the number of bytes
    good =
        good && length >= 0 && (length == 0 || place.size <= n_bytes / static_cast<size_t>(length));
    if (good) place.size *= length;
  }
  if (!good || ends[1] - ends[0] != place.size * sizeof(float))
    throw std::runtime_error(fmt::format("the place of '{}' is not in the file", name));
  place.first = ends[0] / sizeof(float);
  return place;
}

void ModelWeights::read_tensors(std::string_view bytes)
{
  const std::string_view header = read_header(bytes), data = bytes.substr(LENGTH + header.size());
  numbers.resize(data.size() / sizeof(float));
  if (!numbers.empty()) memcpy(numbers.data(), data.data(), numbers.size() * sizeof(float));
  const json content = parse_limited_json(header, "the header");
  if (!content.is_object()) throw std::runtime_error("its header is not a JSON object");
  for (const auto &item : content.items()) {
    if (item.key() == "__metadata__") continue;
    if (item.key().find('\0') != std::string::npos)
      throw std::runtime_error("a name of a tensor has a sign that ends it");
    const size_t point = item.key().find('.');
    const std::string number = item.key().substr(0, point);
    size_t k = 0;
    while (k < tensors.size() && std::to_string(k) != number) k++;
    if (point == std::string::npos || k == tensors.size())
      throw std::runtime_error(
          fmt::format("expected tensors of {} networks, found '{}'", tensors.size(), item.key()));
    const Place place = find_tensor(item.key(), item.value(), data.size());
    shapes.push_back(place.shape);
    tensors[k].push_back({keep(item.key().substr(point + 1)),
                          static_cast<int64_t>(place.shape.size()), shapes.back().data(),
                          numbers.data() + place.first});
  }
}

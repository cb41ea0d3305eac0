/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "limited_json.h"

#include "model_limits.h"

#include "fmt/format.h"

#include <algorithm>
#include <stdexcept>

using LAMMPS_NS::json;

// of objects and lists inside each other: the parser calls itself for each level

static int64_t depth(std::string_view text)
{
  int64_t now = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '['))
      deepest = std::max(deepest, ++now);
    else if (!quoted && (c == '}' || c == ']'))
      now--;
  }
  return deepest;
}

json parse_limited_json(std::string_view text, const std::string &name)
{
  if (text.size() > Limits::bytes)
    throw std::runtime_error(fmt::format("expected {} bytes of {} or less, found {}",
                                         static_cast<int64_t>(Limits::bytes), name, text.size()));
  if (depth(text) > Limits::depth)
    throw std::runtime_error(
        fmt::format("{}: expected objects inside objects up to a depth of {}, found a depth of {}",
                    name, static_cast<int64_t>(Limits::depth), depth(text)));
  try {
    return json::parse(text);
  } catch (const json::exception &wrong) {
    throw std::runtime_error(fmt::format("{}: {}", name, wrong.what()));
  }
}

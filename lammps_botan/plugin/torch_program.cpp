/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "torch_program.h"

#include "allowed_operators.h"

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

using Names = std::set<std::string>;

// not operators, but the language's own: other threads, classes of C++, output
static const Names REFUSED = {"awaitable", "classes", "fork", "print"};
static constexpr size_t MOST_NAMED = 3;    // in a message

// names of all operators that this torch has, without their namespace

static const Names &registered()
{
  static const Names names = [] {
    Names all;
    for (const auto &one : torch::jit::getAllOperators()) {
      const std::string name = one->schema().name();
      all.insert(name.substr(name.find("::") + 2));
    }
    return all;
  }();
  return names;
}

static bool begins_name(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool continues_name(char c)
{
  return begins_name(c) || (c >= '0' && c <= '9');
}

static void add_names(std::string_view code, Names &found)
{
  std::string before;
  for (size_t i = 0; i < code.size();) {
    size_t end = i + 1;
    if (begins_name(code[i])) {
      while (end < code.size() && continues_name(code[end])) end++;
      const std::string name(code.substr(i, end - i));
      // operators of other libraries than torch, which may have any name
      if (before == "ops" && name != "aten" && name != "prim") found.insert("ops." + name);
      before = name;
      if (REFUSED.count(name) || registered().count(name)) found.insert(name);
    } else if (static_cast<unsigned char>(code[i]) > 127) {
      found.insert("letters that are not ASCII");
    }
    i = end;
  }
}

// the parts of an archive that torch.jit.save writes; another one could be code of an older format

static bool is_known(const std::string &record)
{
  for (const char *name : {"data.pkl", "constants.pkl", "version", "byteorder"})
    if (record == name) return true;
  for (const std::string_view folder : {"code/", "data/", "constants/", "extra/", "."})
    if (record.compare(0, folder.size(), folder) == 0) return true;
  return false;
}

static bool ends_with(const std::string &text, std::string_view end)
{
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), std::string_view::npos, end) == 0;
}

static Names operators(std::string_view archive)
{
  std::istringstream stream{std::string(archive)};
  caffe2::serialize::PyTorchStreamReader reader(&stream);
  Names found;
  for (const std::string &record : reader.getAllRecords()) {
    if (!is_known(record)) found.insert("the part " + record);
    const bool code = ends_with(record, ".py");
    if (!code && !ends_with(record, ".pkl")) continue;
    const auto [bytes, size] = reader.getRecord(record);
    std::string text(static_cast<const char *>(bytes.get()), size);
    if (code) {
      add_names(text, found);
    } else {
      std::replace(text.begin(), text.end(), '\n', '.');
      if (text.find("torch.classes") != std::string::npos) found.insert("torch.classes");
    }
  }
  return found;
}

void check_program(std::string_view archive)
{
  Names found = operators(archive);
  for (const char *allowed : ALLOWED_OPERATORS) found.erase(allowed);
  if (found.empty()) return;
  std::string names;
  size_t n = 0;
  for (const std::string &name : found)
    if (n++ < MOST_NAMED) names += (names.empty() ? "" : ", ") + name;
  if (n > MOST_NAMED) names += " and " + std::to_string(n - MOST_NAMED) + " more";
  throw std::runtime_error(
      "its code names " + names +
      ", which the models of lammps-botan do not need and which may do more than compute. If you "
      "trust whoever made the file, write `trust yes`");
}

#include "network.h"

#include <cmath>
#include <stdexcept>

namespace {

[[noreturn]] void refuse(const std::string &kind, const std::string &what)
{
  throw std::invalid_argument("the network '" + kind + "': " + what);
}

std::string words(double number)
{
  std::string text = std::to_string(number);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string words(const std::vector<long> &shape)
{
  std::string text = "[";
  for (size_t k = 0; k < shape.size(); k++) text += (k ? ", " : "") + std::to_string(shape[k]);
  return text + "]";
}

}    // namespace

long NetworkDescription::whole(const std::string &name, long least, long most) const
{
  used.insert(name);
  const auto found = settings.find(name);
  const std::string expected = "expected a whole number " + std::to_string(least) + " to " +
                               std::to_string(most) + " as its setting '" + name + "', found ";
  if (found == settings.end()) refuse(kind, expected + "none");
  const double number = found->second;
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) ||
      number != std::floor(number))
    refuse(kind, expected + words(number));
  return static_cast<long>(number);
}

bool NetworkDescription::flag(const std::string &name) const
{
  used.insert(name);
  const auto found = settings.find(name);
  if (found == settings.end() || found->second == 0.0) return false;
  if (found->second == 1.0) return true;
  refuse(kind,
         "expected true or false as its setting '" + name + "', found " + words(found->second));
}

double NetworkDescription::positive(const std::string &name) const
{
  used.insert(name);
  const auto found = settings.find(name);
  const std::string expected = "expected a positive number as its setting '" + name + "', found ";
  if (found == settings.end()) refuse(kind, expected + "none");
  if (!(found->second > 0.0) || !std::isfinite(found->second))
    refuse(kind, expected + words(found->second));
  return found->second;
}

const float *NetworkDescription::tensor(const std::string &name,
                                        std::initializer_list<long> shape) const
{
  const std::vector<long> expected(shape);
  used.insert(name);
  const auto found = tensors.find(name);
  if (found == tensors.end())
    refuse(kind, "expected the tensor '" + name + "' of shape " + words(expected) + ", found none");
  if (found->second.shape != expected)
    refuse(kind, "expected the tensor '" + name + "' of shape " + words(expected) + ", found " +
                     words(found->second.shape));
  return found->second.numbers;
}

const float *NetworkDescription::positive_tensor(const std::string &name,
                                                 std::initializer_list<long> shape) const
{
  const float *numbers = tensor(name, shape);
  long size = 1;
  for (const long length : shape) size *= length;
  for (long k = 0; k < size; k++)
    if (!(numbers[k] > 0))
      refuse(kind,
             "expected positive numbers as its tensor '" + name + "', found " + words(numbers[k]));
  return numbers;
}

void NetworkDescription::check_all_used() const
{
  const auto check = [&](const std::string &what, const std::string &name) {
    if (!used.count(name))
      refuse(kind, "this version of lammps-botan does not know its " + what + " '" + name +
                       "'; install the version that wrote the file, or a newer one");
  };
  for (const auto &one : settings) check("setting", one.first);
  for (const auto &one : tensors) check("tensor", one.first);
}

long NetworkDescription::columns(const std::string &name) const
{
  used.insert(name);
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.shape.size() != 2)
    refuse(kind, "expected the tensor '" + name + "' with two dimensions, found " +
                     (found == tensors.end() ? "none" : words(found->second.shape)));
  return found->second.shape[1];
}

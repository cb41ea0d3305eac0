/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Damage to a text of JSON: to its letters, and to its words, which a parser looks at one by one.

#ifndef BOTAN_MUTATOR_H
#define BOTAN_MUTATOR_H

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : engine(seed) {}

  // 0 to n - 1, the same with every standard library
  size_t below(size_t n) { return n ? engine() % n : 0; }

  double unit() { return static_cast<double>(engine() >> 11) * 0x1p-53; }

  // one to four changes; `other` is where words may come from
  std::string mutate(const std::string &text, const std::string &other)
  {
    std::vector<std::string> words = split(text);
    const std::vector<std::string> foreign = split(other);
    for (size_t n = 1 + below(4); n > 0; n--) change(words, foreign);
    std::string mutant;
    for (const auto &word : words) mutant += word;
    while (below(4) == 0 && !mutant.empty()) damage(mutant);
    return mutant;
  }

  // a flipped bit, another byte, or an end
  void damage(std::string &bytes)
  {
    const size_t place = below(bytes.size());
    switch (below(8)) {
      case 0:
        bytes.resize(place);
        break;
      case 1:
        bytes[place] = static_cast<char>(below(256));
        break;
      case 2:
        bytes.erase(place, 1 + below(8));
        break;
      default:
        bytes[place] = static_cast<char>(bytes[place] ^ 1 << below(8));
    }
  }

 private:
  std::mt19937_64 engine;

  // strings with their quotes, numbers and names, and single signs
  static std::vector<std::string> split(const std::string &text)
  {
    std::vector<std::string> words;
    for (size_t i = 0; i < text.size();) {
      size_t end = i + 1;
      if (text[i] == '"') {
        while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
        end = std::min(end + 1, text.size());
      } else if (is_part(text[i])) {
        while (end < text.size() && is_part(text[end])) end++;
      }
      words.push_back(text.substr(i, end - i));
      i = end;
    }
    return words;
  }

  static bool is_part(char c)
  {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '+';
  }

  std::string extreme()
  {
    static const std::vector<std::string> VALUES = {"0",
                                                    "-0",
                                                    "-0.0",
                                                    "1",
                                                    "2",
                                                    "3",
                                                    "-1",
                                                    "0.5",
                                                    "1e308",
                                                    "-1e308",
                                                    "1e309",
                                                    "1e-320",
                                                    "5e-324",
                                                    "2147483647",
                                                    "2147483648",
                                                    "4294967296",
                                                    "4294967298",
                                                    "9223372036854775807",
                                                    "9223372036854775808",
                                                    "18446744073709551616",
                                                    "18446744073709551618",
                                                    "1e18",
                                                    "65536",
                                                    "65537",
                                                    "1000",
                                                    "1001",
                                                    "1000001",
                                                    "100000000000000000000000000000000000000000",
                                                    "NaN",
                                                    "Infinity",
                                                    "-Infinity",
                                                    "null",
                                                    "true",
                                                    "false",
                                                    "\"\"",
                                                    "\"2\"",
                                                    "\"NULL\"",
                                                    "\"A\"",
                                                    "\"1.5\"",
                                                    "\"\\u0000\"",
                                                    "\"\\ud800\"",
                                                    "\"\\ud83d\\ude00\"",
                                                    "\"\xff\"",
                                                    "[]",
                                                    "{}",
                                                    "[[]]",
                                                    "[1]",
                                                    "{\"A\": 1}",
                                                    "[null]",
                                                    "2.0",
                                                    "3.0",
                                                    "01",
                                                    "1.",
                                                    ".5",
                                                    "+1",
                                                    "1e",
                                                    "0x10",
                                                    "[1.35, 1.08]",
                                                    "[[1.35]]",
                                                    "\"one-hot\"",
                                                    "\"number\""};
    return VALUES[below(VALUES.size())];
  }

  void change(std::vector<std::string> &words, const std::vector<std::string> &foreign)
  {
    const size_t place = below(words.size()), from = below(foreign.size());
    const auto at = words.begin() + static_cast<std::ptrdiff_t>(place);
    switch (words.empty() ? 99 : below(10)) {
      case 0:
        words.erase(at);
        break;
      case 1:    // once more: a key or an element twice
        words.insert(at, words[place]);
        break;
      case 2:
        std::swap(words[place], words[below(words.size())]);
        break;
      case 3:
        if (!foreign.empty()) words[place] = foreign[from];
        break;
      case 4: {    // many of its words
        const size_t n = std::min(below(30), foreign.size() - from);
        const auto first = foreign.begin() + static_cast<std::ptrdiff_t>(from);
        words.insert(at, first, first + static_cast<std::ptrdiff_t>(n));
        break;
      }
      case 5: {
        const size_t n = std::min(below(30), words.size() - place);
        words.erase(at, at + static_cast<std::ptrdiff_t>(n));
        break;
      }
      case 6: {    // inside lists
        const size_t n = below(20) == 0 ? 1 + below(200) : 1 + below(3);
        words[place] = std::string(n, '[') + words[place] + std::string(n, ']');
        break;
      }
      default:
        change_value(words);
    }
  }

  // a number or a name gets an extreme value: what is not a sign, and not a key
  void change_value(std::vector<std::string> &words)
  {
    for (int tries = 0; tries < 20; tries++) {
      const size_t place = below(words.size());
      const std::string &word = words[place];
      const bool is_text = word[0] == '"';
      const bool is_key = is_text && place + 1 < words.size() && words[place + 1] == ":";
      if ((is_part(word[0]) || is_text) && (!is_key || below(10) == 0)) {
        words[place] = extreme();
        return;
      }
    }
  }
};

#endif

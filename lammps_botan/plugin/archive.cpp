/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "archive.h"

#include <cstdint>
#include <stdexcept>

namespace {

constexpr std::string_view END = "PK\5\6", LARGE_END = "PK\6\6", LOCATOR = "PK\6\7";
constexpr std::string_view ENTRY = "PK\1\2", FILE_HEADER = "PK\3\4";
constexpr uint64_t END_SIZE = 22, LOCATOR_SIZE = 20, LARGE_END_SIZE = 56;
constexpr uint64_t ENTRY_SIZE = 46, FILE_HEADER_SIZE = 30;
constexpr uint64_t MOST_COMMENT = 0xffff;
constexpr uint32_t IS_LARGE = 0xffffffff;    // the number stands in the extra field
constexpr uint16_t LARGE_FIELD = 1;

[[noreturn]] void damaged(const std::string &what)
{
  throw std::runtime_error("not a TorchScript archive (" + what + ")");
}

// numbers of an archive are little-endian; none is read outside of it

template <class T> T number(std::string_view bytes, uint64_t at)
{
  if (bytes.size() < sizeof(T) || at > bytes.size() - sizeof(T)) damaged("it ends too early");
  T value = 0;
  for (size_t k = sizeof(T); k-- > 0;)
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(bytes[at + k]));
  return value;
}

std::string_view part(std::string_view bytes, uint64_t at, uint64_t size)
{
  if (at > bytes.size() || size > bytes.size() - at) damaged("it ends too early");
  return bytes.substr(at, size);
}

bool is_at(std::string_view bytes, uint64_t at, std::string_view signature)
{
  return at <= bytes.size() && bytes.substr(at, signature.size()) == signature;
}

// the record at the end stands before a comment of the length that it names

uint64_t find_end(std::string_view bytes)
{
  if (bytes.size() < END_SIZE) damaged("it has no directory");
  const uint64_t last = bytes.size() - END_SIZE;
  const uint64_t first = last > MOST_COMMENT ? last - MOST_COMMENT : 0;
  for (uint64_t at = last + 1; at-- > first;)
    if (is_at(bytes, at, END) && number<uint16_t>(bytes, at + 20) == last - at) return at;
  damaged("it has no directory");
}

struct Directory {
  uint64_t entries, first;
};

Directory find_directory(std::string_view bytes)
{
  const uint64_t end = find_end(bytes);
  if (end >= LOCATOR_SIZE && is_at(bytes, end - LOCATOR_SIZE, LOCATOR)) {
    const auto large = number<uint64_t>(bytes, end - LOCATOR_SIZE + 8);
    part(bytes, large, LARGE_END_SIZE);
    if (!is_at(bytes, large, LARGE_END)) damaged("it has no directory");
    return {number<uint64_t>(bytes, large + 32), number<uint64_t>(bytes, large + 48)};
  }
  return {number<uint16_t>(bytes, end + 10), number<uint32_t>(bytes, end + 16)};
}

struct Entry {
  std::string_view name;
  uint64_t packed, size, header;    // header: where that of the file begins
  uint16_t method;
  uint64_t next;
};

// those of the three numbers that do not fit into 32 bits stand in the extra field, in this order

void read_large(std::string_view extra, Entry &entry)
{
  for (uint64_t at = 0; at + 4 <= extra.size();) {
    const auto kind = number<uint16_t>(extra, at), length = number<uint16_t>(extra, at + 2);
    const std::string_view field = part(extra, at + 4, length);
    at += 4 + static_cast<uint64_t>(length);
    if (kind != LARGE_FIELD) continue;
    uint64_t k = 0;
    for (uint64_t *value : {&entry.size, &entry.packed, &entry.header})
      if (*value == IS_LARGE) *value = number<uint64_t>(field, 8 * k++);
    return;
  }
}

Entry read_entry(std::string_view bytes, uint64_t at)
{
  part(bytes, at, ENTRY_SIZE);
  if (!is_at(bytes, at, ENTRY)) damaged("its directory is damaged");
  const auto name = number<uint16_t>(bytes, at + 28), extra = number<uint16_t>(bytes, at + 30);
  const auto comment = number<uint16_t>(bytes, at + 32);
  Entry entry = {part(bytes, at + ENTRY_SIZE, name), number<uint32_t>(bytes, at + 20),
                 number<uint32_t>(bytes, at + 24),   number<uint32_t>(bytes, at + 42),
                 number<uint16_t>(bytes, at + 10),   at + ENTRY_SIZE + name + extra + comment};
  read_large(part(bytes, at + ENTRY_SIZE + name, extra), entry);
  return entry;
}

std::string_view content(std::string_view bytes, const Entry &entry)
{
  part(bytes, entry.header, FILE_HEADER_SIZE);
  if (!is_at(bytes, entry.header, FILE_HEADER)) damaged("its directory is damaged");
  if (entry.method != 0 || entry.packed != entry.size)
    damaged(std::string(entry.name) + " is compressed");
  const uint64_t skipped = FILE_HEADER_SIZE + number<uint16_t>(bytes, entry.header + 26) +
                           number<uint16_t>(bytes, entry.header + 28);
  return part(bytes, entry.header + skipped, entry.size);
}

}    // namespace

std::string_view extra_file(std::string_view archive, const std::string &name)
{
  const std::string wanted = "/extra/" + name;
  const Directory directory = find_directory(archive);
  uint64_t at = directory.first;
  for (uint64_t k = 0; k < directory.entries; k++) {
    const Entry entry = read_entry(archive, at);
    if (entry.name.ends_with(wanted)) return content(archive, entry);
    at = entry.next;
  }
  return {};
}

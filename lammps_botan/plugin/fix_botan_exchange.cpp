/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What fix botan copies from atoms to their ghosts. Every rank takes part in every exchange, also
// one without atoms.

#include "fix_botan.h"

#include "comm.h"

#include <cstring>

using namespace LAMMPS_NS;

/* ----------------------------------------------------------------------
   two floats travel in one double
------------------------------------------------------------------------- */

int FixBotan::exchange_size(const std::vector<Rows> &rows)
{
  int n_floats = 0;
  for (const Rows &each : rows) n_floats += each.width;
  return (n_floats + 1) / 2;
}

/* ---------------------------------------------------------------------- */

void FixBotan::exchange(const std::vector<Rows> &rows)
{
  in_exchange = rows;
  comm->forward_comm(this, exchange_size(rows));
  in_exchange.clear();
}

/* ---------------------------------------------------------------------- */

void FixBotan::exchange_attributes()
{
  comm->forward_comm(this, ATTRIBUTE_SIZE);
}

/* ---------------------------------------------------------------------- */

int FixBotan::pack_forward_comm(int n, int *atoms, double *buf, int /*pbc_flag*/, int * /*pbc*/)
{
  if (in_exchange.empty()) {
    for (int k = 0; k < n; k++) {
      const Node &node = nodes[atoms[k]];
      *buf++ = ubuf(node.tag).d;
      *buf++ = ubuf(2 * node.species + (node.in_group ? 1 : 0)).d;
    }
    return n * ATTRIBUTE_SIZE;
  }
  const int size = exchange_size(in_exchange);
  for (int k = 0; k < n; k++) {
    auto *floats = reinterpret_cast<char *>(buf + static_cast<size_t>(k) * size);
    for (const auto &[first, width] : in_exchange) {
      memcpy(floats, first + static_cast<size_t>(atoms[k]) * width, width * sizeof(float));
      floats += width * sizeof(float);
    }
  }
  return n * size;
}

/* ---------------------------------------------------------------------- */

void FixBotan::unpack_forward_comm(int n, int first_ghost, double *buf)
{
  if (in_exchange.empty()) {
    for (int k = 0; k < n; k++) {
      const auto tag = static_cast<tagint>(ubuf(*buf++).i);
      const auto code = ubuf(*buf++).i;
      // a shift and not a division: species of NULL is -1
      nodes[first_ghost + k] = {tag, static_cast<int>(code >> 1), (code & 1) != 0};
    }
    return;
  }
  const int size = exchange_size(in_exchange);
  for (int k = 0; k < n; k++) {
    const auto *floats = reinterpret_cast<char *>(buf + static_cast<size_t>(k) * size);
    for (const auto &[first, width] : in_exchange) {
      memcpy(first + static_cast<size_t>(first_ghost + k) * width, floats, width * sizeof(float));
      floats += width * sizeof(float);
    }
  }
}

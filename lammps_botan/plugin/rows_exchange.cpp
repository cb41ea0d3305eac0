/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "rows_exchange.h"

#include <algorithm>
#include <numeric>

/* ---------------------------------------------------------------------- */

std::vector<double> LAMMPS_NS::exchange_rows(const std::vector<double> &rows, int size,
                                             const std::vector<int> &ranks, MPI_Comm world)
{
  int n_ranks;
  MPI_Comm_size(world, &n_ranks);
  std::vector<int> sent(n_ranks, 0), received(n_ranks), send_start(n_ranks), receive_start(n_ranks);
  for (const int rank : ranks) sent[rank] += size;
  MPI_Alltoall(sent.data(), 1, MPI_INT, received.data(), 1, MPI_INT, world);
  std::exclusive_scan(sent.begin(), sent.end(), send_start.begin(), 0);
  std::exclusive_scan(received.begin(), received.end(), receive_start.begin(), 0);

  std::vector<double> sorted(rows.size());
  std::vector<int> next = send_start;
  for (size_t i = 0; i < ranks.size(); i++) {
    std::copy_n(&rows[i * size], size, &sorted[next[ranks[i]]]);
    next[ranks[i]] += size;
  }
  std::vector<double> arrived(receive_start.back() + received.back());
  MPI_Alltoallv(sorted.data(), sent.data(), send_start.data(), MPI_DOUBLE, arrived.data(),
                received.data(), receive_start.data(), MPI_DOUBLE, world);
  return arrived;
}

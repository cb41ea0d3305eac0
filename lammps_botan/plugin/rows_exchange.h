/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Rows of numbers to the ranks that they are for.

#ifndef BOTAN_ROWS_EXCHANGE_H
#define BOTAN_ROWS_EXCHANGE_H

#include <mpi.h>

#include <vector>

namespace LAMMPS_NS {

// collective; rows [n_rows, size], ranks [n_rows]; returns those that are for this rank
std::vector<double> exchange_rows(const std::vector<double> &rows, int size,
                                  const std::vector<int> &ranks, MPI_Comm world);

}    // namespace LAMMPS_NS

#endif

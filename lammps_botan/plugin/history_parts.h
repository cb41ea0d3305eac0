/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Averages of each atom over the parts of a window of time: the last complete parts and the one in
// progress. All atoms are sampled together, and an atom that came later has fewer samples. Averages
// travel with their atom from rank to rank and into restart files.

#ifndef BOTAN_HISTORY_PARTS_H
#define BOTAN_HISTORY_PARTS_H

#include "lmptype.h"

#include <vector>

namespace LAMMPS_NS {

class HistoryParts {
 public:
  // symmetric matrices are xx yy zz yz xz xy
  struct Average {
    double mean[3], covariance[6], energy;
  };

  HistoryParts(int n_parts, bigint samples_per_part);

  void resize(int nmax);
  void copy(int i, int j);
  void clear(int i) { begin[i] = NOT_YET; }    // for a new atom

  // a sample of all atoms: where each is, in coordinates that repeat by 1 where they are periodic,
  // and its energy. an atom is followed by the shortest way from its last sample
  void add(int i, const double *place, const int *periodic, double energy);
  void end_sample() { n++; }
  void forget(int nlocal);    // of all atoms

  bigint n_samples() const { return n; }
  bigint samples_of_window() const { return n_parts * per_part; }
  // samples of the atom, counted from the begin of its first whole part; less than 0 before
  bigint n_samples_of(int i) const { return n - (begin[i] == NOT_YET ? next_part() : begin[i]); }

  // over the window of an atom with as many samples
  Average average(int i) const;
  // from the place to the mean of an average, in the same coordinates
  void to_mean(int i, const Average &, const double *place, const int *periodic,
               double *vector) const;
  // coordinates of all atoms become matrix * coordinates
  void transform(int nlocal, const double matrix[3][3]);

  int packed_size() const;    // doubles in a buffer, the first of them their number
  int pack(int i, double *buf) const;
  int unpack(int i, const double *buf);
  void restore(bigint n_samples) { n = n_samples; }
  int bytes_per_atom() const;
  double memory_usage() const;

 private:
  struct Part {
    double mean[3], squares[6], energy;    // squares: sum of products of differences from the mean
  };
  static constexpr bigint NOT_YET = -1;
  static constexpr int NUMBERS = sizeof(Part) / sizeof(double);

  const int n_parts;
  const bigint per_part;
  bigint n;                               // samples since the begin
  std::vector<double> places;             // [nmax, 3], unwrapped, at the last sample
  std::vector<bigint> begin;              // [nmax], the first sample that counts
  std::vector<std::vector<Part>> ring;    // [n_parts + 1, nmax]

  std::vector<Part> &part(bigint number) { return ring[number % (n_parts + 1)]; }
  const std::vector<Part> &part(bigint number) const { return ring[number % (n_parts + 1)]; }
  bigint next_part() const { return (n + per_part - 1) / per_part * per_part; }
};

}    // namespace LAMMPS_NS

#endif

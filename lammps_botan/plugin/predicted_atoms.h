/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What was predicted for each atom and has not happened yet. It travels with its atom from rank to
// rank and into restart files.

#ifndef BOTAN_PREDICTED_ATOMS_H
#define BOTAN_PREDICTED_ATOMS_H

#include "lmptype.h"

#include <vector>

namespace LAMMPS_NS {

struct PredictedBond {
  tagint partner;
  double r, change;    // distance at the start, predicted change
};

// ids are those of the start: commands like delete_atoms may give new ones
struct PredictedAtom {
  bigint prediction;    // serial number
  tagint tag;
  double start[3];    // unwrapped
  double propensity;
  std::vector<PredictedBond> bonds;
};

class PredictedAtoms {
 public:
  void resize(int nmax) { of_atom.resize(nmax); }
  void copy(int i, int j) { of_atom[j] = of_atom[i]; }
  void clear(int i) { of_atom[i].clear(); }    // for a new atom
  void erase_all();

  void add(int i, PredictedAtom &&atom) { of_atom[i].push_back(std::move(atom)); }
  const PredictedAtom *find(int i, bigint prediction) const;
  void erase(bigint prediction);
  bool empty(int i) const { return of_atom[i].empty(); }

  // doubles in a buffer, the first of them their number
  static int packed_size(const std::vector<int> &n_bonds);    // one number for each prediction
  int packed_size(int i) const;
  int pack(int i, double *buf) const;
  int unpack(int i, const double *buf);

  double memory_usage() const;

 private:
  std::vector<std::vector<PredictedAtom>>
      of_atom;    // [nmax], each in the order of its predictions
};

}    // namespace LAMMPS_NS

#endif

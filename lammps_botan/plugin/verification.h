/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Predictions of fix botan, kept until their lag time has passed and then compared with what the
// run did. All ranks call these functions together, but for those on single atoms.

#ifndef BOTAN_VERIFICATION_H
#define BOTAN_VERIFICATION_H

#include "pointers.h"
#include "predicted_atoms.h"
#include "trajectory.h"

#include <deque>

namespace LAMMPS_NS {

class Verification : protected Pointers {
 public:
  static constexpr int MAX_PENDING = 8;

  const double lag_time;
  PredictedAtoms atoms;
  // of the last verification: Pearson's rho of atoms and of bonds, NaN where it is not defined
  double rho_atoms, rho_bonds;
  bigint n_verified;

  Verification(class LAMMPS *, double lag_time, const Trajectory &);

  // a clock of simulated time; it stands still between two runs. what is pending is dropped where
  // something other than a run has moved atoms
  void start_run();
  void go_on();
  void follow_clock();    // before go_on() in the first step of a run without setup

  // true if a prediction may be begun now. its atoms are added, then it is closed
  bool has_room() const;
  bigint next_prediction() const { return n_begun; }
  void begin(int most_bonds);
  void verify_due();
  // forget what is pending; the reason goes into a warning
  void drop(const std::string &reason);

  int max_packed_size() const;
  std::vector<double> state() const;
  bool restore(const double *state);

 private:
  struct Pending {
    bigint serial;
    double begin;
    int most_bonds;    // of an atom, on any rank
  };
  struct Pairs {
    std::vector<double> predicted, happened;
  };

  const Trajectory &trajectory;
  std::deque<Pending> pending;    // the oldest comes first
  bigint n_begun;
  double clock, offset, stride;    // stride: from the last time the clock was read to the present

  double simulated_time() const;
  void drop_if_empty();
  void forget();
  Pairs compare_atoms(bigint) const;
  Pairs compare_bonds(bigint) const;
  double pearson(const Pairs &) const;
};

}    // namespace LAMMPS_NS

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Whether a run goes on where the run before has ended. What fix botan keeps of atoms from run to
// run belongs to one trajectory, which commands like read_dump or displace_atoms end. The place
// where the last run left an atom travels with the atom from rank to rank and into restart files.

#ifndef BOTAN_TRAJECTORY_H
#define BOTAN_TRAJECTORY_H

#include "pointers.h"

#include <array>
#include <limits>
#include <string>
#include <vector>

namespace LAMMPS_NS {

class Trajectory : protected Pointers {
 public:
  static constexpr int PACKED_SIZE = 3;    // doubles of an atom in a buffer

  explicit Trajectory(class LAMMPS *);

  // all ranks call these together: in setup(), in each step, after a run
  void start_run();
  void go_on() { between_runs = false; }    // after `run ... pre no`, which has no setup
  void end_run();

  // since the last start_run(): why this run does not continue the one before, or nothing
  const std::string &broken() const { return reason; }
  bool box_has_changed() const { return box_changed; }    // since the run before
  bool is_replayed() const { return replaying; }          // `rerun` sets the positions
  bool follows_replay() const { return after_replay; }    // a `rerun` came before this run
  bool is_between_runs() const { return between_runs; }

  void resize(int nmax) { left_at.resize(nmax, UNKNOWN); }
  void copy(int i, int j) { left_at[j] = left_at[i]; }
  void clear(int i) { left_at[i] = UNKNOWN; }    // for a new atom
  int pack(int i, double *buf) const;
  int unpack(int i, const double *buf);
  int pack_restart(int i, double *buf);
  double memory_usage() const;

  // for restart files: everything but the atoms
  std::vector<double> state() const;
  void restore(const double *state);

 private:
  using Place = std::array<double, 3>;    // unwrapped
  using Box = std::array<double, 9>;      // h and lower corner
  static constexpr double NO = std::numeric_limits<double>::quiet_NaN();
  static constexpr Place UNKNOWN = {NO, NO, NO};

  std::vector<Place> left_at;    // [nmax]; NaN: no run has ended with the atom
  Box left_box;
  bool between_runs;    // the last one has ended, and the next has not begun
  bool replaying, after_replay, box_changed;
  std::string reason;

  Place unwrapped(int i) const;
  Box box() const;
  bigint n_moved() const;
  bool is_changed_box() const;
};

}    // namespace LAMMPS_NS

#endif

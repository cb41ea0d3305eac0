/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What each atom did in a window of time that ends now, kept while the run goes on: mean and
// variance of its positions and its mean energy. All ranks call these functions together, but for
// those on single atoms.

#ifndef BOTAN_HISTORY_H
#define BOTAN_HISTORY_H

#include "history_parts.h"
#include "model_metadata.h"
#include "pointers.h"
#include "trajectory.h"

#include <array>
#include <string>
#include <vector>

namespace LAMMPS_NS {

class History : protected Pointers {
 public:
  HistoryParts atoms;

  // energies come from a compute pe/atom of this name, made by make_compute() and deleted at the
  // end
  History(class LAMMPS *, const HistoryInput &, const Trajectory &, const std::string &compute);
  ~History() override;
  void make_compute();

  void init();
  void start_run();
  void go_on(bool begins);    // begins: the first step of a run without setup
  void end_run();
  // begin anew; the reason goes into a warning
  void drop(const std::string &reason);

  std::string in_words() const;
  bigint stride() const;    // steps from one sample to the next
  // samples of the atom with the shortest history, of those `inside` [nlocal]
  bigint fewest_samples(const std::vector<char> &inside) const;
  bool is_told() const { return gaps_told; }    // that it begins anew, again and again
  double share(bigint n_samples) const;         // of the window
  bigint full_at(bigint n_samples) const;       // the step at which as many have become a window

  struct Values {
    double displacement[3], variance, energy;
  };
  Values values(int i) const;    // of an atom whose window is full

  std::vector<double> state() const;
  bool restore(const double *state);

 private:
  const HistoryInput input;
  const Trajectory &trajectory;
  const std::string compute_id;
  bool has_compute = false;    // made by this object
  class Compute *compute;
  bigint next_sample, planned_stride, last_sample;    // steps
  double since_sample;                                // time; NaN where it is not known
  bigint even_samples;               // since two samples were not an interval apart
  bool gaps_told;                    // that the history began anew because of them
  bool ended_with_sample;            // the last run: its last positions count already
  std::array<double, 6> last_box;    // h, when the box was looked at last

  void sample();
  void schedule();
  void check_interval() const;
  void watch_gaps();
  void follow_flips();
  void forget();
  bool is_sampled() const;
};

}    // namespace LAMMPS_NS

#endif

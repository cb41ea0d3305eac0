/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// A second LAMMPS instance in the same process: box, atoms and pair style are those of the first
// one. What is done to the copy does not touch the first one: it has neighbor lists, forces, step
// and random numbers of its own.

#ifndef BOTAN_SIMULATION_COPY_H
#define BOTAN_SIMULATION_COPY_H

#include "lammps.h"

#include <memory>
#include <string>
#include <vector>

namespace LAMMPS_NS {

// why there can be no copy of this simulation with the same forces, or an empty string
std::string copy_refusal(LAMMPS *);

// all functions are collective, and throw LAMMPSException where LAMMPS stops with an error
class SimulationCopy {
 public:
  explicit SimulationCopy(LAMMPS *original);

  void command(const std::string &);
  LAMMPS *operator->() { return copy.get(); }

  // where the atom of the original is that an atom of the copy stands for
  struct Origin {
    int rank, index;
  };
  Origin origin(int atom) const;

 private:
  // the messages of the copy are not to meet those of the original
  struct Communicator {
    MPI_Comm comm;
    explicit Communicator(MPI_Comm other) { MPI_Comm_dup(other, &comm); }
    ~Communicator() { MPI_Comm_free(&comm); }
    Communicator(const Communicator &) = delete;
    Communicator &operator=(const Communicator &) = delete;
  };

  LAMMPS *original;
  Communicator world;    // is there longer than the copy
  std::unique_ptr<LAMMPS> copy;

  void make_box();
  void copy_pair_style();
  void copy_atoms();
  std::vector<double> bounds_of_ranks() const;
  int owner(const double *position, const std::vector<double> &bounds) const;
};

}    // namespace LAMMPS_NS

#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#ifdef FIX_CLASS
// clang-format off
FixStyle(botan,FixBotan);
// clang-format on
#else

#ifndef LMP_FIX_BOTAN_H
#define LMP_FIX_BOTAN_H

#include "botan_model.h"
#include "fix.h"
#include "fix_botan_arguments.h"
#include "history.h"
#include "model_loader.h"
#include "trajectory.h"
#include "verification.h"

#include <memory>

namespace LAMMPS_NS {

class FixBotan : public Fix {
 public:
  FixBotan(class LAMMPS *, int, char **);
  ~FixBotan() override;

  int setmask() override;
  void post_constructor() override;
  void init() override;
  void setup(int) override;
  void min_setup(int) override;
  void end_of_step() override;
  void post_run() override;

  double compute_scalar() override;
  double compute_vector(int) override;
  double memory_usage() override;

  void grow_arrays(int) override;
  void copy_arrays(int, int, int) override;
  void set_arrays(int) override;
  int pack_exchange(int, double *) override;
  int unpack_exchange(int, double *) override;
  void write_restart(FILE *) override;
  void restart(char *) override;
  int pack_restart(int, double *) override;
  void unpack_restart(int, int) override;
  int size_restart(int) override;
  int maxsize_restart() override;
  int pack_forward_comm(int, int *, double *, int, int *) override;
  void unpack_forward_comm(int, int, double *) override;

 private:
  const FixBotanArguments given;
  LoadedModel loaded_fallback, loaded;
  const ModelMetadata &metadata, &fallback_metadata;
  BotanModel *model, *fallback;     // the latter predicts until the history is full; may be null
  std::vector<int> type2species;    // -1: atoms of this type are not in the graph

  double bonds;    // longest pair of the local output

  struct Node {
    tagint tag;
    int species;    // -1: not in the graph
    bool in_group;
  };
  std::vector<Node> nodes;    // local and ghost atoms at the last scoring
  BotanGraph graph;
  std::vector<float> node_out, edge_out;    // [nlocal, node_outputs], [n_edges, edge_outputs]
  struct Rows {
    float *first;    // of local and ghost atoms
    int width;
  };
  std::vector<Rows> in_exchange;              // none: attributes of nodes
  static constexpr int ATTRIBUTE_SIZE = 2;    // doubles of a node

  double **values;    // [nmax, node_outputs], what dumps see
  int max_bonds;
  double mean, deviation, n_graph_edges, seconds;
  std::vector<double> species_mean;
  bigint set_up_at;    // step of the last setup()

  // null where nothing is kept of atoms, with `verify no`, and for models without history
  std::unique_ptr<Trajectory> trajectory;
  std::unique_ptr<Verification> verification;
  std::unique_ptr<History> history;
  bool verification_restored, history_restored;    // a restart file holds their atoms
  bigint n_samples;                                // of the shortest history, at the last scoring
  bool wait_reported, unlike_reported, fallback_unlike_reported;

  void check_model();
  void prepare_inputs();
  void prepare_verification();
  void declare_outputs();
  void report();

  void score();
  void refresh_ghosts();
  static int exchange_size(const std::vector<Rows> &);
  void exchange(const std::vector<Rows> &);
  void exchange_attributes();
  std::string build_graph();
  double needed_range() const;
  void check_edges();
  bool knows_inputs();
  void report_full();
  void gather_inputs();
  void compare_inputs(const ModelMetadata &, bool &reported);
  std::vector<Rows> input_rows();
  void report_wait();
  void evaluate(BotanModel &, const BotanSizes &);
  void predict_nothing();
  void stop_together(std::string failure);
  std::string not_finite() const;
  bool is_reported(int i) const { return nodes[i].in_group && nodes[i].species >= 0; }
  void store_atoms();
  void store_bonds();
  void store_averages();

  void check_lag_time();
  void keep_prediction();
  void start_run();
  void verify_due();
  void size_exchange();
};

}    // namespace LAMMPS_NS

#endif
#endif

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "fix_botan.h"

#include "model_loader.h"

#include "atom.h"
#include "citeme.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "neighbor.h"
#include "pair.h"
#include "update.h"

using namespace LAMMPS_NS;
using namespace FixConst;

static const char cite_fix_botan[] =
    "fix botan command: doi:10.1063/5.0129791\n\n"
    "@Article{Shiba2023,\n"
    " author = {Shiba, Hayato and Hanai, Masatoshi and Suzumura, Toyotaro and Shimokawabe, "
    "Takashi},\n"
    " title = {{BOTAN}: {BO}nd {TA}rgeting {N}etwork for Prediction of Slow Glassy Dynamics by "
    "Machine Learning Relative Motion},\n"
    " journal = {J. Chem. Phys.},\n"
    " year = 2023,\n"
    " volume = 158,\n"
    " pages = {084503}\n"
    "}\n\n";

/* ---------------------------------------------------------------------- */

FixBotan::FixBotan(LAMMPS *lmp, int narg, char **arg) :
    Fix(lmp, narg, arg), given(lmp, narg, arg), loaded(load_model(lmp, given, loaded_fallback)),
    metadata(loaded.metadata), fallback_metadata(loaded_fallback.metadata),
    model(loaded.model.get()), fallback(loaded_fallback.model.get()),
    type2species(map_species(lmp, metadata.mixture.species, arg)), bonds(given.bonds),
    values(nullptr), max_bonds(0), mean(0.0), deviation(0.0), n_graph_edges(0.0), seconds(0.0),
    set_up_at(-1), verification_restored(false), history_restored(false), n_samples(0),
    wait_reported(false), unlike_reported(false), fallback_unlike_reported(false)
{
  if (lmp->citeme) lmp->citeme->add(cite_fix_botan);
  check_model();
  prepare_inputs();
  prepare_verification();
  declare_outputs();
  report();

  // last, so that an error above leaves no callback behind
  grow_arrays(atom->nmax);
  for (int i = 0; i < atom->nlocal; i++) set_arrays(i);
  atom->add_callback(Atom::GROW);
  if (trajectory) atom->add_callback(Atom::RESTART);
}

/* ---------------------------------------------------------------------- */

FixBotan::~FixBotan()
{
  atom->delete_callback(id, Atom::GROW);
  if (trajectory) atom->delete_callback(id, Atom::RESTART);
  memory->destroy(values);
  memory->destroy(array_local);
}

/* ---------------------------------------------------------------------- */

void FixBotan::check_model()
{
  const ModelMixture &mixture = metadata.mixture;
  if (mixture.units != update->unit_style)
    error->all(FLERR, FixBotanArguments::MODEL,
               "Fix botan: the model ({}) is in units {}, but this input uses `units {}`; write "
               "`units {}` and quantities in these units, or take another model",
               mixture.name, mixture.units, update->unit_style, mixture.units);
  if (mixture.dimension != domain->dimension)
    error->all(FLERR, FixBotanArguments::MODEL,
               "Fix botan: the model ({}) is for {} dimensions, but this input has `dimension {}`; "
               "write `dimension {}`, or take another model",
               mixture.name, mixture.dimension, domain->dimension, mixture.dimension);
  if (bonds == 0.0) bonds = MIN(mixture.longest_bond(), metadata.cutoff);
  if (bonds > metadata.cutoff)
    error->all(
        FLERR, Error::NOPOINTER,
        "Fix botan: bonds {} is larger than the cutoff {} of the model; write `bonds {}` or less",
        bonds, metadata.cutoff, metadata.cutoff);
}

/* ---------------------------------------------------------------------- */

void FixBotan::declare_outputs()
{
  // a lag time may end on any step, and samples have steps of their own
  nevery = trajectory ? 1 : given.nevery;
  const BotanSizes &sizes = metadata.sizes;
  species_mean.assign(metadata.mixture.species.size(), 0.0);

  peratom_flag = 1;
  size_peratom_cols = sizes.node_outputs == 1 ? 0 : sizes.node_outputs;
  peratom_freq = given.nevery;

  local_flag = 1;
  size_local_rows = 0;
  size_local_cols = 3 + sizes.edge_outputs;
  local_freq = given.nevery;

  scalar_flag = vector_flag = 1;
  size_vector = static_cast<int>(metadata.mixture.species.size()) + 3;
  if (verification) size_vector += 3;
  if (history) size_vector++;
  extscalar = extvector = 0;
  global_freq = given.nevery;

  create_attribute = 1;
  dynamic_group_allow = 1;
  restart_global = restart_peratom = trajectory ? 1 : 0;
  if (verification) maxexchange_dynamic = 1;
  size_exchange();
  comm_forward = MAX(exchange_size({{nullptr, sizes.width}}), exchange_size(input_rows()));
  comm_forward = MAX(comm_forward, exchange_size({{nullptr, fallback_metadata.sizes.width}}));
  comm_forward = MAX(comm_forward, ATTRIBUTE_SIZE);
}

/* ---------------------------------------------------------------------- */

void FixBotan::report()
{
  if (comm->me != 0) return;
  std::string map;
  for (int type = 1; type <= atom->ntypes; type++)
    map +=
        fmt::format(" {}={}", type,
                    type2species[type] < 0 ? "NULL" : metadata.mixture.species[type2species[type]]);
  utils::logmesg(lmp, "Fix botan: model {} ({}), atom types{}\n", given.model, metadata.in_words(),
                 map);
  utils::logmesg(
      lmp, "  cutoff {}, bonds {}, every {} steps on {} ({}) with {} thread(s) per MPI task\n",
      metadata.cutoff, bonds, given.nevery, model->device(), model->engine(), given.threads);
  if (history) utils::logmesg(lmp, "  {}\n", history->in_words());
  if (!metadata.seen)
    utils::logmesg(
        lmp,
        "  the file does not say what the model saw in training: nothing is compared with it\n");
  if (fallback)
    utils::logmesg(lmp, "  its fallback, until the history is full: {} on {} ({})\n",
                   fallback_metadata.in_words(), fallback->device(), fallback->engine());
  if (verification)
    utils::logmesg(lmp, "  each prediction is verified after lag time {}\n",
                   verification->lag_time);
}

/* ---------------------------------------------------------------------- */

int FixBotan::setmask()
{
  return END_OF_STEP | POST_RUN;
}

/* ----------------------------------------------------------------------
   refuse what would take ghost atoms away
------------------------------------------------------------------------- */

void FixBotan::init()
{
  check_lag_time();
  if (history) history->init();
  if (comm->mode != Comm::SINGLE)
    error->all(FLERR, Error::NOLASTLINE,
               "Fix botan needs one ghost cutoff for all atoms: write `comm_modify mode single`");

  const double skin = neighbor->skin;
  const double needed = metadata.cutoff + skin;
  const double ghost_range =
      MAX(force->pair ? force->pair->cutforce + skin : 0.0, comm->cutghostuser);
  if (needed > ghost_range)
    error->all(FLERR, Error::NOLASTLINE,
               "Fix botan: the model looks as far as {} (plus skin {}), but ghost atoms reach only "
               "{}; add the line\n  comm_modify cutoff {}",
               metadata.cutoff, skin, ghost_range, needed);
}

/* ----------------------------------------------------------------------
   also on steps that are no multiple of N: output may ask on the first one
------------------------------------------------------------------------- */

void FixBotan::setup(int /*vflag*/)
{
  start_run();
  score();
  set_up_at = update->ntimestep;
}

/* ---------------------------------------------------------------------- */

void FixBotan::start_run()
{
  if (!trajectory) return;
  trajectory->start_run();
  if (history) history->start_run();
  if (!verification) return;
  verification->start_run();
  verify_due();
}

/* ---------------------------------------------------------------------- */

void FixBotan::end_of_step()
{
  // rerun calls setup() and then this function for the same snapshot
  if (update->ntimestep == set_up_at) return;
  // a run without setup, before which LAMMPS may have begun to count steps and time anew
  const bool begins = trajectory && trajectory->is_between_runs();
  if (trajectory) trajectory->go_on();
  if (history) history->go_on(begins);
  if (verification) {
    if (begins) verification->follow_clock();
    verification->go_on();
    verify_due();
  }
  if (update->ntimestep % given.nevery == 0) score();
}

/* ----------------------------------------------------------------------
   called for every fix, whatever its mask
------------------------------------------------------------------------- */

void FixBotan::post_run()
{
  set_up_at = -1;
  if (history) history->end_run();
  if (trajectory) trajectory->end_run();
}

/* ---------------------------------------------------------------------- */

void FixBotan::min_setup(int /*vflag*/)
{
  if (comm->me == 0)
    utils::logmesg(lmp,
                   "Fix botan: a minimization is not scored; output in it has the values of the "
                   "last scoring, 0 where there was none\n");
  const std::string reason = "a minimization moves the atoms";
  if (history) history->drop(reason);
  if (verification) verification->drop(reason);
}

/* ---------------------------------------------------------------------- */

double FixBotan::compute_scalar()
{
  return mean;
}

/* ----------------------------------------------------------------------
   mean of each species of the model, deviation, edges of the graph, seconds;
   with `verify yes` rho of atoms, rho of bonds, number of verifications; with history the share of
its window that is there
------------------------------------------------------------------------- */

double FixBotan::compute_vector(int k)
{
  const int n_species = static_cast<int>(species_mean.size());
  if (k < n_species) return species_mean[k];
  if (k == n_species) return deviation;
  if (k == n_species + 1) return n_graph_edges;
  if (k == n_species + 2) return seconds;
  if (k == size_vector - 1 && history) return history->share(n_samples);
  if (k == n_species + 3) return verification->rho_atoms;
  if (k == n_species + 4) return verification->rho_bonds;
  return static_cast<double>(verification->n_verified);
}

/* ---------------------------------------------------------------------- */

double FixBotan::memory_usage()
{
  const double atoms = static_cast<double>(atom->nmax) * metadata.sizes.node_outputs;
  const double bonds = static_cast<double>(max_bonds) * size_local_cols;
  return (atoms + bonds) * sizeof(double) +
         (node_out.capacity() + edge_out.capacity() + graph.vectors.capacity()) * sizeof(float) +
         (graph.species.capacity() + graph.first_edge.capacity()) * sizeof(int64_t) +
         graph.neighbor.capacity() * sizeof(int32_t) + nodes.capacity() * sizeof(Node) +
         model->memory_usage() + (fallback ? fallback->memory_usage() : 0.0) +
         (trajectory ? trajectory->memory_usage() : 0.0) +
         (verification ? verification->atoms.memory_usage() : 0.0) +
         (history ? history->atoms.memory_usage() : 0.0);
}

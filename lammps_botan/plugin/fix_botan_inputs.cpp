/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What fix botan hands over to models that see more than positions and species.

#include "fix_botan.h"

#include "inherent_structure.h"
#include "number_density.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "modify.h"
#include "update.h"

using namespace LAMMPS_NS;

/* ---------------------------------------------------------------------- */

void FixBotan::prepare_inputs()
{
  if (!metadata.history) return;
  // LAMMPS would refuse the name later, when it has the fix in its list
  const std::string compute = std::string(id) + "_pe";
  if (modify->get_compute_by_id(compute))
    error->all(FLERR,
               "Fix botan: there is a compute {}, and the fix makes one of this name for the "
               "energies of the history; give the compute or the fix another ID",
               compute);
  trajectory = std::make_unique<Trajectory>(lmp);
  history = std::make_unique<History>(lmp, *metadata.history, *trajectory, compute);
}

/* ---------------------------------------------------------------------- */

void FixBotan::post_constructor()
{
  if (history) history->make_compute();
}

/* ----------------------------------------------------------------------
   a prediction by the model needs the whole window of all atoms in the graph
------------------------------------------------------------------------- */

bool FixBotan::knows_inputs()
{
  if (!history) return true;
  std::vector<char> inside(atom->nlocal);
  for (int i = 0; i < atom->nlocal; i++) inside[i] = nodes[i].species >= 0;
  const bigint before = n_samples;
  n_samples = history->fewest_samples(inside);
  // the history has begun anew
  if (n_samples < before && !history->is_told()) wait_reported = false;
  const bool is_full = n_samples >= history->atoms.samples_of_window();
  if (!is_full)
    report_wait();
  else if (wait_reported)
    report_full();
  return is_full;
}

/* ---------------------------------------------------------------------- */

void FixBotan::report_full()
{
  wait_reported = false;
  if (!fallback) return;
  fallback->release_memory();
  if (comm->me == 0)
    utils::logmesg(lmp,
                   "Fix botan: the history is full at step {}; values are those of the model\n",
                   update->ntimestep);
}

/* ---------------------------------------------------------------------- */

void FixBotan::report_wait()
{
  if (wait_reported) return;
  wait_reported = true;
  if (comm->me != 0) return;
  const bigint step = history->full_at(n_samples);
  const bigint first = (step + given.nevery - 1) / given.nevery * given.nevery;
  const std::string values =
      fallback ? fmt::format("those of the fallback ({})", fallback_metadata.in_words()) : "0";
  utils::logmesg(lmp,
                 "Fix botan: {:.0f} % of the history is there at step {}; values are {} until step "
                 "{}, the first with a prediction{}. Samples are taken at multiples of {} steps, "
                 "also in a rerun\n",
                 100.0 * history->share(n_samples), update->ntimestep, values, first,
                 fallback ? " of the model" : "", history->stride());
}

/* ----------------------------------------------------------------------
   those of local atoms are copied to their ghosts
------------------------------------------------------------------------- */

void FixBotan::gather_inputs()
{
  if (!metadata.sizes.has_inputs()) return;
  const size_t n_vectors = metadata.sizes.node_vectors, n_scalars = metadata.sizes.node_scalars;
  graph.node_vectors.assign(nodes.size() * n_vectors * 3, 0.0F);
  graph.node_scalars.assign(nodes.size() * n_scalars, 0.0F);
  InherentStructure inherent;
  if (metadata.inherent)
    stop_together(find_inherent_structure(lmp, metadata.inherent->force,
                                          metadata.inherent->diameter, inherent));
  for (int i = 0; i < atom->nlocal; i++) {
    if (nodes[i].species < 0) continue;
    float *vectors = &graph.node_vectors[i * n_vectors * 3];
    float *scalars = &graph.node_scalars[i * n_scalars];
    if (history) {
      const History::Values of_atom = history->values(i);
      for (int d = 0; d < 3; d++) *vectors++ = static_cast<float>(of_atom.displacement[d]);
      *scalars++ = static_cast<float>(of_atom.variance);
      *scalars++ = static_cast<float>(of_atom.energy);
    }
    if (metadata.inherent) {
      for (int d = 0; d < 3; d++) vectors[d] = static_cast<float>(inherent.displacement[3 * i + d]);
      scalars[0] = static_cast<float>(inherent.energy[i]);
    }
  }
  exchange(input_rows());
}

/* ----------------------------------------------------------------------
   models that see energies know those of their own pair style only, and all models one density and
   composition: with others, predictions are nonsense that looks like predictions. distances need
   the vectors of ghosts
------------------------------------------------------------------------- */

void FixBotan::compare_inputs(const ModelMetadata &scoring, bool &reported)
{
  if (!scoring.seen) return;
  std::vector<char> inside(atom->nlocal);
  for (int i = 0; i < atom->nlocal; i++) inside[i] = nodes[i].species >= 0;
  std::string unlike = unlike_density(lmp, inside, scoring.cutoff, scoring.density);
  const ModelMixture &mixture = scoring.mixture;
  InputSums sums(mixture.bond_lengths, scoring.sizes.node_vectors, scoring.sizes.node_scalars);
  for (int64_t i = 0; i < atom->nlocal; i++)
    if (inside[i]) sums.add(graph, i);
  MPI_Allreduce(MPI_IN_PLACE, sums.numbers.data(), static_cast<int>(sums.numbers.size()),
                MPI_DOUBLE, MPI_SUM, world);
  const std::string means = sums.unlike(*scoring.seen, mixture.species, scoring.quantities);
  if (!unlike.empty() && !means.empty()) unlike += "; ";
  unlike += means;
  if (!unlike.empty() && !reported && comm->me == 0)
    error->warning(FLERR,
                   "Fix botan: what the {} sees at step {} is unlike what it saw in training: {}. "
                   "Are {}, temperature and density those of the training?",
                   &scoring == &metadata ? "model" : "fallback", update->ntimestep, unlike,
                   scoring.sizes.has_inputs() ? "pair style, its shift of the energy"
                                              : "species, composition");
  reported = !unlike.empty();
}

/* ---------------------------------------------------------------------- */

std::vector<FixBotan::Rows> FixBotan::input_rows()
{
  return {{graph.node_vectors.data(), 3 * metadata.sizes.node_vectors},
          {graph.node_scalars.data(), metadata.sizes.node_scalars}};
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What `verify yes` adds to fix botan.

#include "fix_botan.h"

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "update.h"

#include <cmath>

using namespace LAMMPS_NS;

/* ---------------------------------------------------------------------- */

void FixBotan::prepare_verification()
{
  if (!given.verify) return;
  const auto &lag_times = metadata.lag_times;
  if (lag_times.empty())
    error->all(
        FLERR, FixBotanArguments::MODEL,
        "Fix botan: `verify yes` waits for the lag time of the model, and model file {} does "
        "not say it ('lag_times' of its metadata is empty); remove `verify yes`",
        given.model);
  if (lag_times.size() > 1)
    error->all(
        FLERR, FixBotanArguments::MODEL,
        "Fix botan: `verify yes` needs a model with one lag time, and model file {} has {}; take "
        "another model, or remove `verify yes`",
        given.model, lag_times.size());
  const ModelMixture &mixture = metadata.mixture;
  bool is_mapped = false;
  for (int type = 1; type <= atom->ntypes; type++)
    is_mapped = is_mapped || type2species[type] == mixture.reference;
  if (!is_mapped)
    error->all(
        FLERR, FixBotanArguments::SPECIES,
        "Fix botan: `verify yes` looks at species {} of the model, and no atom type is mapped to "
        "it; map one, or remove `verify yes`",
        mixture.species[mixture.reference]);
  if (mixture.reference_bond() > metadata.cutoff)
    error->all(FLERR, FixBotanArguments::MODEL,
               "Fix botan: `verify yes` looks at bonds shorter than {}, and the model predicts "
               "pairs within its cutoff {} only; remove `verify yes`",
               mixture.reference_bond(), metadata.cutoff);

  if (!trajectory) trajectory = std::make_unique<Trajectory>(lmp);
  verification = std::make_unique<Verification>(lmp, lag_times[0], *trajectory);
}

/* ---------------------------------------------------------------------- */

void FixBotan::check_lag_time()
{
  if (verification && verification->lag_time <= update->dt)
    error->all(FLERR, Error::NOLASTLINE,
               "Fix botan: `verify yes` needs a lag time longer than one step, but the model "
               "predicts for {} and the timestep is {}; write a shorter `timestep`, or remove "
               "`verify yes`",
               verification->lag_time, update->dt);
}

/* ----------------------------------------------------------------------
   atoms of the reference species in the group, and bonds between two of them.
   only on multiples of N, so that the schedule does not depend on how a run is split
------------------------------------------------------------------------- */

void FixBotan::keep_prediction()
{
  if (update->ntimestep % given.nevery || !verification->has_room()) return;
  const int reference = metadata.mixture.reference;
  const double bond_length = metadata.mixture.reference_bond();
  const auto counts = [&](int i) { return nodes[i].in_group && nodes[i].species == reference; };

  std::vector<PredictedAtom> kept(atom->nlocal);
  int most_bonds = 0;
  const int64_t m = metadata.sizes.edge_outputs;
  for (int i = 0; m > 0 && i < atom->nlocal; i++) {
    if (!counts(i)) continue;
    for (int64_t e = graph.first_edge[i]; e < graph.first_edge[i + 1]; e++) {
      const int j = graph.neighbor[e];
      // an atom stays where it is from its own image
      if (!counts(j) || nodes[i].tag == nodes[j].tag) continue;
      const double *xi = atom->x[i], *xj = atom->x[j];
      const double r = std::hypot(xi[0] - xj[0], xi[1] - xj[1], xi[2] - xj[2]);
      if (r >= bond_length) continue;
      kept[i].bonds.push_back({nodes[j].tag, r, edge_out[e * m]});
    }
    most_bonds = MAX(most_bonds, static_cast<int>(kept[i].bonds.size()));
  }

  for (int i = 0; i < atom->nlocal; i++) {
    if (!counts(i)) continue;
    kept[i].prediction = verification->next_prediction();
    kept[i].tag = nodes[i].tag;
    domain->unmap(atom->x[i], atom->image[i], kept[i].start);
    kept[i].propensity = node_out[static_cast<size_t>(i) * metadata.sizes.node_outputs];
    verification->atoms.add(i, std::move(kept[i]));
  }
  verification->begin(most_bonds);
  size_exchange();
}

/* ---------------------------------------------------------------------- */

void FixBotan::verify_due()
{
  verification->verify_due();
  size_exchange();
}

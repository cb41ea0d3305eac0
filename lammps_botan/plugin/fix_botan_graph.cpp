/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The graph of fix botan. It is made from positions alone, not from a neighbor list of LAMMPS:
// such lists lose pairs to bonds, also to those deleted long ago, to `neigh_modify exclude` and to
// `neigh_modify include`, and they are as old as the last reneighboring.

#include "fix_botan.h"

#include "edge_count.h"
#include "pair_cells.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "update.h"

#include <cmath>

using namespace LAMMPS_NS;

static constexpr double MARGIN = 1e-5;    // of a distance; single precision rounds far less

/* ----------------------------------------------------------------------
   between two reneighborings LAMMPS refreshes positions of ghosts only, though types, groups and
ids of their atoms may change. they are not written into the arrays of LAMMPS, where they would
change the forces
------------------------------------------------------------------------- */

void FixBotan::refresh_ghosts()
{
  // a fix that came first may have moved atoms or box, as fix deform does at the end of a step
  comm->forward_comm();

  const int nlocal = atom->nlocal;
  nodes.resize(nlocal + atom->nghost);
  for (int i = 0; i < nlocal; i++)
    nodes[i] = {atom->tag[i], type2species[atom->type[i]], (atom->mask[i] & groupbit) != 0};
  exchange_attributes();
}

/* ----------------------------------------------------------------------
   nodes: all local and ghost atoms in LAMMPS's order
   edges: ordered pairs closer than the cutoff that arrive at a local atom
   returns what is wrong, or an empty string
------------------------------------------------------------------------- */

std::string FixBotan::build_graph()
{
  const int nlocal = atom->nlocal, n_nodes = static_cast<int>(nodes.size());
  const double *x = n_nodes > 0 ? atom->x[0] : nullptr;
  const double cutoff_sq = metadata.cutoff * metadata.cutoff;

  graph.n_local = nlocal;
  graph.species.resize(n_nodes);
  graph.first_edge.assign(nlocal + 1, 0);
  graph.neighbor.clear();
  graph.vectors.clear();
  std::vector<char> inside(n_nodes);
  for (int i = 0; i < n_nodes; i++) {
    graph.species[i] = MAX(nodes[i].species, 0);
    inside[i] = nodes[i].species >= 0;
    if (inside[i] && !std::isfinite(x[3 * i] + x[3 * i + 1] + x[3 * i + 2]))
      return fmt::format("the position of atom {} is not finite at step {}", nodes[i].tag,
                         update->ntimestep);
  }

  const PairCells cells(metadata.cutoff, n_nodes, x, inside);
  // counted first, since a vector that grows takes twice the memory
  for (int i = 0; i < nlocal; i++)
    graph.first_edge[i + 1] =
        graph.first_edge[i] + (inside[i] ? cells.count(atom->x[i], cutoff_sq) - 1 : 0);
  const int64_t n_edges = graph.first_edge[nlocal];
  graph.neighbor.resize(n_edges);
  graph.vectors.resize(3 * n_edges);
  int64_t e = 0;
  for (int i = 0; i < nlocal; i++) {
    if (!inside[i]) continue;
    cells.each(atom->x[i], cutoff_sq, [&](int j) {
      if (j == i) return;
      graph.neighbor[e] = j;
      for (int d = 0; d < 3; d++)
        graph.vectors[3 * e + d] = static_cast<float>(x[3 * i + d] - x[3 * j + d]);
      e++;
    });
  }
  graph.pair_range = static_cast<float>((1.0 + MARGIN) * needed_range());
  return "";
}

/* ----------------------------------------------------------------------
   pairs closer than this are reported or verified
------------------------------------------------------------------------- */

double FixBotan::needed_range() const
{
  return verification ? MAX(bonds, metadata.mixture.reference_bond()) : bonds;
}

/* ----------------------------------------------------------------------
   ghosts are the only thing that the graph takes from LAMMPS besides its atoms
------------------------------------------------------------------------- */

void FixBotan::check_edges()
{
  std::vector<char> inside(atom->nlocal);
  for (int i = 0; i < atom->nlocal; i++) inside[i] = nodes[i].species >= 0;
  const EdgeCount expected = count_edges(lmp, inside, metadata.cutoff);
  auto n_edges = static_cast<bigint>(graph.neighbor.size());
  MPI_Allreduce(MPI_IN_PLACE, &n_edges, 1, MPI_LMP_BIGINT, MPI_SUM, world);
  if (n_edges >= expected.least && n_edges <= expected.most) return;
  error->all(
      FLERR, Error::NOLASTLINE,
      "Fix botan: at step {} the graph has {} edges, but the positions of all atoms make {}, "
      "so ghost atoms are missing. Write `comm_modify group all` where ghosts are those of a "
      "group; reneighbor before atoms have moved by a skin (`neigh_modify every 1 delay 0 "
      "check yes`); or let ghosts reach farther (`comm_modify cutoff {}`)",
      update->ntimestep, n_edges, expected.least, 2.0 * metadata.cutoff);
}

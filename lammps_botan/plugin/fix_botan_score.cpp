/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// What fix botan does at each scoring.

#include "fix_botan.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "memory.h"
#include "update.h"

#include <cmath>
#include <string>
#include <vector>

using namespace LAMMPS_NS;

/* ---------------------------------------------------------------------- */

void FixBotan::score()
{
  const double start = platform::walltime();
  refresh_ghosts();
  stop_together(build_graph());
  check_edges();
  const bool is_known = knows_inputs();
  if (is_known) {
    gather_inputs();
    compare_inputs(metadata, unlike_reported);
    evaluate(*model, metadata.sizes);
  } else if (fallback) {
    compare_inputs(fallback_metadata, fallback_unlike_reported);
    evaluate(*fallback, fallback_metadata.sizes);
  } else {
    predict_nothing();
  }
  store_atoms();
  store_bonds();
  store_averages();
  const double elapsed = platform::walltime() - start;
  MPI_Allreduce(&elapsed, &seconds, 1, MPI_DOUBLE, MPI_MAX, world);
  if (verification && is_known) keep_prediction();    // of the model, and not of its fallback
}

/* ----------------------------------------------------------------------
   every rank takes part in every exchange, also one without atoms, or where the model has failed
------------------------------------------------------------------------- */

void FixBotan::evaluate(BotanModel &network, const BotanSizes &sizes)
{
  std::vector<float> in_place_of_nodes;
  edge_out = {};    // those to come take as much memory
  std::string failure = network.encode(graph);
  for (int round = 0; round < sizes.rounds; round++) {
    if (round > 0 || sizes.has_inputs()) {
      float *state = failure.empty() ? network.node() : nullptr;
      if (!state) {
        in_place_of_nodes.assign(graph.species.size() * sizes.width, 0.0F);
        state = in_place_of_nodes.data();
      }
      exchange({{state, sizes.width}});
    }
    if (failure.empty()) failure = network.step(round);
  }
  if (failure.empty()) failure = network.decode(node_out, edge_out);
  stop_together(failure.empty()
                    ? not_finite()
                    : fmt::format("the model failed at step {}: {}", update->ntimestep, failure));
}

/* ---------------------------------------------------------------------- */

void FixBotan::predict_nothing()
{
  node_out.assign(static_cast<size_t>(atom->nlocal) * metadata.sizes.node_outputs, 0.0F);
  edge_out.assign(graph.neighbor.size() * metadata.sizes.edge_outputs, 0.0F);
}

/* ----------------------------------------------------------------------
   the first rank that failed speaks, and all of them stop
------------------------------------------------------------------------- */

void FixBotan::stop_together(std::string failure)
{
  int first = failure.empty() ? comm->nprocs : comm->me;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, world);
  if (first == comm->nprocs) return;
  int length = static_cast<int>(failure.size());
  MPI_Bcast(&length, 1, MPI_INT, first, world);
  failure.resize(length);
  MPI_Bcast(&failure[0], length, MPI_CHAR, first, world);
  error->all(FLERR, Error::NOLASTLINE, "Fix botan: {}", failure);
}

/* ---------------------------------------------------------------------- */

std::string FixBotan::not_finite() const
{
  const char *hint = "are positions, temperature and density those the model was trained for?";
  const int n = metadata.sizes.node_outputs;
  for (int i = 0; i < atom->nlocal; i++)
    for (int k = 0; k < n; k++)
      if (nodes[i].species >= 0 && !std::isfinite(node_out[i * n + k]))
        return fmt::format("{} of atom {} is not a finite number at step {}; {}",
                           metadata.node_outputs[k], nodes[i].tag, update->ntimestep, hint);
  const int64_t m = metadata.sizes.edge_outputs;
  const double range = needed_range();
  const auto is_needed = [&](int64_t e) {
    const double v[3] = {graph.vectors[3 * e], graph.vectors[3 * e + 1], graph.vectors[3 * e + 2]};
    return v[0] * v[0] + v[1] * v[1] + v[2] * v[2] < range * range;
  };
  for (int i = 0; i < atom->nlocal; i++)
    for (int64_t e = graph.first_edge[i]; e < graph.first_edge[i + 1]; e++)
      for (int64_t k = 0; k < m; k++)
        if (is_needed(e) && !std::isfinite(edge_out[e * m + k]))
          return fmt::format("{} of atoms {} and {} is not a finite number at step {}; {}",
                             metadata.edge_outputs[k], nodes[i].tag, nodes[graph.neighbor[e]].tag,
                             update->ntimestep, hint);
  return "";
}

/* ---------------------------------------------------------------------- */

void FixBotan::store_atoms()
{
  const int n = metadata.sizes.node_outputs;
  for (int i = 0; i < atom->nlocal; i++) {
    const bool reported = is_reported(i);
    for (int k = 0; k < n; k++) values[i][k] = reported ? node_out[i * n + k] : 0.0;
  }
}

/* ----------------------------------------------------------------------
   one row for each end of a bond: id of center, id of neighbor, r, predictions
------------------------------------------------------------------------- */

void FixBotan::store_bonds()
{
  double **x = atom->x;
  const int64_t m = metadata.sizes.edge_outputs;
  const double bond_sq = bonds * bonds;
  const auto each_bond = [&](auto visit) {
    for (int i = 0; i < atom->nlocal; i++) {
      if (!nodes[i].in_group) continue;
      for (int64_t e = graph.first_edge[i]; e < graph.first_edge[i + 1]; e++) {
        const int j = graph.neighbor[e];
        if (!nodes[j].in_group) continue;
        const double dx = x[i][0] - x[j][0], dy = x[i][1] - x[j][1], dz = x[i][2] - x[j][2];
        const double r_sq = dx * dx + dy * dy + dz * dz;
        if (r_sq < bond_sq) visit(i, j, e, r_sq);
      }
    }
  };

  size_local_rows = 0;
  each_bond([&](int, int, int64_t, double) { size_local_rows++; });
  if (size_local_rows > max_bonds) {
    max_bonds = size_local_rows;
    memory->destroy(array_local);
    memory->create(array_local, max_bonds, size_local_cols, "botan:array_local");
  }
  int row = 0;
  each_bond([&](int i, int j, int64_t e, double r_sq) {
    double *columns = array_local[row++];
    columns[0] = static_cast<double>(nodes[i].tag);
    columns[1] = static_cast<double>(nodes[j].tag);
    columns[2] = sqrt(r_sq);
    for (int64_t k = 0; k < m; k++) columns[3 + k] = edge_out[e * m + k];
  });
}

/* ----------------------------------------------------------------------
   averages of the first node output over the atoms of the group in the graph
------------------------------------------------------------------------- */

void FixBotan::store_averages()
{
  const size_t n_species = species_mean.size();
  const auto sum_over_ranks = [this](std::vector<double> &numbers) {
    MPI_Allreduce(MPI_IN_PLACE, numbers.data(), static_cast<int>(numbers.size()), MPI_DOUBLE,
                  MPI_SUM, world);
  };

  // for each species its number of atoms and the sum of their values; then the number of edges
  std::vector<double> sums(2 * n_species + 1, 0.0);
  for (int i = 0; i < atom->nlocal; i++) {
    if (!is_reported(i)) continue;
    const int species = nodes[i].species;
    sums[2 * species] += 1.0;
    sums[2 * species + 1] += values[i][0];
  }
  sums.back() = static_cast<double>(graph.neighbor.size());
  sum_over_ranks(sums);

  double count = 0.0, sum = 0.0;
  for (size_t k = 0; k < n_species; k++) {
    count += sums[2 * k];
    sum += sums[2 * k + 1];
    species_mean[k] = sums[2 * k] > 0.0 ? sums[2 * k + 1] / sums[2 * k] : 0.0;
  }
  mean = count > 0.0 ? sum / count : 0.0;
  n_graph_edges = sums.back();

  // a second pass: the mean can be much larger than the deviation
  std::vector<double> squares(1, 0.0);
  for (int i = 0; i < atom->nlocal; i++)
    if (is_reported(i)) squares[0] += (values[i][0] - mean) * (values[i][0] - mean);
  sum_over_ranks(squares);
  deviation = count > 0.0 ? sqrt(squares[0] / count) : 0.0;
}

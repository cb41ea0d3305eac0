/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// The comparison of a prediction with what happened.

#include "verification.h"

#include "atom.h"
#include "closest_image.h"
#include "comm.h"
#include "domain.h"

#include <cmath>
#include <unordered_map>

using namespace LAMMPS_NS;

/* ----------------------------------------------------------------------
   |r_i(t) - r_i(0)|, unwrapped
------------------------------------------------------------------------- */

Verification::Pairs Verification::compare_atoms(bigint prediction) const
{
  Pairs pairs;
  for (int i = 0; i < atom->nlocal; i++) {
    const PredictedAtom *predicted = atoms.find(i, prediction);
    if (!predicted) continue;
    double x[3];
    domain->unmap(atom->x[i], atom->image[i], x);
    const double *start = predicted->start;
    pairs.predicted.push_back(predicted->propensity);
    pairs.happened.push_back(std::hypot(x[0] - start[0], x[1] - start[1], x[2] - start[2]));
  }
  return pairs;
}

/* ----------------------------------------------------------------------
   the two ends of a broken bond may be on any two ranks: they meet on the one that the id of the
   neighbor chooses. an atom sends where it is, a bond sends where its center is
------------------------------------------------------------------------- */

namespace {

struct Message {
  tagint tag;    // of the atom, or of the neighbor
  bool is_bond;
  double x[3];
  double r, change;
};

struct Meeting {
  ClosestImage image;
  std::vector<double> predicted, happened;
};

int meet(int n, char *buffer, int &returns, int *& /*procs*/, char *& /*answer*/, void *context)
{
  auto *meeting = static_cast<Meeting *>(context);
  const auto *messages = reinterpret_cast<const Message *>(buffer);
  std::unordered_map<tagint, const double *> place;
  for (int k = 0; k < n; k++)
    if (!messages[k].is_bond) place[messages[k].tag] = messages[k].x;
  for (int k = 0; k < n; k++) {
    if (!messages[k].is_bond) continue;
    const auto neighbor = place.find(messages[k].tag);
    if (neighbor == place.end()) continue;    // it has left the system
    double delta[3];
    for (int d = 0; d < 3; d++) delta[d] = messages[k].x[d] - neighbor->second[d];
    meeting->predicted.push_back(messages[k].change);
    meeting->happened.push_back(meeting->image.length(delta) - messages[k].r);
  }
  returns = 0;
  return 0;
}

}    // namespace

Verification::Pairs Verification::compare_bonds(bigint prediction) const
{
  std::vector<Message> messages;
  std::vector<int> procs;
  const auto send = [&](const Message &message) {
    messages.push_back(message);
    procs.push_back(static_cast<int>(message.tag % comm->nprocs));
  };
  for (int i = 0; i < atom->nlocal; i++) {
    const PredictedAtom *predicted = atoms.find(i, prediction);
    if (!predicted) continue;
    const double *x = atom->x[i];
    send({predicted->tag, false, {x[0], x[1], x[2]}, 0.0, 0.0});
    for (const PredictedBond &bond : predicted->bonds)
      send({bond.partner, true, {x[0], x[1], x[2]}, bond.r, bond.change});
  }
  Meeting meeting = {ClosestImage(domain), {}, {}};
  char *no_answer = nullptr;
  const int all_to_all = 1;
  comm->rendezvous(all_to_all, static_cast<int>(messages.size()),
                   reinterpret_cast<char *>(messages.data()), sizeof(Message), 0, procs.data(),
                   &meet, 0, no_answer, 0, &meeting);
  return {std::move(meeting.predicted), std::move(meeting.happened)};
}

/* ----------------------------------------------------------------------
   over all ranks; NaN with fewer than two pairs, or where one of the two is constant, but for
rounding
------------------------------------------------------------------------- */

double Verification::pearson(const Pairs &pairs) const
{
  const size_t n = pairs.predicted.size();
  double sums[3] = {static_cast<double>(n), 0.0, 0.0};
  for (size_t k = 0; k < n; k++) {
    sums[1] += pairs.predicted[k];
    sums[2] += pairs.happened[k];
  }
  MPI_Allreduce(MPI_IN_PLACE, sums, 3, MPI_DOUBLE, MPI_SUM, world);
  if (sums[0] < 2.0) return std::nan("");
  const double x_mean = sums[1] / sums[0], y_mean = sums[2] / sums[0];

  double products[3] = {0.0, 0.0, 0.0};
  for (size_t k = 0; k < n; k++) {
    const double x = pairs.predicted[k] - x_mean, y = pairs.happened[k] - y_mean;
    products[0] += x * x;
    products[1] += y * y;
    products[2] += x * y;
  }
  MPI_Allreduce(MPI_IN_PLACE, products, 3, MPI_DOUBLE, MPI_SUM, world);
  const auto is_constant = [&](double squares, double mean) {
    const double rounding = 1e-14 * mean;
    return squares <= sums[0] * rounding * rounding;
  };
  if (is_constant(products[0], x_mean) || is_constant(products[1], y_mean)) return std::nan("");
  return products[2] / sqrt(products[0] * products[1]);
}

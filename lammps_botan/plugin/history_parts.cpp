/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "history_parts.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace LAMMPS_NS;

namespace {

// of symmetric matrices
constexpr int ROW[6] = {0, 1, 2, 1, 0, 0}, COLUMN[6] = {0, 1, 2, 2, 2, 1};

double nearest(double difference, int periodic)
{
  return periodic ? difference - std::rint(difference) : difference;
}

void transform_vector(const double m[3][3], double *v)
{
  const double old[3] = {v[0], v[1], v[2]};
  for (int a = 0; a < 3; a++) v[a] = m[a][0] * old[0] + m[a][1] * old[1] + m[a][2] * old[2];
}

// m * s * m^T

void transform_matrix(const double m[3][3], double *s)
{
  double full[3][3] = {};
  for (int k = 0; k < 6; k++) full[ROW[k]][COLUMN[k]] = full[COLUMN[k]][ROW[k]] = s[k];
  for (int k = 0; k < 6; k++) {
    s[k] = 0.0;
    for (int a = 0; a < 3; a++)
      for (int b = 0; b < 3; b++) s[k] += m[ROW[k]][a] * full[a][b] * m[COLUMN[k]][b];
  }
}

}    // namespace

HistoryParts::HistoryParts(int parts, bigint samples_per_part) :
    n_parts(parts), per_part(samples_per_part), n(0), ring(parts + 1)
{
}

/* ---------------------------------------------------------------------- */

void HistoryParts::resize(int nmax)
{
  places.resize(3 * static_cast<size_t>(nmax));
  begin.resize(nmax, NOT_YET);
  for (auto &of_atoms : ring) of_atoms.resize(nmax);
}

/* ---------------------------------------------------------------------- */

void HistoryParts::copy(int i, int j)
{
  std::copy_n(&places[3 * static_cast<size_t>(i)], 3, &places[3 * static_cast<size_t>(j)]);
  begin[j] = begin[i];
  for (auto &of_atoms : ring) of_atoms[j] = of_atoms[i];
}

/* ----------------------------------------------------------------------
   running mean and sum of squares, which stay exact where the mean is much larger than the
deviation: Welford, Technometrics 4, 419 (1962), doi:10.1080/00401706.1962.10490022
------------------------------------------------------------------------- */

void HistoryParts::add(int i, const double *place, const int *periodic, double energy)
{
  double *now = &places[3 * static_cast<size_t>(i)];
  if (begin[i] == NOT_YET) {
    begin[i] = next_part();
    std::copy_n(place, 3, now);
  }
  for (int d = 0; d < 3; d++) now[d] += nearest(place[d] - now[d], periodic[d]);

  Part &a = part(n / per_part)[i];
  const bigint n_before = n % per_part;
  if (n_before == 0) a = {};
  const double weight = 1.0 / static_cast<double>(n_before + 1);
  double before[3], after[3];
  for (int d = 0; d < 3; d++) {
    before[d] = now[d] - a.mean[d];
    a.mean[d] += weight * before[d];
    after[d] = now[d] - a.mean[d];
  }
  for (int k = 0; k < 6; k++) a.squares[k] += before[ROW[k]] * after[COLUMN[k]];
  a.energy += weight * (energy - a.energy);
}

/* ---------------------------------------------------------------------- */

void HistoryParts::forget(int nlocal)
{
  n = 0;
  std::fill_n(begin.begin(), nlocal, NOT_YET);
}

/* ----------------------------------------------------------------------
   the last complete parts and what has begun of the next one; all samples weigh the same
------------------------------------------------------------------------- */

HistoryParts::Average HistoryParts::average(int i) const
{
  const bigint current = n / per_part, in_progress = n % per_part;
  const bigint first = std::max<bigint>(current - n_parts, 0);
  const auto total = static_cast<double>((current - first) * per_part + in_progress);
  const auto each = [&](auto visit) {
    for (bigint number = first; number < current; number++)
      visit(part(number)[i], static_cast<double>(per_part));
    if (in_progress > 0) visit(part(current)[i], static_cast<double>(in_progress));
  };

  Average all = {};
  each([&](const Part &a, double samples) {
    for (int d = 0; d < 3; d++) all.mean[d] += samples / total * a.mean[d];
    all.energy += samples / total * a.energy;
  });
  each([&](const Part &a, double samples) {
    double apart[3];
    for (int d = 0; d < 3; d++) apart[d] = a.mean[d] - all.mean[d];
    for (int k = 0; k < 6; k++)
      all.covariance[k] += (a.squares[k] + samples * apart[ROW[k]] * apart[COLUMN[k]]) / total;
  });
  return all;
}

/* ---------------------------------------------------------------------- */

void HistoryParts::to_mean(int i, const Average &all, const double *place, const int *periodic,
                           double *vector) const
{
  const double *last = &places[3 * static_cast<size_t>(i)];
  for (int d = 0; d < 3; d++)
    vector[d] = all.mean[d] - last[d] - nearest(place[d] - last[d], periodic[d]);
}

/* ---------------------------------------------------------------------- */

void HistoryParts::transform(int nlocal, const double matrix[3][3])
{
  for (int i = 0; i < nlocal; i++) transform_vector(matrix, &places[3 * static_cast<size_t>(i)]);
  for (auto &of_atoms : ring)
    for (int i = 0; i < nlocal; i++) {
      transform_vector(matrix, of_atoms[i].mean);
      transform_matrix(matrix, of_atoms[i].squares);
    }
}

/* ---------------------------------------------------------------------- */

int HistoryParts::packed_size() const
{
  return 5 + (n_parts + 1) * NUMBERS;
}

/* ---------------------------------------------------------------------- */

int HistoryParts::pack(int i, double *buf) const
{
  buf[0] = packed_size();
  buf[1] = static_cast<double>(begin[i]);
  std::copy_n(&places[3 * static_cast<size_t>(i)], 3, buf + 2);
  for (int k = 0; k <= n_parts; k++) memcpy(buf + 5 + k * NUMBERS, &ring[k][i], sizeof(Part));
  return packed_size();
}

/* ---------------------------------------------------------------------- */

int HistoryParts::unpack(int i, const double *buf)
{
  begin[i] = static_cast<bigint>(buf[1]);
  std::copy_n(buf + 2, 3, &places[3 * static_cast<size_t>(i)]);
  for (int k = 0; k <= n_parts; k++) memcpy(&ring[k][i], buf + 5 + k * NUMBERS, sizeof(Part));
  return packed_size();
}

/* ---------------------------------------------------------------------- */

int HistoryParts::bytes_per_atom() const
{
  return static_cast<int>(sizeof(bigint) + 3 * sizeof(double) + (n_parts + 1) * sizeof(Part));
}

/* ---------------------------------------------------------------------- */

double HistoryParts::memory_usage() const
{
  return static_cast<double>(begin.capacity()) * bytes_per_atom();
}

/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "predicted_atoms.h"

using namespace LAMMPS_NS;

// doubles in a buffer: their number; for each prediction its number, id, start, propensity and
// number of bonds; and for each bond
static constexpr int HEAD = 1, PER_ATOM = 7, PER_BOND = 3;

/* ---------------------------------------------------------------------- */

void PredictedAtoms::erase_all()
{
  for (auto &predicted : of_atom) predicted.clear();
}

/* ---------------------------------------------------------------------- */

const PredictedAtom *PredictedAtoms::find(int i, bigint prediction) const
{
  for (const PredictedAtom &atom : of_atom[i])
    if (atom.prediction == prediction) return &atom;
  return nullptr;
}

/* ---------------------------------------------------------------------- */

void PredictedAtoms::erase(bigint prediction)
{
  for (auto &predicted : of_atom)
    std::erase_if(predicted, [=](const PredictedAtom &a) { return a.prediction == prediction; });
}

/* ---------------------------------------------------------------------- */

int PredictedAtoms::packed_size(const std::vector<int> &n_bonds)
{
  int size = HEAD;
  for (const int n : n_bonds) size += PER_ATOM + PER_BOND * n;
  return size;
}

/* ---------------------------------------------------------------------- */

int PredictedAtoms::packed_size(int i) const
{
  std::vector<int> n_bonds;
  for (const PredictedAtom &atom : of_atom[i])
    n_bonds.push_back(static_cast<int>(atom.bonds.size()));
  return packed_size(n_bonds);
}

/* ---------------------------------------------------------------------- */

int PredictedAtoms::pack(int i, double *buf) const
{
  int m = 1;
  for (const PredictedAtom &atom : of_atom[i]) {
    buf[m++] = ubuf(atom.prediction).d;
    buf[m++] = ubuf(atom.tag).d;
    for (const double x : atom.start) buf[m++] = x;
    buf[m++] = atom.propensity;
    buf[m++] = static_cast<double>(atom.bonds.size());
    for (const PredictedBond &bond : atom.bonds) {
      buf[m++] = ubuf(bond.partner).d;
      buf[m++] = bond.r;
      buf[m++] = bond.change;
    }
  }
  buf[0] = m;
  return m;
}

/* ---------------------------------------------------------------------- */

int PredictedAtoms::unpack(int i, const double *buf)
{
  const int size = static_cast<int>(buf[0]);
  of_atom[i].clear();
  int m = 1;
  while (m < size) {
    PredictedAtom atom;
    atom.prediction = ubuf(buf[m++]).i;
    atom.tag = static_cast<tagint>(ubuf(buf[m++]).i);
    for (double &x : atom.start) x = buf[m++];
    atom.propensity = buf[m++];
    atom.bonds.resize(static_cast<size_t>(buf[m++]));
    for (PredictedBond &bond : atom.bonds) {
      bond.partner = static_cast<tagint>(ubuf(buf[m++]).i);
      bond.r = buf[m++];
      bond.change = buf[m++];
    }
    add(i, std::move(atom));
  }
  return size;
}

/* ---------------------------------------------------------------------- */

double PredictedAtoms::memory_usage() const
{
  double bytes = static_cast<double>(of_atom.capacity()) * sizeof(of_atom[0]);
  for (const auto &predicted : of_atom) {
    bytes += static_cast<double>(predicted.capacity()) * sizeof(PredictedAtom);
    for (const PredictedAtom &atom : predicted)
      bytes += static_cast<double>(atom.bonds.capacity()) * sizeof(PredictedBond);
  }
  return bytes;
}

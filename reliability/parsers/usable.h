/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// Metadata that the parser of the plugin takes must be fit for use.

#ifndef RELIABILITY_USABLE_H
#define RELIABILITY_USABLE_H

#include "model_metadata.h"

inline bool is_usable(const ModelMetadata &m)
{
  const auto in = [](double x, double least, double most) { return x >= least && x <= most; };
  const size_t n = m.mixture.species.size();
  bool good = m.cutoff > 0.0 && in(m.cutoff, 0.0, 1e6) && in(m.sizes.rounds, 1, 1000) &&
              in(m.sizes.width, 1, 65536) && n >= 1 && m.mixture.bond_lengths.size() == n &&
              in(m.mixture.reference, 0, static_cast<double>(n) - 1) &&
              in(m.mixture.dimension, 2, 3) && !m.node_outputs.empty();
  for (const auto &row : m.mixture.bond_lengths) good = good && row.size() == n;
  if (m.seen)
    good = good && m.seen->mean.size() == n && m.seen->mean[0].size() == m.quantities.size();
  if (m.history) good = good && m.history->parts >= 1 && m.history->samples_per_part >= 1;
  return good && (m.history || m.inherent) == m.sizes.has_inputs();
}

#endif

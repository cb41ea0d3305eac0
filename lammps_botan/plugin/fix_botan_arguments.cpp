/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "fix_botan_arguments.h"

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "lammps.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace LAMMPS_NS;

static bool is_keyword(const char *word)
{
  for (const char *keyword : {"bonds", "device", "precision", "threads", "trust", "verify"})
    if (strcmp(word, keyword) == 0) return true;
  return false;
}

FixBotanArguments::FixBotanArguments(LAMMPS *lmp, int narg, char **arg) :
    threads(lmp->comm->nthreads)
{
  Error *error = lmp->error;
  if (narg <= SPECIES)
    error->all(FLERR, Error::NOPOINTER,
               "Fix botan needs more arguments: fix ID group botan N model.pt species-of-type-1 "
               "species-of-type-2 ... [bonds r] [device cpu|cuda|auto] "
               "[precision float32|bfloat16] [threads n] [trust yes|no] [verify yes|no]");
  if (!lmp->atom->tag_enable)
    error->all(FLERR, Error::NOPOINTER, "Fix botan needs atom IDs: remove `atom_modify id no`");

  const bool is_step = utils::is_integer(arg[N]) && strlen(arg[N]) < 10;
  nevery = is_step ? std::stoi(arg[N]) : 0;
  if (nevery <= 0)
    error->all(FLERR, N,
               "Fix botan: N, the steps between scorings, must be a positive integer, got '{}'",
               arg[N]);
  model = arg[MODEL];

  const int n_types = lmp->atom->ntypes;
  int n_words = 0;
  while (SPECIES + n_words < narg && n_words < n_types && !is_keyword(arg[SPECIES + n_words]))
    n_words++;
  if (n_words < n_types)
    error->all(FLERR, SPECIES,
               "Fix botan: {} atom types need {} words after the model file, each a species of the "
               "model or NULL; got {}",
               n_types, n_types, n_words);

  for (int iarg = SPECIES + n_types; iarg < narg; iarg += 2) {
    const std::string keyword = arg[iarg];
    if (!is_keyword(arg[iarg]))
      error->all(FLERR, iarg,
                 "Fix botan: unknown keyword '{}'; after the {} species words (one for each atom "
                 "type) the keywords are bonds, device, precision, threads, trust and verify",
                 keyword, n_types);
    if (iarg + 1 == narg) error->all(FLERR, iarg, "Fix botan: keyword {} needs a value", keyword);
    const std::string value = arg[iarg + 1];
    if (keyword == "bonds") {
      bonds = utils::is_double(value) ? strtod(value.c_str(), nullptr) : 0.0;
      if (!(bonds > 0.0) || !std::isfinite(bonds))
        error->all(FLERR, iarg + 1, "Fix botan: bonds must be a positive distance, got '{}'",
                   value);
    } else if (keyword == "device") {
      device = value;
      if (device != "cpu" && device != "cuda" && device != "auto")
        error->all(FLERR, iarg + 1, "Fix botan: device must be cpu, cuda or auto, got '{}'", value);
    } else if (keyword == "precision") {
      bfloat16 = value == "bfloat16";
      if (!bfloat16 && value != "float32")
        error->all(FLERR, iarg + 1, "Fix botan: precision must be float32 or bfloat16, got '{}'",
                   value);
    } else if (keyword == "trust" || keyword == "verify") {
      if (value != "yes" && value != "no")
        error->all(FLERR, iarg + 1, "Fix botan: {} must be yes or no, got '{}'", keyword, value);
      (keyword == "trust" ? trust : verify) = value == "yes";
    } else {
      threads = utils::is_integer(value) && value.size() < 6 ? std::stoi(value) : 0;
      if (threads < 1)
        error->all(FLERR, iarg + 1, "Fix botan: threads must be a positive integer, got '{}'",
                   value);
    }
  }
}

/* ---------------------------------------------------------------------- */

std::vector<int> LAMMPS_NS::map_species(LAMMPS *lmp, const std::vector<std::string> &species,
                                        char **arg)
{
  Error *error = lmp->error;
  const int n_types = lmp->atom->ntypes;
  std::vector<int> type2species(n_types + 1, -1);
  bool any = false;
  for (int type = 1; type <= n_types; type++) {
    const int iarg = FixBotanArguments::SPECIES + type - 1;
    const std::string word = arg[iarg];
    if (word == "NULL") continue;
    for (size_t k = 0; k < species.size(); k++)
      if (species[k] == word) type2species[type] = static_cast<int>(k);
    if (type2species[type] < 0)
      error->all(
          FLERR, iarg,
          "Fix botan: the model has no species '{}'; it has {} (and NULL leaves an atom type out)",
          word, utils::join_words(species, " "));
    any = true;
  }
  if (!any)
    error->all(FLERR, FixBotanArguments::SPECIES,
               "Fix botan: all atom types are NULL; map at least one to a species of the model: {}",
               utils::join_words(species, " "));
  return type2species;
}

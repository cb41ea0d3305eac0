/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

#include "simulation_copy.h"

#include "rows_exchange.h"

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "exceptions.h"
#include "fix.h"
#include "force.h"
#include "input.h"
#include "library.h"
#include "modify.h"
#include "neighbor.h"
#include "pair.h"
#include "update.h"

#include <cstdlib>

using namespace LAMMPS_NS;

// an atom on its way to the rank that owns it in the copy
enum { X, Y, Z, TYPE, CHARGE, TAG, RANK, INDEX, ROW_SIZE };

/* ---------------------------------------------------------------------- */

// the first is made anew in two dimensions, two only look at forces, and those of `attach` add none

static bool changes_no_force(const Fix *fix)
{
  const std::string style = fix->style;
  return style == "enforce2d" || style == "halt" || style == "store/force" ||
         (style == "external" && utils::strmatch(fix->id, "^botan_"));
}

/* ---------------------------------------------------------------------- */

std::string LAMMPS_NS::copy_refusal(LAMMPS *lmp)
{
  const Force *force = lmp->force;
  if (!force->pair) return "there is no pair style";
  if (!force->pair->restartinfo || utils::strmatch(force->pair_style, "^hybrid"))
    return fmt::format("LAMMPS does not tell the coefficients of pair style {}", force->pair_style);
  if (force->kspace) return fmt::format("kspace style {} cannot be copied", force->kspace_style);
  if (lmp->atom->molecular != Atom::ATOMIC)
    return fmt::format("atom style {} has bonds, which cannot be copied", lmp->atom->atom_style);
  if (lmp->neighbor->exclude)
    return "`neigh_modify exclude` takes pairs out, which cannot be copied";
  if (lmp->neighbor->includegroup)
    return "`neigh_modify include` takes atoms out, which cannot be copied";
  if (!force->pair->compute_flag) return "`pair_modify compute no` takes forces out";
  for (Fix *fix : lmp->modify->get_fix_list())
    if ((lmp->modify->get_fix_mask(fix) & FixConst::MIN_POST_FORCE) && !changes_no_force(fix))
      return fmt::format("fix {} ({}) changes forces, and cannot be copied", fix->id, fix->style);
  return "";
}

/* ----------------------------------------------------------------------
   LAMMPS sets the threads of the whole process to 1 where OMP_NUM_THREADS is not set, and to what
   they are where it is
------------------------------------------------------------------------- */

static std::unique_ptr<LAMMPS> new_instance(MPI_Comm world, int threads)
{
  LAMMPS::argv arguments = {"copy", "-log", "none", "-screen", "none", "-nocite"};
  const bool is_set = getenv("OMP_NUM_THREADS");
  if (!is_set) setenv("OMP_NUM_THREADS", std::to_string(threads).c_str(), 1);
  auto instance = std::make_unique<LAMMPS>(arguments, world);
  if (!is_set) unsetenv("OMP_NUM_THREADS");
  return instance;
}

/* ---------------------------------------------------------------------- */

SimulationCopy::SimulationCopy(LAMMPS *original) :
    original(original), world(original->world),
    copy(new_instance(world.comm, original->comm->nthreads))
{
  make_box();
  copy_pair_style();
  copy_atoms();
}

/* ---------------------------------------------------------------------- */

void SimulationCopy::command(const std::string &line)
{
  copy->input->one(line);
}

/* ----------------------------------------------------------------------
   where the box has walls they are moved out, so that no atom can be lost there; pair styles do
   not see walls
------------------------------------------------------------------------- */

void SimulationCopy::make_box()
{
  const Domain *domain = original->domain;
  const Neighbor *neighbor = original->neighbor;
  const double margin = original->force->pair->cutforce + neighbor->skin;
  std::string boundary, bounds;
  for (int k = 0; k < 3; k++) {
    const bool periodic = domain->periodicity[k];
    boundary += periodic ? " p" : " f";
    bounds += fmt::format(" {:.17g} {:.17g}", domain->boxlo[k] - (periodic ? 0.0 : margin),
                          domain->boxhi[k] + (periodic ? 0.0 : margin));
  }
  command(fmt::format("units {}", original->update->unit_style));
  command(fmt::format("dimension {}", domain->dimension));
  command("boundary" + boundary);
  command(original->atom->q_flag ? "atom_style charge" : "atom_style atomic");
  if (domain->triclinic) {
    command("box tilt large");
    command(fmt::format("region box prism{} {:.17g} {:.17g} {:.17g} units box", bounds, domain->xy,
                        domain->xz, domain->yz));
  } else {
    command(fmt::format("region box block{} units box", bounds));
  }
  command(fmt::format("create_box {} box", original->atom->ntypes));
  command("mass * 1.0");    // no minimum depends on them
  command(fmt::format("dielectric {:.17g}", original->force->dielectric));
  command(fmt::format("neighbor {:.17g} bin", neighbor->skin));
  command(fmt::format("neigh_modify delay 0 every 1 check yes one {} page {}", neighbor->oneatom,
                      neighbor->pgsize));
  if (domain->dimension == 2) command("fix plane all enforce2d");
}

/* ----------------------------------------------------------------------
   as a restart file does: rank 0 writes and reads, and tells the others
------------------------------------------------------------------------- */

void SimulationCopy::copy_pair_style()
{
  std::string style = original->force->pair_style;
  // not an accelerated one, whose package the copy would need too
  for (const std::string suffix :
       {"/gpu", "/intel", "/kk", "/kk/device", "/kk/host", "/omp", "/opt"})
    if (utils::strmatch(style, suffix + "$")) style.resize(style.size() - suffix.size());

  char *text = nullptr;
  size_t size = 0;
  FILE *file = nullptr;
  if (original->comm->me == 0) {
    FILE *written = open_memstream(&text, &size);
    original->force->pair->write_restart(written);
    fclose(written);
    file = fmemopen(text, size, "rb");
  }
  copy->force->create_pair(style, 0);
  copy->force->pair->read_restart(file);
  if (file) fclose(file);
  free(text);
  copy->init();
}

/* ----------------------------------------------------------------------
   lower and upper bounds of the copy's ranks, [nprocs][6]. in a skewed box of scaled coordinates
------------------------------------------------------------------------- */

std::vector<double> SimulationCopy::bounds_of_ranks() const
{
  const Domain *domain = copy->domain;
  const double *low = domain->triclinic ? domain->sublo_lamda : domain->sublo;
  const double *high = domain->triclinic ? domain->subhi_lamda : domain->subhi;
  const double own[6] = {low[0], low[1], low[2], high[0], high[1], high[2]};
  std::vector<double> all(6 * static_cast<size_t>(copy->comm->nprocs));
  MPI_Allgather(own, 6, MPI_DOUBLE, all.data(), 6, MPI_DOUBLE, world.comm);
  return all;
}

/* ----------------------------------------------------------------------
   coord2proc() and the bounds of subdomains round differently, so that an atom on a bound could go
to a rank that does not take it
------------------------------------------------------------------------- */

int SimulationCopy::owner(const double *position, const std::vector<double> &bounds) const
{
  // as Domain::ownatom() does, to the last bit
  double place[3] = {position[X], position[Y], position[Z]};
  if (copy->domain->triclinic) {
    double again[3] = {position[X], position[Y], position[Z]};
    copy->domain->remap(again);
    copy->domain->x2lamda(again, place);
    for (int k = 0; k < 3; k++)
      if (copy->domain->periodicity[k] && (place[k] < 0.0 || place[k] >= 1.0)) place[k] = 0.0;
  }
  const auto holds = [&](int rank) {
    const double *low = &bounds[6 * static_cast<size_t>(rank)], *high = low + 3;
    for (int k = 0; k < 3; k++)
      if (place[k] < low[k] || place[k] >= high[k]) return false;
    return true;
  };
  int cell[3];
  const int likely = copy->comm->coord2proc(place, cell[0], cell[1], cell[2]);
  if (holds(likely)) return likely;
  for (int rank = 0; rank < copy->comm->nprocs; rank++)
    if (holds(rank)) return rank;
  return likely;    // outside of the box: LAMMPS does not take the atom, and the number tells
}

/* ----------------------------------------------------------------------
   the velocities of the copy, which nothing uses, tell where an atom comes from
------------------------------------------------------------------------- */

void SimulationCopy::copy_atoms()
{
  const Atom *atom = original->atom;
  Domain *domain = copy->domain;
  std::vector<double> rows(static_cast<size_t>(atom->nlocal) * ROW_SIZE);
  std::vector<int> owners(atom->nlocal);
  const std::vector<double> bounds = bounds_of_ranks();
  for (int i = 0; i < atom->nlocal; i++) {
    double *row = &rows[static_cast<size_t>(i) * ROW_SIZE];
    for (int k = 0; k < 3; k++) row[k] = atom->x[i][k];
    domain->remap(row);
    row[TYPE] = atom->type[i];
    row[CHARGE] = atom->q_flag ? atom->q[i] : 0.0;
    row[TAG] = static_cast<double>(atom->tag[i]);
    row[RANK] = original->comm->me;
    row[INDEX] = i;
    owners[i] = owner(row, bounds);
  }
  rows = exchange_rows(rows, ROW_SIZE, owners, world.comm);

  const int n = static_cast<int>(rows.size() / ROW_SIZE);
  // one row more: LAMMPS does not take part with the address of nothing, and the others would wait
  std::vector<tagint> tags(n + 1);
  std::vector<int> types(n + 1);
  std::vector<double> positions(3 * (n + 1)), origins(3 * (n + 1), 0.0);
  for (int i = 0; i < n; i++) {
    const double *row = &rows[static_cast<size_t>(i) * ROW_SIZE];
    tags[i] = static_cast<tagint>(row[TAG]);
    types[i] = static_cast<int>(row[TYPE]);
    for (int k = 0; k < 3; k++) positions[3 * i + k] = row[k];
    origins[3 * i] = row[RANK];
    origins[3 * i + 1] = row[INDEX];
  }
  lammps_create_atoms(copy.get(), n, tags.data(), types.data(), positions.data(), origins.data(),
                      nullptr, 0);
  // the original counts atoms that it has lost until it misses them
  bigint n_atoms = atom->nlocal;
  MPI_Allreduce(MPI_IN_PLACE, &n_atoms, 1, MPI_LMP_BIGINT, MPI_SUM, world.comm);
  if (copy->atom->natoms != n_atoms)
    copy->error->all(FLERR, "{} of {} atoms are outside of the box", n_atoms - copy->atom->natoms,
                     n_atoms);
  if (atom->q_flag)
    for (int i = 0; i < n; i++) copy->atom->q[i] = rows[static_cast<size_t>(i) * ROW_SIZE + CHARGE];
}

/* ---------------------------------------------------------------------- */

SimulationCopy::Origin SimulationCopy::origin(int i) const
{
  const double *v = copy->atom->v[i];
  return {static_cast<int>(v[0]), static_cast<int>(v[1])};
}

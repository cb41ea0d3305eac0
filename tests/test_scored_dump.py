"""Other people's programs read what `lammps-botan score` writes."""

import warnings

import MDAnalysis
import numpy as np
import pytest
from dumps import TRICLINIC, frame, write
from lmp import read_dump, run_lmp
from score_runs import LENGTHS, dump_text, liquid_frames, run, toy

from lammps_botan.files.trajectory import open_dump


@pytest.fixture(scope="module", params=["orthogonal", "triclinic"])
def scored(request, tmp_path_factory):
    """Folder with a scored dump and its bonds, and what is in them."""
    folder = tmp_path_factory.mktemp(request.param)
    positions, types = liquid_frames(2)
    texts = dump_text(positions, types)
    if request.param == "triclinic":
        skewed = positions / LENGTHS @ TRICLINIC
        options = {"types": types, "columns": "id type x y z"}
        texts = [frame(x, TRICLINIC, step=10 * k, **options) for k, x in enumerate(skewed)]
    write(folder / "run.dump", *texts)
    out = ("--out", folder / "scored.dump", "--bonds", folder / "scored.bonds")
    run("score", folder / "run.dump", "--model", toy(folder), *out)
    frames, bonds = read_dump(folder / "scored.dump"), read_dump(folder / "scored.bonds")
    assert len(frames) == len(bonds) == 2
    return folder, frames, bonds


def test_our_own_reader_reads_it_when_it_scores_it_again(scored):
    folder, frames, _ = scored
    again = folder / "again.dump"
    run("score", folder / "scored.dump", "--model", folder / "toy.pt", "--out", again)
    for a, b in zip(frames, read_dump(again), strict=True):
        np.testing.assert_array_equal(a["d_propensity"], b["d_propensity"])
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-10)
    with pytest.raises(ValueError, match="neither unwrapped coordinates nor image flags"):
        open_dump(again)  # displacements need more than wrapped positions


def test_mdanalysis_reads_it(scored):
    folder, frames, _ = scored
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it guessed the masses
        universe = MDAnalysis.Universe(
            folder / "scored.dump",
            format="LAMMPSDUMP",
            topology_format="LAMMPSDUMP",
            additional_columns=["d_propensity"],
            dt=1.0,
        )
    assert len(universe.trajectory) == 2
    for ts, expected in zip(universe.trajectory, frames, strict=True):
        assert ts.data["step"] == expected.step
        np.testing.assert_array_equal(universe.atoms.ids, expected["id"])
        np.testing.assert_array_equal(universe.atoms.types.astype(int), expected["type"])
        np.testing.assert_array_equal(ts.data["d_propensity"], expected["d_propensity"])
        np.testing.assert_allclose(ts.triclinic_dimensions, expected.cell, atol=1e-5)


def test_ase_reads_it(scored):
    io = pytest.importorskip("ase.io", reason="ase is not installed (extra test)")
    folder, frames, _ = scored
    images = io.read(folder / "scored.dump", format="lammps-dump-text", index=":")
    for atoms, expected in zip(images, frames, strict=True):
        read = atoms.arrays["d_propensity"].ravel()
        np.testing.assert_array_equal(read, expected["d_propensity"])
        np.testing.assert_allclose(atoms.cell.array, expected.cell, atol=1e-12)
        np.testing.assert_allclose(atoms.positions, expected.positions, atol=1e-12)
        assert atoms.pbc.all()


def test_ovito_reads_particles_and_bonds(scored):
    # also where a library of the system is missing that it loads
    reason = "ovito is not installed (pip install ovito)"
    ovito = pytest.importorskip("ovito.io", reason=reason, exc_type=ImportError)
    from ovito.modifiers import LoadTrajectoryModifier

    folder, frames, bonds = scored
    pipeline = ovito.import_file(folder / "scored.dump")
    assert pipeline.source.num_frames == 2
    modifier = LoadTrajectoryModifier()
    # the line of docs/reference/score.md
    modifier.source.load(
        str(folder / "scored.bonds"),
        columns=["Particle Identifiers.1", "Particle Identifiers.2", "Length", "Predicted Change"],
    )
    pipeline.modifiers.append(modifier)
    for k, expected in enumerate(frames):
        data = pipeline.compute(k)
        particles = data.particles
        np.testing.assert_array_equal(particles["d_propensity"], expected["d_propensity"])
        np.testing.assert_array_equal(particles["Particle Identifier"], expected["id"])
        np.testing.assert_array_equal(particles["Particle Type"], expected["type"])
        np.testing.assert_allclose(data.cell[:, :3], expected.cell.T, atol=1e-12)
        assert data.cell.pbc == (True, True, True)
        ends = particles["Particle Identifier"][...][particles.bonds.topology[...]]
        np.testing.assert_array_equal(ends[:, 0], bonds[k]["id_center"])
        np.testing.assert_array_equal(ends[:, 1], bonds[k]["id_neighbor"])
        np.testing.assert_array_equal(
            particles.bonds["Predicted Change"], bonds[k]["pair_distance_change"]
        )
        # the images that OVITO chose are those that we measured
        first, second = particles.bonds.topology[...].T
        vectors = particles.positions[...][second] - particles.positions[...][first]
        vectors += particles.bonds.pbc_vectors[...] @ expected.cell
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), bonds[k]["distance"], rtol=1e-8)


LAMMPS = """
units lj
atom_style charge
{box}
create_box 2 box
mass * 1.0
pair_style zero 1.0
pair_coeff * *
read_dump scored.dump 10 x y z q label q d_propensity box yes add keep
dump 1 all custom 1 read.dump id type x y z q
dump_modify 1 format float %.15g sort id
run 0
"""


def test_lammps_reads_it_with_the_propensity_as_the_charge(scored):
    folder, frames, _ = scored
    tilted = np.any(frames[0].cell[1:, :1])
    shape = "prism 0 6 0 5.8 0 6.2 0.1 0 0" if tilted else "block 0 1 0 1 0 1"
    run_lmp(LAMMPS.format(box=f"region box {shape}"), folder)
    (read,) = read_dump(folder / "read.dump")
    assert read.step == 10
    np.testing.assert_array_equal(read["id"], frames[1]["id"])
    np.testing.assert_array_equal(read["q"], frames[1]["d_propensity"])
    np.testing.assert_allclose(read.cell, frames[1].cell, atol=1e-12)
    away = (read.positions - frames[1].positions) @ np.linalg.inv(read.cell)
    np.testing.assert_allclose(away, np.rint(away), atol=1e-10)

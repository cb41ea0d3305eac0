"""Boxes, types and units that each format of frames says, or that are refused."""

import re

import MDAnalysis
import numpy as np
import pytest
from dumps import ORTHOGONAL, frame, refused, write

from lammps_botan.files.trajectory import open_dump, open_frames
from lammps_botan.files.universe import UniverseFrames
from lammps_botan.structure.graph import build_graph

GSD_CELL = np.array([[6.0, 0, 0], [1.3, 5.5, 0], [-0.9, 2.1, 7.0]])


def write_gsd(path, frames, names, *, cell=GSD_CELL, dimensions=3):
    hoomd = pytest.importorskip("gsd.hoomd", reason="gsd is not installed (extra test)")
    lx, ly, lz = cell.diagonal()
    with hoomd.open(path, "w") as file:
        for step, positions, typeid in frames:
            one = hoomd.Frame()
            one.configuration.step = step
            one.configuration.dimensions = dimensions
            tilts = [cell[1, 0] / ly, cell[2, 0] / (lz or 1), cell[2, 1] / (lz or 1)]
            one.configuration.box = [lx, ly, lz, *tilts]
            one.particles.N = len(positions)
            one.particles.types, one.particles.typeid = names, typeid
            one.particles.position = positions
            file.append(one)


def test_gsd_files_have_tilt_factors_and_types_of_each_frame(tmp_path):
    rng = np.random.default_rng(8)
    fractional = rng.random((2, 60, 3))
    typeid = rng.integers(2, size=(2, 60))
    positions = (fractional - 0.5) @ GSD_CELL
    frames = list(zip([5, 50], positions, typeid, strict=True))
    for names, expected in ((["A", "B"], ("A", "B")), (["2", "1"], ())):
        write_gsd(tmp_path / "run.gsd", frames, names)
        found = list(open_frames(tmp_path / "run.gsd"))
        assert [f.step for f in found] == [5, 50]
        for k, f in enumerate(found):
            assert f.species_names == expected
            np.testing.assert_array_equal(f.species, typeid[k] if expected else 1 - typeid[k])
            np.testing.assert_allclose(f.box.cell, GSD_CELL, atol=1e-6)
            np.testing.assert_allclose(f.positions, positions[k], atol=1e-6)
            assert np.all(f.box.images(f.positions) == 0)
    universe = MDAnalysis.Universe(str(tmp_path / "run.gsd"), to_guess=())
    with pytest.raises(ValueError, match="reader of GSD is not known to give the numbers"):
        UniverseFrames(universe)


def test_two_dimensional_gsd_files_have_no_images_along_z(tmp_path):
    flat = np.diag([6.0, 5.0, 0.0])
    positions = np.array([[0.0, 1, 0], [1, 0, 0]])
    write_gsd(tmp_path / "a.gsd", [(0, positions, [0, 0])], ["A"], cell=flat, dimensions=2)
    (found,) = open_frames(tmp_path / "a.gsd")
    assert found.box.periodic == (True, True, False)
    assert (found.dimension, found.density) == (2, pytest.approx(2 / 30))


def test_gsd_files_that_cannot_be_read_are_named(tmp_path):
    pytest.importorskip("gsd.hoomd", reason="gsd is not installed (extra test)")
    (tmp_path / "a.gsd").write_bytes(b"no gsd" * 99)
    assert "expected a GSD file: " in refused(tmp_path / "a.gsd")
    write_gsd(tmp_path / "b.gsd", [], ["A"])
    assert "has no frames" in refused(tmp_path / "b.gsd")


XYZ = "2\n{}\nA 0 0 0\nB 1 1 1\n"


@pytest.mark.parametrize(
    ("text", "box", "message"),
    [
        (XYZ.format(""), None, "frame 0: no periodic box; give its edges with --box LX LY LZ"),
        (XYZ.format("") + "2\n\nA 0 0 0\nC 1 1 1\n", 5, "frame 1: a particle is named C; expected"),
        (XYZ.format("")[:-9], 5, "frame 0: the file ends before the 2 rows announced"),
        (XYZ.format("").replace("B 1", "B"), 5, "frame 0: expected name, x, y and z, found 'B 1 1"),
        (XYZ.format("") + "A 3 3 3\n", 5, "frame 1: expected the number of particles, found 'A 3"),
        (XYZ.format("") + "B 1 1 x\n", 5, "frame 1: expected the number of particles"),
        (XYZ.format("").replace("1 1 1", "1 1 x"), 5, "could not convert string to float: .*x"),
        (XYZ.format('Lattice="5 0 0 0 5 0 0 0 5"'), 5, "has a box, Lattice=, of its own"),
        (XYZ.format('Lattice="5 0 0 0 5 0"'), None, "Lattice must be 9 numbers"),
        (XYZ.format('Lattice="5 0 0 0 5 0 0 0 5" pbc="T T"'), None, "expected pbc="),
        (XYZ.format('Lattice="5 0 0 0 5 0 0 0 5" Properties=id:I:1:pos:R:3'), None, "Properties="),
        ("", 5, "the file is empty"),
    ],
)
def test_xyz_files_that_do_not_fit_are_named(text, box, message, tmp_path):
    (tmp_path / "a.xyz").write_text(text)
    said = refused(tmp_path / "a.xyz", box=None if box is None else [box] * 3)
    assert re.search(message, said)


def test_periodic_directions_of_an_extended_xyz_file_count(tmp_path):
    comment = 'Lattice="5 0 0 0 6 0 0 0 7" pbc="T F T" Properties=species:S:1:pos:R:3:id:I:1'
    (tmp_path / "a.xyz").write_text(XYZ.format(comment).replace("0\nB", "0 9\nB"))
    (found,) = open_frames(tmp_path / "a.xyz")
    assert found.box.periodic == (True, False, True)
    assert found.box.cell.diagonal().tolist() == [5, 6, 7]


@pytest.mark.parametrize("boundary", ["pp pp pp", "pp pp ff"])
def test_a_dump_whose_atoms_have_the_same_z_is_two_dimensional(boundary, tmp_path):
    """LAMMPS calls z periodic under `dimension 2`, in a box 1 high."""
    points = np.random.default_rng(1).random((40, 3)) * [6, 6, 0]
    cell = np.diag([6.0, 6.0, 1.0])
    texts = [frame(points + k, cell, boundary=boundary, columns="id type xu yu zu") for k in (0, 1)]
    path = write(tmp_path / "run.dump", *texts)
    trajectory = open_dump(path).trajectory
    for f, ts in zip(open_frames(path), trajectory, strict=True):
        assert f.box.periodic == ts.data["box"].periodic == (True, True, False)
        assert f.density == pytest.approx(40 / 36)
        # two of 40 in 36: a circle of radius 1.5 holds 40 / 36 * 7.07 - 1 / 36 * 7.07 neighbors
        assert build_graph(f, 1.5).n_edges / 40 == pytest.approx(7.66, abs=0.8)


def test_one_atom_or_different_heights_are_three_dimensional(tmp_path):
    cell = np.diag([6.0, 6.0, 6.0])
    one, two = np.zeros((1, 3)), np.array([[0.0, 0, 0], [1, 1, 1e-9]])
    for points in (one, two):
        path = write(tmp_path / "run.dump", frame(points, cell))
        assert next(iter(open_frames(path))).box.periodic == (True, True, True)


def test_units_and_boundaries_of_a_dump_go_with_each_frame(tmp_path):
    points = np.random.default_rng(1).random((4, 3))
    texts = [frame(points, ORTHOGONAL, units="metal", boundary="pp ff mm")]
    texts += [frame(points, ORTHOGONAL, step=1, boundary="pp ff mm")]  # units in the first only
    path = write(tmp_path / "run.dump", *texts)
    for f, ts in zip(open_frames(path), open_dump(path).trajectory, strict=True):
        assert f.units == ts.data["units"] == "metal"
        assert f.box.periodic == ts.data["box"].periodic == (True, False, False)

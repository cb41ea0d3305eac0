"""LAMMPS data files by the grammar of read_data; what LAMMPS writes, and what it refuses."""

import gzip

import numpy as np
import pytest
from lmp import liquid, read_dump, run_lmp

from lammps_botan.files.ensemble import read_start
from lammps_botan.files.lammps_data import read_lammps_data, write_lammps_data
from lammps_botan.files.trajectory import open_frames
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

WRITE = """
labelmap atom 1 A 2 B
dump a all custom 1 run.dump id type x y z
dump_modify a format float %.16g sort id
run 7
write_data plain.data
write_data labels.data types labels
"""


@pytest.mark.parametrize("region", ["block 0 3 -1 2 0 3", "prism 0 3 -1 2 0 3 0.9 -0.4 0.7"])
@pytest.mark.parametrize("style", ["atomic", "charge", "molecular", "full", "sphere", "dipole"])
def test_what_write_data_writes_is_the_last_frame_of_the_run(style, region, tmp_path):
    script = liquid(region=region).replace("lattice", f"atom_style {style}\nlattice")
    if style == "sphere":
        script = script.replace("mass * 1.0", "set group all mass 1.0 diameter 1.5")
    run_lmp(script + WRITE, tmp_path)
    last = read_dump(tmp_path / "run.dump")[-1]
    for name, species in (("plain.data", ("A", "B")), ("labels.data", ("A", "B"))):
        data = read_lammps_data(tmp_path / name)
        away = data.box.minimum_image(data.positions - last.positions)
        np.testing.assert_allclose(away, 0.0, atol=1e-12)
        np.testing.assert_array_equal(data.types, last["type"])
        np.testing.assert_array_equal(data.ids, last["id"])
        np.testing.assert_allclose(data.box.cell, last.cell, atol=1e-12)
        assert data.species_names == species
        assert (data.units, data.step, data.dimension) == ("lj", 7, 3)


def test_a_general_triclinic_box_is_refused(tmp_path):
    script = """
    units lj
    lattice custom 1.0 a1 1 0 0 a2 0.3 1 0 a3 0 0.2 1 basis 0 0 0 triclinic/general
    create_box 1 NULL 0 3 0 3 0 3
    create_atoms 1 box
    mass * 1
    pair_style zero 1.0
    pair_coeff * *
    run 0
    write_data general.data triclinic/general
    write_data restricted.data
    """
    run_lmp(script, tmp_path)
    with pytest.raises(ValueError, match=r"general\.data: a general triclinic box \(abc origin\)"):
        read_lammps_data(tmp_path / "general.data")
    assert read_lammps_data(tmp_path / "restricted.data").n_particles == 27


HEAD = """a title, units = metal

{n} atoms
2 atom types

0 5 xlo xhi
-1 5 ylo yhi   # a comment
0 7 zlo zhi
"""
ROWS = ["3 1 1.0 2.0 3.0", "1 2 4.0 1.5 2.5", "2 1 0.5 0.25 6.0"]
POSITIONS = [[4.0, 1.5, 2.5], [0.5, 0.25, 6.0], [1.0, 2.0, 3.0]]


def data(tmp_path, *sections, n=3, head=HEAD):
    path = tmp_path / "x.data"
    path.write_text(head.format(n=n) + "".join(f"\n{section}\n" for section in sections))
    return path


def atoms(*rows, title="Atoms # atomic"):
    return "\n".join([title, "", *rows])


VELOCITIES = "Velocities\n\n1 0 0 0\n2 0 0 0\n3 0 0 0"


@pytest.mark.parametrize(
    "sections",
    [
        (atoms(*ROWS),),
        (atoms(*ROWS, title="Atoms"),),
        (atoms("# before", ROWS[0], "# within", "", ROWS[1] + " # beside", ROWS[2], "# after"),),
        (VELOCITIES, "Masses\n\n1 1.0\n2 1.0", atoms(*ROWS)),
        (atoms(*ROWS), VELOCITIES, "Masses # of both\n\n1 1.0\n2 1.0"),
        ("Pair Coeffs # lj/cut\n\n1 1.0 1.0\n2 0.5 0.88", atoms(*ROWS)),
        (atoms(*(f"{row} 0 -1 2" for row in ROWS)),),
        (atoms(*(f"{row} 0 -1 2" for row in ROWS), title="Atoms"),),
        (atoms(*(f"{row[:3]} -0.5 {row[4:]}" for row in ROWS), title="Atoms # charge"),),
        (atoms(*(f"{row[:2]}9 {row[2:]} 0 0 1" for row in ROWS), title="Atoms # molecular"),),
    ],
)
def test_sections_comments_and_blank_lines_stand_in_any_order(sections, tmp_path):
    read = read_lammps_data(data(tmp_path, *sections))
    assert read.positions.tolist() == POSITIONS
    assert read.types.tolist() == [2, 1, 1]
    assert read.ids.tolist() == [1, 2, 3]
    assert read.box.cell.diagonal().tolist() == [5, 6, 7]
    assert read.box.origin.tolist() == [0, -1, 0]
    assert read.units == "metal"


def test_a_data_file_is_known_by_its_header_packed_or_not(tmp_path):
    text = data(tmp_path, atoms(*ROWS)).read_bytes()
    (tmp_path / "packed").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text))
    (only,) = open_frames(tmp_path / "packed")
    assert only.positions.tolist() == POSITIONS


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ((), "the file ends before the 3 atoms announced: Atoms has 0 rows"),
        ((atoms(*ROWS[:2]),), "the file ends before the 3 atoms announced: Atoms has 2 rows"),
        ((atoms(*ROWS, "4 1 1 1 1"),), "3 atoms announced, but Atoms has 4 rows"),
        ((atoms(*ROWS), atoms(*ROWS)), "two sections Atoms, expected one"),
        ((atoms(*ROWS[:2], "2 1 0.5"),), "a row of Atoms has 3 columns, others 5: 2 1 0.5"),
        ((atoms(*ROWS[:2], "2 3 1 1 1"),), "an atom of type 3, expected 1 to 2, the atom types"),
        ((atoms(*ROWS[:2], "2 0 1 1 1"),), "an atom of type 0, expected 1 to 2"),
        ((atoms(*ROWS[:2], "3 1 1 1 1"),), "atom ID 3 appears twice"),
        ((atoms(*ROWS[:2], "2 A 1 1 1"),), "'A' is no atom type .* Atom Type Labels"),
        ((atoms(*ROWS[:2], "2 1.5 1 1 1"),), "'1.5' is no atom type"),
        ((atoms(*ROWS[:2], "2 1 x 1 1"),), "could not convert string to float: .*x"),
        ((atoms(*ROWS[:2], "2 1 nan 1 1"),), "positions must be finite"),
        (("Masses\n\n1 1.0", atoms(*ROWS)), "2 atom types, but 1 masses"),
        (("Atom Type Labels\n\n1 A", atoms(*ROWS)), "each of the 2 types a label of its own"),
        (("Atom Type Labels\n\n1 A\n2 A", atoms(*ROWS)), "each of the 2 types a label of its own"),
        ((atoms(*ROWS, title="Atoms # full"),), "5 columns .* not those of 'Atoms # full': id mol"),
        ((atoms(*ROWS, title="Atoms # peri"),), "atom style peri, expected one of atomic"),
    ],
)
def test_what_does_not_fit_is_named(sections, message, tmp_path):
    with pytest.raises(ValueError, match=rf"x\.data: .*{message}"):
        read_lammps_data(data(tmp_path, *sections))


@pytest.mark.parametrize(
    "row",
    [
        "1 1 1.0 2.0 3.0 4.0",
        "1 1 1.0 1.0 2.0 3.0 4.0",  # full without a style, or sphere
        "1 1 1.0 1.0 2.0 3.0 4.0 0 0 0",
        "1 1 0 0.5 1.0 2.0 3.0 4.0",  # tri, eight columns without image flags
        "1 1 0 0 0 0 0 0",  # whatever eight integers are
    ],
)
def test_columns_that_several_styles_have_are_not_guessed(row, tmp_path):
    path = data(tmp_path, atoms(row, title="Atoms"), n=1)
    with pytest.raises(ValueError, match=r"columns of atoms; name their style .* 'Atoms # atomic'"):
        read_lammps_data(path)


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ("atoms", r"no line '\.\.\. atoms'; expected a LAMMPS data file"),
        ("atom types", r"no line '\.\.\. atom types'"),
        ("ylo yhi", r"no line '\.\.\. ylo yhi'"),
    ],
)
def test_a_header_that_lacks_a_line_is_named(left, message, tmp_path):
    head = "\n".join(line for line in HEAD.splitlines() if left not in line.split("#")[0][-16:])
    head = HEAD.replace("{n} atoms\n", "") if left == "atoms" else head + "\n"
    with pytest.raises(ValueError, match=message):
        read_lammps_data(data(tmp_path, atoms(*ROWS), head=head))


def test_files_that_are_no_text_and_boxes_that_are_none_are_named(tmp_path):
    (tmp_path / "b.data").write_bytes(b"title\n\xff\xfa\n")
    with pytest.raises(ValueError, match=r"b\.data: expected a LAMMPS data file, which is text"):
        read_lammps_data(tmp_path / "b.data")
    path = data(tmp_path, atoms(*ROWS), head=HEAD.replace("0 7 zlo", "7 7 zlo"))
    with pytest.raises(ValueError, match=r"x\.data: a box needs lo < hi"):
        read_lammps_data(path)
    with pytest.raises(FileNotFoundError, match=r"none\.data: no such file"):
        read_lammps_data(tmp_path / "none.data")


READ = """
units {units}
dimension {dimension}
boundary p p p
read_data own.data
pair_style zero 1.0
pair_coeff * *
dump a all custom 1 back.dump id type x y z
dump_modify a format float %.16g sort id
run 0
"""


@pytest.mark.parametrize("tilted", [False, True])
def test_lammps_reads_what_is_written(tilted, tmp_path):
    cell = np.array([[6.0, 0, 0], [1.2 * tilted, 5.8, 0], [-0.8 * tilted, 0.6 * tilted, 6.2]])
    written = Configuration(
        positions=np.random.default_rng(2).random((20, 3)) @ cell + [1, 2, 3],
        species=[0] * 16 + [1] * 4,
        box=Box(cell, (True, True, True), (1.0, 2.0, 3.0)),
        mixture=KOB_ANDERSEN,
        ids=np.arange(20, 0, -1),
    )
    write_lammps_data(tmp_path / "own.data", written, "by the test")
    run_lmp(READ.format(units="lj", dimension=3), tmp_path)
    (back,) = read_dump(tmp_path / "back.dump")
    np.testing.assert_allclose(back.positions[::-1], written.positions, atol=1e-12)
    np.testing.assert_array_equal(back["type"][::-1], written.types)
    again = read_start(tmp_path / "own.data")
    np.testing.assert_allclose(again.positions[::-1], written.positions, atol=1e-12)
    assert (again.units, again.box.same_as(written.box)) == ("lj", True)


def test_two_dimensions_are_written_as_lammps_wants_them_and_read_as_they_are(tmp_path):
    points = np.random.default_rng(2).random((43, 2)) * 6
    written = Configuration(
        positions=points,
        species=[0] * 20 + [1] * 11 + [2] * 12,
        box=Box([6.0, 6.0], (True, True, False)),
        mixture=KA2D,
    )
    write_lammps_data(tmp_path / "own.data", written, "by the test")
    run_lmp(READ.format(units="lj", dimension=2), tmp_path)
    for frame in (*open_frames(tmp_path / "back.dump"), read_lammps_data(tmp_path / "own.data")):
        np.testing.assert_allclose(frame.positions[:, :2], points, atol=1e-12)
        assert frame.box.periodic == (True, True, False)
        assert (frame.dimension, frame.density) == (2, pytest.approx(43 / 36))
    assert read_start(tmp_path / "own.data", mixture=KA2D).mixture is KA2D


def test_units_that_are_not_known_are_not_written(tmp_path):
    one = Configuration(positions=np.zeros((1, 3)), species=[0], box=Box(2.0, (True, True, True)))
    write_lammps_data(tmp_path / "own.data", one, "by the test")
    assert "units" not in (tmp_path / "own.data").read_text()
    assert read_lammps_data(tmp_path / "own.data").units is None

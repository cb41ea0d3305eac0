"""Numbers that no particle can have are refused by every reader, with the name of the file."""

import re

import numpy as np
import pytest
from dumps import refused

from lammps_botan.files.bond_dump import read_bonds
from lammps_botan.files.ensemble import read_start
from lammps_botan.files.inherent_structures import read_structures
from lammps_botan.files.trajectory import open_dump, open_frames
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration

DUMP = """ITEM: TIMESTEP
7
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp ff
0 5
0 6
0 7
ITEM: ATOMS id type xu yu zu
1 1 0.5 0.5 0.5
2 2 1.5 1.5 1.5
"""
IN_DUMPS = {
    "a type of 1.7": ("1 1 0.5", "1 1.7 0.5", "expected integers as type, found 1.7"),
    "an ID of 1.5": ("1 1 0.5", "1.5 1 0.5", "expected integers as id, found 1.5"),
    "a negative ID": ("1 1 0.5", "-1 1 0.5", "integers from 1 to .* as id, found -1"),
    "an ID of 0": ("1 1 0.5", "0 1 0.5", "integers from 1 to .* as id, found 0"),
    "a type of 0": ("1 1 0.5", "1 0 0.5", "integers from 1 to 10000 as type, found 0"),
    "a type of 1e9": ("1 1 0.5", "1 1000000000 0.5", "integers from 1 to 10000 as type"),
    "an ID beyond float64": ("1 1 0.5", "1e300 1 0.5", "integers from 1 to 9007199254740992 as"),
    "an ID twice": ("2 2 1.5", "1 2 1.5", "atom ID 1 appears twice"),
    "no number": ("1 1 0.5", "1 1 nan", r"atom ID 1 is at \[nan"),
    "an infinite number": ("1 1 0.5", "1 1 inf", r"atom ID 1 is at \[inf"),
    "a boundary xx": ("pp pp ff", "xx pp ff", "expected pp, or f, s or m .* found xx pp ff"),
    "half a boundary": ("pp pp ff", "pp pf ff", "expected pp, or f, s or m .* found pp pf ff"),
    "two boundaries": ("pp pp ff", "pp pp", "expected pp, or f, s or m .* found pp pp 0 5"),
    "a short bound": ("0 7\n", "0\n", "3 lines of 2 numbers; found .* 0 5 0 6 0$"),
    "hi < lo": ("0 5", "5 0", r"with lo < hi; found lo \[5.0, 0.0, 0.0\] and hi \[0.0, 6.0"),
    "no bound": ("0 5", "0 nan", "with lo < hi; found"),
    "an infinite bound": ("0 5", "0 inf", "must span a finite volume, found"),
    "a box of 1e200": ("0 5\n0 6\n0 7", "0 1e200\n0 1e200\n0 1e200", "from 1e-15 to 1e.15 long"),
    "a step of 1.5": ("\n7\n", "\n1.5\n", "an integer under ITEM: TIMESTEP, found '1.5'"),
    "a step of 30 digits": ("\n7\n", "\n" + "9" * 30 + "\n", "expected a step of at most"),
    "half an atom": ("\n2\n", "\n2.5\n", "integer under ITEM: NUMBER OF ATOMS, found '2.5'"),
    "units of old": ("ITEM: TIMES", "ITEM: UNITS\nfurlong\nITEM: TIMES", "found 'furlong'"),
    "no time": ("ITEM: TIMES", "ITEM: TIME\nnan\nITEM: TIMES", "expected a finite ITEM: TIME"),
}


@pytest.mark.parametrize(("old", "new", "message"), IN_DUMPS.values(), ids=IN_DUMPS)
def test_a_dump_is_refused_by_name_and_frame(old, new, message, tmp_path):
    path = tmp_path / "run.dump"
    path.write_text(DUMP + DUMP.replace(old, new, 1))
    assert re.search(rf": frame 1 \(step [^)]*\): .*{message}", refused(path))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: frame 1 .*{message}"):
        [ts.frame for ts in open_dump(path).trajectory]


def test_each_kind_of_face_that_is_not_periodic_is_read(tmp_path):
    path = tmp_path / "run.dump"
    path.write_text(DUMP.replace("pp pp ff", "fs pp mm"))
    (found,) = open_frames(path)
    assert found.box.periodic == (False, True, False)


DATA = """title

2 atoms
1 atom types

0 5 xlo xhi
0 6 ylo yhi
0 7 zlo zhi

Atoms # atomic

1 1 0.5 0.5 0.5
2 1 1.5 1.5 1.5
"""
IN_DATA = {
    "a type of 1.7": ("1 1 0.5", "1 1.7 0.5", "'1.7' is no atom type"),
    "an ID of 1.5": ("1 1 0.5", "1.5 1 0.5", "'1.5' is no atom type and no ID"),
    "an ID of 30 digits": ("1 1 0.5", "9" * 30 + " 1 0.5", "'9{30}' is no atom type and no ID"),
    "a negative ID": ("1 1 0.5", "-1 1 0.5", "ids must be integers from 1, found"),
    "an ID twice": ("2 1 1.5", "1 1 1.5", "atom ID 1 appears twice"),
    "no number": ("1 1 0.5", "1 1 nan", "positions must be finite"),
    "hi < lo": ("0 5 xlo", "5 0 xlo", r"lo < hi, found lo \[5.0, 0.0, 0.0\] and hi \[0.0, 6.0, 7"),
    "one bound": ("0 5 xlo", "5 xlo", "expected 2 numbers before 'xlo xhi', found 5"),
    "two tilts": ("\nAtoms", "1 2 xy xz yz\n\nAtoms", "3 numbers before 'xy xz yz', found 1 2"),
    "half an atom": ("2 atoms", "2.5 atoms", "one integer before 'atoms', found 2.5"),
    "half a type": ("1 atom types", "1.5 atom types", "one integer before 'atom types', found 1.5"),
    "a label alone": ("\nAtoms", "\nAtom Type Labels\n\n1\n\nAtoms", "Labels must give .* found 1"),
    "a step of 30 digits": ("title", f"timestep = {'9' * 30}", "the step must be at most"),
}


@pytest.mark.parametrize(("old", "new", "message"), IN_DATA.values(), ids=IN_DATA)
def test_a_data_file_is_refused_by_name(old, new, message, tmp_path):
    path = tmp_path / "run.data"
    path.write_text(DATA.replace(old, new, 1))
    assert re.search(message, refused(path))


XYZ = '2\nLattice="5 0 0 0 6 0 0 0 7"\n1 0.5 0.5 0.5\n2 1.5 1.5 1.5\n'
IN_XYZ = {
    "a type of 1.7": ("1 0.5", "1.7 0.5", "or integers from 1 as atom types; found 1.7"),
    "a negative type": ("1 0.5", "-1 0.5", "or integers from 1 as atom types; found -1"),
    "a type of 20 digits": ("1 0.5", "9" * 20 + " 0.5", "or integers from 1 as atom types; found"),
    "no number": ("1 0.5", "1 nan", "positions must be finite"),
    "a number of 20 digits": ("2\n", "9" * 20 + "\n", "expected the number of particles, found"),
    "a box without edges": ("5 0 0 0 6 0 0 0 7", "0 0 0 0 0 0 0 0 0", "must span a finite volume"),
    "a box of nan": ("5 0 0", "nan 0 0", "must span a finite volume"),
    "a step of 30 digits": ("\nLat", f"\nTimestep: {'9' * 30} Lat", "the step must be at most"),
}


@pytest.mark.parametrize(("old", "new", "message"), IN_XYZ.values(), ids=IN_XYZ)
def test_an_xyz_file_is_refused_by_name_and_frame(old, new, message, tmp_path):
    path = tmp_path / "run.xyz"
    path.write_text(XYZ + XYZ.replace(old, new, 1))
    assert re.search(rf": frame 1: .*{message}", refused(path))


ARRAYS = {
    "types": np.array([0, 1]),
    "initial_positions": np.array([[0.5, 0.5, 0.5], [1.5, 1.5, 2.5]]),
    "positions": np.zeros((1, 2, 3)),
    "box": np.array([5.0, 6.0, 7.0]),
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": np.array([0.0, 1.7])}, "types must be integers from 0, found"),
        ({"types": np.array([0, 10**9])}, "species must be at most 9999, found 1000000000"),
        ({"types": np.array([0, 2**64 - 1], np.uint64)}, "species must be "),
        ({"periodic": np.array([2, 1, 1])}, r"periodic must be three bools, found \[2, 1, 1\]"),
        ({"box": np.array([5.0, -6.0, 7.0])}, "box must be positive lengths"),
        ({"box": np.zeros((3, 3))}, "must span a finite volume"),
        ({"box": np.full(3, 1e200)}, "from 1e-15 to 1e.15 long"),
    ],
)
def test_an_npz_file_is_refused_by_name(changes, message, tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, **(ARRAYS | changes))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: .*{message}"):
        read_start(path)


def test_inherent_structures_that_are_no_numbers_are_refused_by_name(tmp_path):
    path = tmp_path / "a.npz"
    words = np.full((2, 2, 3), "word")
    np.savez(path, **ARRAYS, inherent_positions=words, inherent_energies=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"a\.npz: inherent_positions must be numbers"):
        read_structures(path)


BONDS = "ITEM: TIMESTEP\n7\nITEM: NUMBER OF BONDS\n2\nITEM: BOX BOUNDS pp pp pp\n0 5\n0 5\n0 5\n"
BONDS += "ITEM: BONDS id_center id_neighbor distance pair_distance_change\n1 2 1.0 0.1\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1.5 2 1.0 0.1", "integers from 1 as atom IDs, found 1.5"),
        ("-1 2 1.0 0.1", "integers from 1 as atom IDs, found -1"),
        ("nan 2 1.0 0.1", "integers from 1 as atom IDs, found nan"),
        ("2 1 1.0 nan", "the bond of IDs 2 and 1 has .*nan.*, not numbers"),
        ("2 1 1.0", "a row has less than 4 columns: 2 1 1.0"),
    ],
)
def test_a_dump_of_bonds_is_refused_by_name(row, message, tmp_path):
    path = tmp_path / "bonds.dump"
    path.write_text(BONDS + row + "\n")
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: .*{message}"):
        read_bonds(path, 7)


def write_gsd(path, typeid, box):
    gsd = pytest.importorskip("gsd.hoomd", reason="gsd is not installed (extra test)")
    frame = gsd.Frame()
    frame.particles.N = 2
    frame.particles.position = [[0, 0, 0], [1, 1, 1]]
    frame.particles.types, frame.particles.typeid = ["A", "B"], typeid
    frame.configuration.box = box
    with gsd.open(str(path), "w") as file:
        file.append(frame)


def test_a_gsd_file_is_refused_by_name_and_frame(tmp_path):
    path = tmp_path / "a.gsd"
    write_gsd(path, [0, 2], [5, 5, 5, 0, 0, 0])
    assert ": frame 0: typeid must count the 2 types, found 2" in refused(path)
    write_gsd(path, [0, 1], [-5, 5, 5, 0, 0, 0])
    assert ": frame 0: the edges of the box must be positive, found -5" in refused(path)


def test_numbers_are_never_rounded_or_cast_into_species_and_ids():
    box = Box(5.0, (True, True, True))
    for name, values in (("species", [0, 1e300]), ("ids", [1, 1e300]), ("ids", [1.0, np.inf])):
        arguments = {"species": [0, 1]} | {name: np.array(values)}
        with pytest.raises(ValueError, match=f"{name} must be "):
            Configuration(positions=np.ones((2, 3)), box=box, **arguments)


def test_a_long_thin_box_is_a_box():
    assert Box([1e6, 10.0, 10.0], (True, True, True)).volume == pytest.approx(1e8)

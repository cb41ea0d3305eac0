"""Each format gives the numbers that LAMMPS dumped as text, or is refused with what to do."""

import shutil
import struct
import warnings

import MDAnalysis
import numpy as np
import pytest
from dumps import ORTHOGONAL, frame, refused, write
from lmp import liquid, read_dump, run_lmp
from MDAnalysis.lib.formats.libmdaxdr import TRRFile

from lammps_botan.files.mdanalysis_reader import frame_steps
from lammps_botan.files.trajectory import open_dump, open_frames
from lammps_botan.files.universe import UniverseFrames
from lammps_botan.structure.graph import build_graph

# argon, in units real and metal; the same liquid as in lj
SIGMA = 3.4

BOXES = {
    "orthogonal": "block 0 3 -1 2 0 3",
    "triclinic": "prism 0 3 -1 2 0 3 0.9 0.4 -0.7",
}

DUMPS = """
timestep 0.005
dump d all custom 10 run.dump id type x y z
dump_modify d format float %.15g sort id
dump u all custom 10 units.dump id type x y z
dump_modify u units yes sort id
dump x all xtc 10 run.xtc
dump_modify x sort id precision 100000
dump c all dcd 10 run.dcd
dump_modify c sort id
dump w all dcd 10 unwrapped.dcd
dump_modify w sort id unwrap yes
dump y all xyz 10 run.xyz
dump_modify y sort off element A B format line "%s %.9g %.9g %.9g"
dump n all xyz 10 numbers.xyz
dump_modify n sort off format line "%s %.9g %.9g %.9g"
dump e all extxyz 10 run.extxyz
dump_modify e sort off element A B
write_data run.data
run 30
"""


@pytest.fixture(scope="module", params=BOXES)
def folder(request, tmp_path_factory):
    """A fast liquid whose atoms cross the box and are reordered in memory."""
    folder = tmp_path_factory.mktemp(request.param)
    fast = "velocity all create 200.0 7\natom_modify sort 3 1.0\n"
    run_lmp(liquid(region=BOXES[request.param]) + fast + DUMPS, folder)
    return folder


def check(frames, folder, *, atol, ids=True):
    """Frames are those of the text dump, up to images."""
    expected = read_dump(folder / "run.dump")
    found = list(frames)
    assert [f.step for f in found] == [f.step for f in expected] == [0, 10, 20, 30]
    for f, text in zip(found, expected, strict=True):
        np.testing.assert_allclose(f.box.cell, text.cell, atol=atol)
        assert f.box.periodic == (True, True, True)
        if ids:
            np.testing.assert_array_equal(f.types, text["type"])
            away = f.box.minimum_image(f.positions - text.positions)
            np.testing.assert_allclose(away, 0.0, atol=atol)
        else:  # rows in the order of memory: the nearest atom is the same one
            away = f.box.minimum_image(f.positions[:, None] - text.positions[None])
            distances = np.linalg.norm(away, axis=2)
            same = distances.argmin(axis=1)
            assert sorted(same) == list(range(len(same)))
            assert distances.min(axis=1).max() < atol
            np.testing.assert_array_equal(f.types, text["type"][same])
    return found


@pytest.mark.parametrize("topology", ["run.data", "units.dump"])
@pytest.mark.parametrize("name", ["run.xtc", "run.dcd", "unwrapped.dcd"])
def test_lengths_and_steps_of_xtc_and_dcd_are_those_of_lammps(name, topology, folder):
    frames = open_frames(folder / name, topology=folder / topology)
    found = check(frames, folder, atol=2e-5)
    assert {f.units for f in found} == {"lj"}
    assert frames.progress == 1.0


def test_types_of_an_xyz_file_are_those_of_each_frame(folder):
    edges = read_dump(folder / "run.dump")[0].cell.diagonal()
    if folder.name.startswith("triclinic"):
        (tilted,) = {f.box.is_orthogonal for f in open_frames(folder / "run.extxyz")}
        assert not tilted
        return
    orders = []
    for name in ("run.xyz", "numbers.xyz"):
        frames = open_frames(folder / name, box=edges)
        found = check(frames, folder, atol=1e-7, ids=False)
        orders = [f.types.tolist() for f in found]
        assert orders[0] != orders[-1]  # LAMMPS did reorder them
        assert found[0].species_names == (("A", "B") if name == "run.xyz" else ())


def test_an_extended_xyz_file_has_its_box(folder):
    check(open_frames(folder / "run.extxyz"), folder, atol=1e-4, ids=False)


def test_a_graph_is_the_same_from_each_file(folder):
    data = folder / "run.data"
    expected = [build_graph(f, 1.3).n_edges for f in open_frames(folder / "run.dump")]
    for name in ("run.xtc", "run.dcd"):
        found = [build_graph(f, 1.3).n_edges for f in open_frames(folder / name, topology=data)]
        np.testing.assert_allclose(found, expected, atol=4)  # float32 at the cutoff


def test_every_kth_frame_has_its_own_step(folder):
    data = folder / "run.data"
    for name in ("run.xtc", "run.dcd"):
        frames = open_frames(folder / name, topology=data, every=3)
        assert [f.step for f in frames] == [0, 30]
    assert [f.step for f in open_frames(folder / "run.extxyz", every=2)] == [0, 20]


@pytest.mark.parametrize("units", ["real", "metal", "nano"])
def test_xtc_files_are_converted_from_nanometers_in_other_units(units, tmp_path):
    """LAMMPS writes nm there, whatever the unit of length."""
    length = {"real": SIGMA, "metal": SIGMA, "nano": SIGMA / 10}[units]
    script = f"""
    units {units}
    lattice fcc {length * 1.5}
    region b block 0 3 0 3 0 3
    create_box 1 b
    create_atoms 1 box
    mass * 39.9
    pair_style zero {length}
    pair_coeff * *
    displace_atoms all random {length / 9} {length / 9} {length / 9} 1
    dump d all custom 1 run.dump id type x y z
    dump_modify d units yes sort id format float %.15g
    dump x all xtc 1 run.xtc
    dump_modify x sort id precision 1000000
    run 0
    write_data run.data
    """
    run_lmp(script, tmp_path)
    (text,) = open_frames(tmp_path / "run.dump")
    for topology in ("run.data", "run.dump"):
        (binary,) = open_frames(tmp_path / "run.xtc", topology=tmp_path / topology)
        assert binary.units == text.units == units
        np.testing.assert_allclose(binary.box.cell, text.box.cell, rtol=1e-6)
        away = binary.box.minimum_image(binary.positions - text.positions)
        np.testing.assert_allclose(away, 0.0, atol=2e-5 * length)


def test_xtc_files_need_units_and_lengths_that_fit_the_topology(folder):
    xtc, dump = folder / "run.xtc", folder / "run.dump"
    said = refused(xtc, topology=dump)
    assert "XTC files are in nm, but in lj units as LAMMPS has the lengths" in said
    assert "dump_modify 1 units yes" in said
    check(open_frames(xtc, topology=dump, units="lj"), folder, atol=2e-5)
    said = refused(xtc, topology=dump, units="metal")
    assert "a box of" in said
    assert "are the lengths in another unit? Write a dump: dump 1 all custom" in said


def test_trr_files_of_other_programs_are_taken_where_their_lengths_fit(folder, tmp_path):
    """MDAnalysis divides by ten when it writes nm."""
    universe = open_dump_of(folder)
    universe.atoms.write(tmp_path / "converted.trr", frames="all")
    with TRRFile(str(tmp_path / "raw.trr"), "w") as file:
        for k, ts in enumerate(universe.trajectory):
            x, cell = ts.positions, ts.data["cell"]
            file.write(x, np.zeros_like(x), np.zeros_like(x), cell, 10 * k, 0.1 * k, 0.0, len(x))
    data = folder / "run.data"
    found = list(open_frames(tmp_path / "raw.trr", topology=data))
    assert len(found) == 4
    expected = read_dump(folder / "run.dump")
    for f, text in zip(found, expected, strict=True):
        away = f.box.minimum_image(f.positions - text.positions)
        np.testing.assert_allclose(away, 0.0, atol=2e-5)
    assert "in another unit?" in refused(tmp_path / "converted.trr", topology=data)


def open_dump_of(folder):
    """The text dump as a Universe, wrapped positions taken as they are."""
    text = (folder / "run.dump").read_text().replace("id type x y z", "id type xu yu zu")
    (folder / "as_unwrapped.dump").write_text(text)
    return open_dump(folder / "as_unwrapped.dump")


@pytest.mark.parametrize("name", ["run.xtc", "run.dcd"])
def test_positions_without_types_need_the_same_atoms_from_lammps(name, folder, tmp_path):
    path = folder / name
    assert "needs --topology FILE, a LAMMPS data file or dump" in refused(path)
    fewer = write(tmp_path / "few.dump", frame(np.zeros((5, 3)), ORTHOGONAL, units="lj"))
    assert f"108 atoms, but {fewer}: frame 0 (step 0) has 5" in refused(path, topology=fewer)
    (tmp_path / "top.xyz").write_text("1\n\nA 0 0 0\n")
    with pytest.raises(ValueError, match=r"top\.xyz: expected a LAMMPS data file or dump as the t"):
        open_frames(path, topology=tmp_path / "top.xyz")


def load(universe, *paths, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of DCD readers
        names = [str(path) for path in paths]
        return universe.load_new(names if len(names) > 1 else names[0], **options)


def test_a_universe_over_a_converted_file_gives_the_numbers_of_lammps(folder):
    """MDAnalysis makes ten Angstrom of one nm, which is one sigma."""
    types = next(iter(open_frames(folder / "run.dump"))).types.astype(str)
    universe = MDAnalysis.Universe.empty(len(types))
    universe.add_TopologyAttr("types", types)
    for convert in (True, False):
        load(universe, folder / "run.xtc", convert_units=convert)
        check(UniverseFrames(universe, units="lj"), folder, atol=2e-5)
        with pytest.raises(ValueError, match="say the units of the simulation"):
            UniverseFrames(universe)
    load(universe, folder / "run.xtc")
    universe.trajectory.add_transformations(lambda ts: ts)
    with pytest.raises(ValueError, match="converted from nm to Angstrom and transformed then"):
        UniverseFrames(universe, units="lj")
    load(universe, folder / "run.xtc", in_memory=True)
    with pytest.raises(ValueError, match="a copy in memory, which may be in other units"):
        UniverseFrames(universe, units="lj")


def test_a_universe_over_a_format_with_types_of_its_own_is_refused(folder):
    """MDAnalysis gives all frames the names of the first."""
    universe = MDAnalysis.Universe(str(folder / "run.xyz"), to_guess=())
    with pytest.raises(ValueError, match=r"reader of XYZ is not known .*open_frames for .* dump 1"):
        UniverseFrames(universe, box=[3, 3, 3])


def test_several_files_in_a_row_are_one_trajectory(folder):
    types = next(iter(open_frames(folder / "run.dump"))).types.astype(str)
    universe = MDAnalysis.Universe.empty(len(types))
    universe.add_TopologyAttr("types", types)
    load(universe, *[folder / "run.xtc"] * 2, convert_units=False)
    frames = list(UniverseFrames(universe, units="lj"))
    assert [f.step for f in frames] == [0, 10, 20, 30] * 2
    load(universe, folder / "run.dcd", folder / "run.xtc", convert_units=False)
    with pytest.raises(ValueError, match="files in different units; read one at a time"):
        UniverseFrames(universe, units="metal")


def reader(path, **options):
    universe = MDAnalysis.Universe.empty(108)
    return load(universe, path, **options).trajectory


def test_steps_of_a_dcd_file_count_only_where_its_header_is_of_lammps_and_fits(folder, tmp_path):
    assert frame_steps(reader(folder / "run.dcd")).tolist() == [0, 10, 20, 30]
    assert frame_steps(reader(folder / "run.xtc")) is None  # each frame says its own
    broken = bytearray((folder / "run.dcd").read_bytes())
    broken[16:20] = struct.pack("<i", 7)  # interval
    (tmp_path / "broken.dcd").write_bytes(broken)
    assert frame_steps(reader(tmp_path / "broken.dcd")).tolist() == [0, 1, 2, 3]
    universe = open_dump_of(folder)
    universe.atoms.write(tmp_path / "own.dcd", frames="all")
    assert frame_steps(reader(tmp_path / "own.dcd")).tolist() == [0, 1, 2, 3]


def test_triclinic_dcd_files_of_other_programs_are_refused(folder, tmp_path):
    """There are four conventions for the cell, which cannot be told apart."""
    universe = open_dump_of(folder)
    universe.atoms.write(tmp_path / "own.dcd", frames="all")
    if folder.name.startswith("orthogonal"):
        frames = open_frames(tmp_path / "own.dcd", topology=folder / "run.data")
        assert len(list(frames)) == 4
    else:
        said = refused(tmp_path / "own.dcd", topology=folder / "run.data")
        assert "a triclinic box in a DCD file that LAMMPS did not write" in said


def test_a_file_that_no_reader_is_known_for_is_refused_with_the_line_of_a_dump(folder, tmp_path):
    (tmp_path / "a.pdb").write_text("ATOM      1  A   MOL     1       0.000   0.000   0.000\n")
    for name in ("a.pdb",):
        said = refused(tmp_path / name)
        assert "expected a LAMMPS dump or data file, or the suffix .xyz, .extxyz, .gsd" in said
        assert "dump 1 all custom 1000 run.dump id type xu yu zu" in said
    with pytest.raises(FileNotFoundError, match=r"none\.xtc: no such file"):
        open_frames(tmp_path / "none.xtc")
    (tmp_path / "bad.dcd").write_bytes(b"nothing" * 50)
    said = refused(tmp_path / "bad.dcd", topology=folder / "run.data")
    assert "does not begin as a DCD, XTC or TRR file does" in said


def test_types_and_box_of_a_file_are_not_given_again(folder, tmp_path):
    data, box = folder / "run.data", [5, 5, 5]
    shutil.copy(folder / "run.xyz", tmp_path / "a.xyz")
    assert "an XYZ file has types; give no" in refused(tmp_path / "a.xyz", topology=data, box=box)
    for name in ("run.dump", "run.data"):
        for options in ({"topology": data}, {"box": box}):
            said = refused(folder / name, **options)
            assert "a LAMMPS file has types and box; give no other ones" in said
    for name in ("run.dump", "run.xyz"):
        with pytest.raises(ValueError, match="every must be at least 1, found 0"):
            open_frames(folder / name, every=0)

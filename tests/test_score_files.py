"""Files of LAMMPS and of other programs give the same scores."""

import gzip

import numpy as np
import pytest
from dumps import write
from lmp import all_images, liquid, read_dump, run_lmp
from score_runs import (
    LENGTHS,
    dump_text,
    liquid_configuration,
    neighbors,
    propensities,
    run,
    toy,
)
from toy_models import Walks, save_model

from lammps_botan.files.lammps_data import write_lammps_data
from lammps_botan.files.trajectory import open_dump

BOXES = {
    "orthogonal": {},
    "triclinic": {"region": "prism 0 3 -1 2 0 3 0.9 0.4 -0.7"},
    "not periodic along y": {
        "before_box": "boundary p f p",
        "after_box": "change_box all y delta -1 1",
    },
}

DUMPS = """
dump a all custom 10 xu.dump id type xu yu zu
dump b all custom 10 x.dump id type x y z
dump c all custom 10 xs.dump.gz zs ys xs vx type id
dump d all custom 10 xsu.dump id type xsu ysu zsu
dump e all custom 10 images.dump id type x y z ix iy iz
dump_modify a format float %.16g units yes time yes
dump_modify b format float %.16g sort id
dump_modify c format float %.16g
dump_modify d format float %.16g
dump_modify e format float %.16g
run 20
"""


@pytest.mark.parametrize("box", BOXES)
def test_all_coordinates_of_a_dump_do(box, tmp_path):
    run_lmp(liquid(**BOXES[box]) + DUMPS, tmp_path)
    model = save_model(tmp_path / "toy.pt", Walks(rounds=3))
    expected = [all_images(f, 2.0).walks(len(f["id"]), 3) for f in read_dump(tmp_path / "x.dump")]
    assert len(expected) == 3
    for name in ("xu.dump", "x.dump", "xs.dump.gz", "xsu.dump", "images.dump"):
        out = tmp_path / f"scored {name}"
        printed = run("score", tmp_path / name, "-m", model, "-o", out).output
        assert f"wrote {out}, 3 frames" in printed
        if name.endswith(".gz"):
            out.with_suffix("").write_bytes(gzip.decompress(out.read_bytes()))
            out = out.with_suffix("")
        scored = read_dump(out)
        for a, b in zip(read_dump(tmp_path / "x.dump"), scored, strict=True):
            assert (a.step, a.periodic) == (b.step, b.periodic)
            np.testing.assert_allclose(b.cell, a.cell, atol=1e-12)
            inside = (b.positions - a.positions) @ np.linalg.inv(a.cell)
            np.testing.assert_allclose(inside, np.rint(inside), atol=1e-10)
        for frame, walks in zip(scored, expected, strict=True):
            np.testing.assert_array_equal(frame["d_propensity"], walks)


def test_files_of_other_programs_do(trajectory, tmp_path):
    positions, types, _ = trajectory
    model, out = toy(tmp_path), tmp_path / "scored.dump"
    expected = [neighbors(x) for x in positions]
    first = liquid_configuration(positions[0], types)
    write_lammps_data(tmp_path / "run.data", first, "liquid")
    run("score", tmp_path / "run.data", "--model", model, "--out", out)
    np.testing.assert_array_equal(propensities(out), expected[:1])

    universe = open_dump(write(tmp_path / "xu.dump", *dump_text(positions, types, columns=XU)))
    universe.atoms.write(tmp_path / "run.dcd", frames="all")
    topology = ("--topology", tmp_path / "run.data")
    run("score", tmp_path / "run.dcd", *topology, "--model", model, "--out", out)
    np.testing.assert_array_equal(propensities(out), expected)

    names = np.array(["A", "B"], dtype=object)[types - 1]
    universe.add_TopologyAttr("names", names)
    universe.atoms.write(tmp_path / "run.xyz", frames="all")
    box = ("--box", *LENGTHS)
    for species in ([], ["--species", "A", "B"]):
        run("score", tmp_path / "run.xyz", *box, "--model", model, "--out", out, *species)
        np.testing.assert_array_equal(propensities(out), expected)
        assert [frame["type"].tolist() for frame in read_dump(out)] == [types.tolist()] * 3


XU = "id type xu yu zu"


def test_gsd_files_do(trajectory, tmp_path):
    gsd = pytest.importorskip("gsd.hoomd", reason="gsd is not installed; MDAnalysis needs it")
    positions, types, _ = trajectory
    with gsd.open(tmp_path / "run.gsd", "w") as file:
        for k, x in enumerate(positions):
            frame = gsd.Frame()
            frame.configuration.step = 100 * k
            frame.configuration.box = [*LENGTHS, 0, 0, 0]
            frame.particles.N = len(types)
            # its box is centered
            centered = x - LENGTHS / 2
            frame.particles.position = centered - LENGTHS * np.rint(centered / LENGTHS)
            frame.particles.types, frame.particles.typeid = ["A", "B"], types - 1
            file.append(frame)
    out = tmp_path / "scored.dump"
    run("score", tmp_path / "run.gsd", "--model", toy(tmp_path), "--out", out)
    np.testing.assert_array_equal(propensities(out), [neighbors(x) for x in positions])
    assert [frame.step for frame in read_dump(out)] == [0, 100, 200]


FLAT = liquid(
    before_box="dimension 2",
    region="block 0 8 0 8 -0.1 0.1",
    dz=0.0,
    after_box="fix plane all enforce2d",
).replace("lattice fcc", "lattice sq")


def test_two_dimensional_runs_are_scored_in_the_plane(tmp_path):
    """LAMMPS writes `pp pp pp` and a thin box; there are no images along z."""
    dump = "dump a all custom 10 flat.dump id type x y z\ndump_modify a format float %.17g\n"
    run_lmp(f"{FLAT}\n{dump}run 20\nwrite_data flat.data", tmp_path)
    model = save_model(tmp_path / "flat.pt", Walks(rounds=2), mixture={"dimension": 2})
    frames = read_dump(tmp_path / "flat.dump")
    for frame in frames:
        frame.periodic = (True, True, False)
    expected = [all_images(frame, 2.0).walks(len(frame["id"]), 2) for frame in frames]
    out = tmp_path / "scored.dump"
    run("score", tmp_path / "flat.dump", "-m", model, "--out", out)
    np.testing.assert_array_equal(propensities(out), expected)
    run("score", tmp_path / "flat.data", "-m", model, "--out", out)
    np.testing.assert_array_equal(propensities(out), expected[-1:])


def test_files_in_nanometers_are_scored_in_the_units_of_the_run(tmp_path):
    dumps = """
    dump a all custom 10 run.dump id type x y z
    dump_modify a format float %.17g
    dump b all xtc 10 run.xtc
    dump_modify b precision 1000000
    run 20
    """
    run_lmp(liquid().replace("units lj", "units metal") + dumps, tmp_path)
    model = save_model(tmp_path / "metal.pt", mixture={"units": "metal", "name": "metallic"})
    expected = [all_images(f, 2.0).walks(len(f["id"]), 1) for f in read_dump(tmp_path / "run.dump")]
    command = ("score", tmp_path / "run.xtc", "-m", model, "--topology", tmp_path / "run.dump")
    out = ("--out", tmp_path / "scored.dump")
    assert "say the units of the simulation" in run(*command, *out, fails=True).output
    run(*command, *out, "--units", "metal")
    np.testing.assert_array_equal(propensities(out[1]), expected)
    assert "kob-andersen in lj units" in run(
        *command[:3], toy(tmp_path), *command[4:], *out, "--units", "metal", fails=True
    ).output.replace("\n", " ")

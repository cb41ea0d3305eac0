"""Dumps of bonds: read back, drawn, refused."""

import gzip
import re

import numpy as np
import pytest
from dumps import write
from lmp import liquid, read_dump, run_lmp
from score_runs import LENGTHS, dump_text, liquid_frames, run, toy
from toy_models import Walks, save_model

from lammps_botan.files.bond_dump import read_bonds


@pytest.fixture
def scored(tmp_path):
    """Particles and bonds of three frames; the toy predicts the distance as the change."""
    positions, types = liquid_frames()
    dump = write(tmp_path / "run.dump", *dump_text(positions, types))
    out, bonds = tmp_path / "scored.dump", tmp_path / "scored.bonds"
    run("score", dump, "--model", toy(tmp_path), "--out", out, "--bonds", bonds)
    return out, bonds


def test_bonds_of_each_step_are_read_as_they_were_written(scored, tmp_path):
    _, path = scored
    (tmp_path / "bonds.gz").write_bytes(gzip.compress(path.read_bytes()))
    frames = read_dump(path)
    assert len(frames) == 3
    for expected in frames:
        for file in (path, tmp_path / "bonds.gz"):
            found = read_bonds(file, expected.step)
            np.testing.assert_array_equal(found.center, expected["id_center"])
            np.testing.assert_array_equal(found.neighbor, expected["id_neighbor"])
            np.testing.assert_array_equal(found.changes, expected["pair_distance_change"])


def test_bonds_of_the_fix_are_read_too(tmp_path):
    save_model(tmp_path / "m.pt", Walks())
    script = (
        liquid()
        + """
    fix mob all botan 10 m.pt A B
    dump b all local 10 fix.bonds f_mob[1] f_mob[2] f_mob[3] f_mob[4]
    run 10
    """
    )
    run_lmp(script, tmp_path)
    frames = read_dump(tmp_path / "fix.bonds")
    assert len(frames) == 2
    for frame in frames:
        found = read_bonds(tmp_path / "fix.bonds", frame.step)
        np.testing.assert_array_equal(found.center, frame["f_mob[1]"])
        np.testing.assert_array_equal(found.changes, frame["f_mob[4]"])


def test_headers_of_units_and_time_are_read_over(tmp_path):
    save_model(tmp_path / "m.pt", Walks())
    words = "units yes time yes format float %.9g"
    script = (
        liquid()
        + "fix mob all botan 10 m.pt A B\n"
        + "dump b all local 10 b.dump f_mob[1] f_mob[2] f_mob[3] f_mob[4]\n"
        + f"dump_modify b {words}\nrun 10"
    )
    run_lmp(script, tmp_path)
    text = (tmp_path / "b.dump").read_text()
    assert text.startswith("ITEM: UNITS\nlj\nITEM: TIME\n0\nITEM: TIMESTEP")
    without, n = re.subn(r"ITEM: (UNITS|TIME)\n.*\n", "", text)
    assert n == 3
    (tmp_path / "without.dump").write_text(without)
    for step in (0, 10):
        found, expected = (read_bonds(tmp_path / f"{name}.dump", step) for name in ("b", "without"))
        assert len(found.center) > 100
        np.testing.assert_array_equal(found.center, expected.center)
        np.testing.assert_array_equal(found.changes, expected.changes)


def test_a_map_of_bonds_is_drawn(scored, tmp_path):
    out, bonds = scored
    run("plot", "map", out, "--bond-dump", bonds, "-o", tmp_path / "b.png", "--frame", "1")
    run("plot", "map", out, "-o", tmp_path / "p.png", "--frame", "1")
    drawn, particles = (tmp_path / f"{name}.png" for name in "bp")
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert drawn.read_bytes() != particles.read_bytes()


def test_bonds_of_a_step_that_occurs_twice_are_those_of_the_frame(scored, tmp_path):
    """As of a run that began anew, by reset_timestep 0: the third frame is like the first."""
    out, bonds = scored
    again = tmp_path / "again.dump"
    steps = [frame.step for frame in read_dump(out)]
    assert len(set(steps)) == 3

    def renamed(path):
        parts = path.read_text().split("ITEM: TIMESTEP\n")[1:]
        parts[2] = parts[2].replace(f"{steps[2]}\n", f"{steps[0]}\n", 1)
        return ["ITEM: TIMESTEP\n" + part for part in parts]

    def draw(frame, dump, of_bonds, fails=False):
        picture = tmp_path / "x.png"
        words = ("plot", "map", dump, "--bond-dump", of_bonds, "-o", picture, "--frame", frame)
        done = run(*words, fails=fails)
        return done.output if fails else picture.read_bytes()

    both = tmp_path / "again.bonds"
    again.write_text("".join(renamed(out)))
    both.write_text("".join(renamed(bonds)))
    expected = read_dump(bonds)
    for frame, k in ((0, 0), (2, 1)):
        found = read_bonds(both, steps[0], index=k, among=2)
        np.testing.assert_array_equal(found.changes, expected[frame]["pair_distance_change"])
    third = tmp_path / "third.bonds"
    third.write_text("".join(renamed(bonds)[1:]))
    only = tmp_path / "only.dump"
    only.write_text("".join(renamed(out)[1:]))
    alone = draw(1, only, third)
    for frame in (2, -1):
        assert draw(frame, again, both) == alone
    assert draw(0, again, both) != alone
    for path in (again, both):  # as of a run that goes on
        path.write_text(path.read_text() + path.read_text()[:200])
    assert draw(2, again, both) == alone
    for frame, *files, count, among in ((2, again, third, 1, 2), (1, only, both, 2, 1)):
        message = " ".join(draw(frame, *files, fails=True).split())
        assert f"has bonds of step {steps[0]} {count} times" in message
        assert f"has this step {among} times: which belong together?" in message


def test_what_holds_no_bonds_is_refused(scored, tmp_path):
    out, bonds = scored
    with pytest.raises(ValueError, match=r"scored\.bonds: has no bonds of step 7"):
        read_bonds(bonds, 7)
    with pytest.raises(ValueError, match=r"scored\.dump: no dump of bonds: .*NUMBER OF ATOMS"):
        read_bonds(out, 0)
    text = bonds.read_text()
    (tmp_path / "cut").write_text(text[: len(text) // 2])
    with pytest.raises(ValueError, match="cut: "):
        read_bonds(tmp_path / "cut", 20)
    (tmp_path / "narrow").write_text(text.replace(" distance pair_distance_change", ""))
    with pytest.raises(ValueError, match="expected 4 columns"):
        read_bonds(tmp_path / "narrow", 0)
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_bonds(tmp_path / "none", 0)
    heights = np.sort(np.abs(read_dump(out)[0]["z"] - LENGTHS[2] / 2))
    draw = ("plot", "map", out, "--bond-dump", bonds, "-o", tmp_path / "x.png", "--thickness")
    for thickness, message in (
        (heights[0] + heights[1], "no bond has both ends in the slice"),
        (heights[0], "no particle is in the slice"),
    ):
        assert message in run(*draw, thickness, fails=True).output
    assert not (tmp_path / "x.png").exists()

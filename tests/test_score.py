"""Scores of trajectories: equal to the fix, whatever the file they come from."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dumps import write
from lmp import read_dump, run_lmp
from score_runs import (
    dump_text,
    liquid_frames,
    neighbors,
    propensities,
    run,
    toy,
)

ROOT = Path(__file__).resolve().parents[1]
GLASS = ROOT / "inputs" / "ka-t064.data"
ROUNDING = 2e-5  # one graph, other order of float32 sums

# two frames of the shipped glass, scored by the fix
RUN = f"""
units lj
read_data {GLASS}
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
fix mob all botan {{every}} ka-t064 A B
dump atoms all custom {{every}} {{name}}.dump id type x y z f_mob
dump_modify atoms format float %.15g
dump bonds all local {{every}} {{name}}.bonds f_mob[1] f_mob[2] f_mob[3] f_mob[4]
dump_modify bonds format float %.9g
{{run}}
"""


def bonds_by_ids(frame, names):
    table = np.column_stack([frame[name] for name in names])
    return table[np.lexsort((table[:, 1], table[:, 0]))]


@pytest.fixture(scope="module")
def glass(tmp_path_factory):
    """A run of the shipped glass that the fix scored, scored again from its dump."""
    folder = tmp_path_factory.mktemp("glass")
    motion = "timestep 0.003\nvelocity all create 0.64 7\nfix nve all nve\nrun 100"
    run_lmp(RUN.format(every=100, name="fix", run=motion), folder)
    run(
        *("score", folder / "fix.dump", "--model", "ka-t064", "--species", "A", "B"),
        *("--out", folder / "scored.dump", "--bonds", folder / "scored.bonds"),
    )
    return folder


def test_score_gives_the_numbers_of_the_fix(glass):
    fix, scored = read_dump(glass / "fix.dump"), read_dump(glass / "scored.dump")
    assert [frame.step for frame in scored] == [frame.step for frame in fix] == [0, 100]
    for a, b in zip(fix, scored, strict=True):
        np.testing.assert_array_equal(a["id"], b["id"])
        np.testing.assert_array_equal(a["type"], b["type"])
        np.testing.assert_allclose(b.cell, a.cell, rtol=1e-15)
        np.testing.assert_allclose(b["d_propensity"], a["f_mob"], atol=ROUNDING)
    fix_bonds, scored_bonds = read_dump(glass / "fix.bonds"), read_dump(glass / "scored.bonds")
    for a, b in zip(fix_bonds, scored_bonds, strict=True):
        theirs = bonds_by_ids(a, [f"f_mob[{k}]" for k in (1, 2, 3, 4)])
        names = ["id_center", "id_neighbor", "distance", "pair_distance_change"]
        ours = bonds_by_ids(b, names)
        np.testing.assert_array_equal(ours[:, :2], theirs[:, :2])
        np.testing.assert_allclose(ours[:, 2:], theirs[:, 2:], atol=ROUNDING)


def test_rerun_of_the_scored_dump_gives_its_numbers(glass):
    again = "rerun scored.dump dump x y z"
    run_lmp(RUN.format(every=1, name="rerun", run=again), glass)
    scored, rerun = read_dump(glass / "scored.dump"), read_dump(glass / "rerun.dump")
    assert [frame.step for frame in rerun] == [0, 100]
    for a, b in zip(scored, rerun, strict=True):
        np.testing.assert_allclose(b["f_mob"], a["d_propensity"], atol=ROUNDING)
        assert a["d_propensity"].std() > 0.05  # there is something to compare


def test_every_kth_frame_is_scored(tmp_path):
    positions, types = liquid_frames(7)
    dump = write(tmp_path / "run.dump.gz", *dump_text(positions, types))
    out = tmp_path / "scored.dump"
    run("score", dump, "--model", toy(tmp_path), "--out", out, "--every", "3")
    assert [frame.step for frame in read_dump(out)] == [0, 30, 60]
    np.testing.assert_array_equal(propensities(out), [neighbors(x) for x in positions[::3]])


def test_atoms_may_come_and_go(tmp_path):
    positions, types = liquid_frames(2)
    first = dump_text(positions[:1], types)[0]
    fewer = [x[:50] for x in positions[1:]]
    second = dump_text(np.array(fewer), types[:50], ids=np.arange(50, 0, -1))[0]
    out = tmp_path / "scored.dump"
    dump = write(tmp_path / "run.dump", first, second)
    run("score", dump, "--model", toy(tmp_path), "--out", out)
    a, b = read_dump(out)
    np.testing.assert_array_equal(a["d_propensity"], neighbors(positions[0]))
    np.testing.assert_array_equal(b["d_propensity"], neighbors(positions[1][:50])[::-1])


def test_workers_keep_the_order_of_the_frames(tmp_path):
    positions, types = liquid_frames(7)
    dump = write(tmp_path / "run.dump", *dump_text(positions, types))
    out, bonds = tmp_path / "scored.dump", tmp_path / "scored.bonds"
    arguments = ("score", dump, "--model", toy(tmp_path), "--out", out, "--bonds", bonds)
    run(*arguments)
    one = out.read_bytes(), bonds.read_bytes()
    run(*arguments, "--workers", "2")
    assert (out.read_bytes(), bonds.read_bytes()) == one
    np.testing.assert_array_equal(propensities(out), [neighbors(x) for x in positions])


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path):
    positions, types = liquid_frames(1)
    text = dump_text(positions, types)[0]
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from lammps_botan.prediction.trajectory import score_file\n"
        "peaks = []\n"
        "for n, *_ in score_file(*sys.argv[1:3], Path(sys.argv[3])):\n"
        "    if n % 200 == 0: peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        "print(*peaks)"
    )
    write(tmp_path / "run.dump", *[text] * 600)
    command = [sys.executable, "-P", "-c", code]
    command += [tmp_path / "run.dump", toy(tmp_path), tmp_path / "s"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peaks = [int(word) for word in done.stdout.split()]
    assert len(peaks) == 3
    # kB; the dump has 2.6 MB
    assert peaks[-1] - peaks[0] < 1500

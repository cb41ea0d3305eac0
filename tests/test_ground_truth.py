"""`lammps-botan targets`: from dump files to one npz file, all or nothing."""

import json
import subprocess

import numpy as np
import pytest
from dumps import ORTHOGONAL, TRICLINIC, frame, write, write_runs
from lmp import BIN
from public_data import CONFIGURATION_401, needs_public_data, reference_graph
from target_runs import read, targets

from lammps_botan.analysis.ground_truth import ground_truth
from lammps_botan.analysis.sample import read_sample
from lammps_botan.analysis.targets import (
    bond_breakage,
    bonded,
    neighbor_averaged_displacement,
    pair_distance_change,
    propensity,
    relative_displacement,
)
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN

pytestmark = pytest.mark.slow
N = 80
TYPES = np.repeat([1, 2], [64, 16])


@pytest.fixture(params=["orthogonal", "triclinic"])
def ensemble(request, tmp_path):
    """Dumps of four runs with frames at t = 0, 0.05 and 0.1."""
    cell = {"orthogonal": ORTHOGONAL, "triclinic": TRICLINIC}[request.param]
    rng = np.random.default_rng(3)
    initial = rng.random((N, 3)) @ cell
    moved = rng.normal(0, 0.4, (2, 4, N, 3)).cumsum(axis=0)
    final = initial + np.concatenate([np.zeros((1, 4, N, 3)), moved])
    return write_runs(tmp_path, final, cell, TYPES, steps=[0, 50, 100]), final, cell


def test_the_file_has_the_ensemble_and_every_target(ensemble, tmp_path):
    dumps, final, cell = ensemble
    done = targets(*dumps, "-o", "targets.npz", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "targets.npz: kob-andersen, 4 runs, lag time 0.1" in done.stdout
    initial, last = final[0, 0], final[2]
    found = read(tmp_path / "targets.npz")
    np.testing.assert_allclose(found["initial_positions"], initial, atol=1e-12)
    np.testing.assert_allclose(found["positions"], last, atol=1e-12)
    np.testing.assert_array_equal(found["types"], TYPES - 1)
    assert found["time"] == 0.1

    box = Box(cell, (True, True, True))
    start = Configuration(initial, TYPES - 1, box)
    graph, near, average_over = (build_graph(start, cutoff) for cutoff in (2.0, 1.6, 1.35))
    relative = relative_displacement(initial, last, near)
    bonds = bonded(graph, KOB_ANDERSEN)
    expected = {
        "propensity": propensity(initial, last),
        "R": relative.r,
        "D": relative.d,
        "C": relative.c,
        "neighbor_averaged_displacement": neighbor_averaged_displacement(
            initial, last, average_over
        ),
        "bond_breakage": bond_breakage(initial, last, bonds, box, KOB_ANDERSEN),
        "distance": graph.distances,
        "pair_distance_change": pair_distance_change(initial, last, graph, box),
    }
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, atol=1e-12, err_msg=key)
    np.testing.assert_array_equal(found["center"], graph.center)
    np.testing.assert_array_equal(found["neighbor"], graph.neighbor)


def test_the_file_is_a_data_set(ensemble, tmp_path):
    """What trains on the public data trains on this."""
    dumps, _, _ = ensemble
    assert targets(*dumps, "-o", tmp_path / "a.npz").exit_code == 0
    sample = read_sample(tmp_path / "a.npz")
    found = read(tmp_path / "a.npz")
    np.testing.assert_allclose(sample.propensity, found["propensity"], atol=1e-12)
    np.testing.assert_allclose(
        sample.pair_distance_change, found["pair_distance_change"], atol=1e-12
    )


def test_lag_times_are_chosen(ensemble, tmp_path):
    dumps, final, _ = ensemble
    assert targets(*dumps, "-o", "t{time}.npz", cwd=tmp_path).exit_code == 0
    for k, name in ((1, "t0.05.npz"), (2, "t0.1.npz")):
        np.testing.assert_allclose(read_ensemble(tmp_path / name).final, final[k], atol=1e-12)
    done = targets(*dumps, "-o", tmp_path / "one.npz", "--time", 0.05)
    assert done.exit_code == 0
    assert read(tmp_path / "one.npz")["time"] == 0.05
    # with another time step the same frames are at other lag times
    assert targets(*dumps, "-o", tmp_path / "dt.npz", "--dt", 0.01).exit_code == 0
    assert read(tmp_path / "dt.npz")["time"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--time", 0.07], "no frame at lag time 0.07; it has 0.05, 0.1"),
        # as in seconds
        (["--dt", 5e-16, "--time", 7e-14], "no frame at lag time 7e-14; it has 2.5e-14, 5e-14"),
        (["--time", 0.05, "--time", 0.1], "put {time} into its name: targets_{time}.npz"),
    ],
)
def test_lag_times_that_are_not_there_are_refused(ensemble, tmp_path, options, message):
    dumps, _, _ = ensemble
    done = targets(*dumps, "-o", "targets.npz", *options, cwd=tmp_path)
    assert done.exit_code == 1
    assert message in done.stderr.replace("\n", " ")
    assert not list(tmp_path.glob("targets*"))


def spoil(dumps, how):
    """Damage the last of the dumps, and say what must be complained about."""
    victim = dumps[-1]
    text = victim.read_text()
    frames = ["ITEM: TIMESTEP" + part for part in text.split("ITEM: TIMESTEP")[1:]]
    if how == "empty":
        victim.write_text("")
        return "the file is empty"
    if how == "truncated":
        victim.write_text(text[: -len(frames[-1]) // 2])
        return "frame 2 (step 100): the file ends before"
    if how == "wrapped":
        victim.write_text(text.replace("xu yu zu", "x y z"))
        return "neither unwrapped coordinates nor image flags"
    if how == "box":
        edges = frames[-1].splitlines()
        edges[5:8] = [line.replace("e+00", "e+01", 2) for line in edges[5:8]]
        victim.write_text("".join(frames[:-1]) + "\n".join(edges) + "\n")
        return "the box must stay the same"
    if how == "missing":
        rows = frames[-1].splitlines()
        rows[3] = str(N - 1)
        victim.write_text("".join(frames[:-1]) + "\n".join(rows[:-1]) + "\n")
        return f"frame 2 (step 100): {N - 1} atoms, expected {N}"
    if how == "nan":
        rows = frames[-1].splitlines()
        rows[-1] = f"{N} 2 nan 0 0"
        victim.write_text("".join(frames[:-1]) + "\n".join(rows) + "\n")
        return "frame 2 (step 100)"
    if how == "elsewhere":
        rows = frames[0].splitlines()
        rows[-1] = f"{N} 2 0.5 0.5 0.5"
        victim.write_text("\n".join(rows) + "\n" + "".join(frames[1:]))
        return "all runs must start from the same configuration"
    raise AssertionError(how)


@pytest.mark.parametrize("ensemble", ["orthogonal"], indirect=True)
@pytest.mark.parametrize(
    "how", ["empty", "truncated", "wrapped", "box", "missing", "nan", "elsewhere"]
)
def test_damaged_runs_are_named_and_nothing_is_written(ensemble, tmp_path, how):
    dumps, _, _ = ensemble
    message = spoil(dumps, how)
    done = targets(*dumps, "-o", "t{time}.npz", cwd=tmp_path)
    assert done.exit_code == 1
    assert done.stderr.strip().startswith("Error: ")
    assert dumps[-1].name in done.stderr
    assert message in done.stderr
    assert {path.suffix for path in tmp_path.iterdir()} == {".dump"}


@pytest.mark.parametrize("ensemble", ["orthogonal"], indirect=True)
def test_unsorted_ids_give_the_same(ensemble, tmp_path):
    """LAMMPS writes atoms in any order unless it is told to sort."""
    dumps, _, _ = ensemble
    assert targets(*dumps, "-o", tmp_path / "sorted.npz").exit_code == 0
    rng = np.random.default_rng(1)
    for path in dumps:
        lines = path.read_text().splitlines()
        for start in range(9, len(lines), N + 9):
            lines[start : start + N] = rng.permutation(lines[start : start + N]).tolist()
        path.write_text("\n".join(lines) + "\n")
    assert targets(*dumps, "-o", tmp_path / "unsorted.npz").exit_code == 0
    expected, found = read(tmp_path / "sorted.npz"), read(tmp_path / "unsorted.npz")
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


def test_cutoffs_are_in_diameters_of_the_mixture(ensemble, tmp_path):
    """Every length 3.4 times as long, in real units, with the diameter 3.4."""
    dumps, _, _ = ensemble
    assert targets(*dumps, "-o", tmp_path / "lj.npz").exit_code == 0
    for path in dumps:
        text = path.read_text()
        lines = text.splitlines()
        for k, line in enumerate(lines):
            words = line.split()
            if len(words) == 5 and words[0].isdigit():
                words[2:] = [f"{3.4 * float(x):.17g}" for x in words[2:]]
            elif len(words) in {2, 3} and "e" in words[0]:
                words = [f"{3.4 * float(x):.17g}" for x in words]
            lines[k] = " ".join(words)
        path.write_text("ITEM: UNITS\nreal\n" + "\n".join(lines) + "\n")
    refused = targets(*dumps, "-o", tmp_path / "real.npz")
    assert refused.exit_code == 1
    assert "in real units, where cutoffs need the diameter" in refused.stderr.replace("\n", " ")
    scaled = KOB_ANDERSEN.model_copy(
        update={
            "units": "real",
            "diameter": 3.4,
            "bond_lengths": tuple(tuple(3.4 * x for x in row) for row in KOB_ANDERSEN.bond_lengths),
        }
    )
    (tmp_path / "argon.toml").write_text(toml(scaled))
    done = targets(*dumps, "-o", tmp_path / "real.npz", "--mixture", tmp_path / "argon.toml")
    assert done.exit_code == 0, done.stderr
    lj, real = read(tmp_path / "lj.npz"), read(tmp_path / "real.npz")
    for key in ("center", "neighbor", "bond_breakage"):
        np.testing.assert_array_equal(real[key], lj[key], err_msg=key)
    for key in ("propensity", "R", "D", "C", "distance", "pair_distance_change"):
        np.testing.assert_allclose(real[key], 3.4 * lj[key], rtol=1e-9, atol=1e-9, err_msg=key)


def toml(mixture):
    keys = {"name", "units", "species", "masses", "fractions", "diameter"}
    content = mixture.model_dump(mode="json", include=keys)
    pairs = [
        f'"{a}-{b}" = {mixture.bond_lengths[i][j]}'
        for i, a in enumerate(mixture.species)
        for j, b in enumerate(mixture.species)
    ]
    lines = [f"{key} = {json.dumps(value)}" for key, value in content.items()]
    return "\n".join([*lines, "[bond_lengths]", *pairs])


@pytest.mark.parametrize("ensemble", ["orthogonal"], indirect=True)
def test_output_and_input_are_different_files(ensemble, tmp_path):
    dumps, _, _ = ensemble
    before = dumps[1].read_bytes()
    done = targets(*dumps, "-o", dumps[1])
    assert done.exit_code == 1
    assert "is read too; give the output another name" in done.stderr
    assert dumps[1].read_bytes() == before
    done = targets(dumps[0], *dumps, "-o", tmp_path / "t.npz")
    assert "given twice" in done.stderr


@pytest.mark.parametrize("ensemble", ["orthogonal"], indirect=True)
def test_a_full_disk_is_named_and_leaves_nothing(ensemble, tmp_path):
    """Files may not grow beyond 10 blocks of 1024 bytes here."""
    dumps, _, _ = ensemble
    words = " ".join(map(str, [BIN / "lammps-botan", "targets", *dumps, "-o", tmp_path / "t.npz"]))
    script = f"trap '' XFSZ; ulimit -f 10; {words}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "t.npz" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("t.npz*"))


@pytest.mark.parametrize("ensemble", ["orthogonal"], indirect=True)
@pytest.mark.parametrize("option", [("--dt", "-1"), ("--dt", "0"), ("--time", "nan")])
def test_times_that_are_none_are_refused(ensemble, tmp_path, option):
    dumps, _, _ = ensemble
    done = targets(*dumps, "-o", tmp_path / "t.npz", *option)
    assert done.exit_code > 0
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("t.npz*"))


def test_one_frame_is_no_run(tmp_path):
    path = write(tmp_path / "run.dump", frame(np.ones((5, 3)), np.eye(3) * 6))
    done = targets(path, "-o", tmp_path / "targets.npz")
    assert done.exit_code == 1
    assert "one frame only" in done.stderr


@needs_public_data
def test_targets_of_configuration_401_are_the_public_ones():
    reference = reference_graph()
    found = ground_truth(read_ensemble(CONFIGURATION_401))
    np.testing.assert_allclose(found["propensity"], reference["propensity"], atol=1e-5)
    np.testing.assert_allclose(
        found["pair_distance_change"], reference["pair_distance_change"], atol=1e-5
    )

"""`fix botan` with a model that has a fallback, which predicts until the history is full."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from fix_toys import HAS_TORCH, Walks, save_all, save_model, save_remembering
from lmp import Finished, liquid, read_dump, run_lmp
from model_archives import with_extra_file
from test_fix_errors import check_fails
from toy_inputs import save_history

from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration

pytestmark = [pytest.mark.slow, pytest.mark.long]

DT = 0.005
EVERY = 10
ROUNDING = 2e-5
# with the fallback, without one, and the fallback alone
FIXES = "".join(
    f"fix {name} all botan 10 {model}.pt A B\n"
    for name, model in (("a", "m"), ("b", "plain"), ("c", "thermal"))
)
OUTPUT = """
dump g all custom 10 g.txt id type x y z f_a f_b f_c
dump_modify g format float %.9g append yes
dump d all local 10 d.txt f_a[1] f_a[2] f_a[4] f_b[4] f_c[4]
dump_modify d format float %.9g append yes
thermo 10
thermo_style custom step f_a f_b f_c f_a[1] f_c[1] f_a[4] f_a[6] f_b[6]
thermo_modify format float %.9g
"""
AGAIN = "units lj\nread_restart r.restart\nneighbor 0.3 bin\nfix integrate all nve/limit 0.05\n"
WAITS = r"(\d+) % of the history is there at step (\d+); values are those of the fallback \(botan, "
FULL_AT = r"Fix botan: the history is full at step (\d+); values are those of the model\n"


def shares(finished: Finished) -> dict[float, float]:
    """By step; of a step that ends a run and begins another one, the later."""
    return {row["Step"]: row["f_a[6]"] for row in finished.thermo()}


def check_values(folder: Path, share: dict[float, float]) -> None:
    """Of atoms and bonds: those of the fallback below a share of 1, and those of the model at 1."""
    kinds = set()
    for atoms, bonds in zip(*(read_dump(folder / f"{n}.txt") for n in "gd"), strict=True):
        is_full = share[atoms.step] == 1
        kinds.add(is_full)
        for frame, column in ((atoms, "f_{}"), (bonds, "f_{}[4]")):
            ours, plain, thermal = (frame[column.format(name)] for name in "abc")
            assert plain.any() == is_full
            assert np.ptp(thermal) > 0.01
            np.testing.assert_allclose(ours, plain if is_full else thermal, atol=ROUNDING)
    assert kinds == {True, False}


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_values_are_those_of_the_fallback_until_the_history_is_full(tmp_path, ranks):
    """And then those of the model; averages and the share of the window go with them."""
    save_all(tmp_path)
    finished = run_lmp(liquid() + FIXES + OUTPUT + "run 60", tmp_path, ranks=ranks)
    share = shares(finished)
    assert share == pytest.approx({0: 1 / 6, 10: 3 / 6, 20: 5 / 6, 30: 1, 40: 1, 50: 1, 60: 1})
    check_values(tmp_path, share)
    for row in finished.thermo():
        assert row["f_a[6]"] == row["f_b[6]"]
        assert row["f_a[4]"] > 1000
        is_full = row["f_a[6]"] == 1
        assert row["f_a"] == pytest.approx(row["f_b" if is_full else "f_c"], abs=ROUNDING)
        assert (row["f_a[1]"] == pytest.approx(row["f_c[1]"], abs=ROUNDING)) != is_full


def test_the_fallback_in_the_fix_is_that_in_python(tmp_path):
    save_all(tmp_path)
    run_lmp(liquid() + FIXES + OUTPUT + "run 20", tmp_path, ranks=2)
    frame = read_dump(tmp_path / "g.txt")[-1]
    configuration = Configuration(
        positions=frame.positions,
        species=frame["type"].astype(int) - 1,
        box=Box(frame.cell, frame.periodic),
    )
    fallback = Predictor(tmp_path / "m.pt").fallback
    np.testing.assert_allclose(
        frame["f_a"], fallback.predict(configuration).node[:, 0], atol=ROUNDING
    )


def test_the_log_says_who_predicts(tmp_path):
    """Once when the fallback begins, once when the model does, and anew after a break."""
    save_all(tmp_path)
    fix = "fix a all botan 10 m.pt A B\n"
    runs = "run 50\ndisplace_atoms all move 0.1 0 0\nrun 50"
    output = run_lmp(liquid() + fix + runs, tmp_path, ranks=2).output
    loaded = r"its fallback, until the history is full: botan, temperature 0.44, density 1.2, lag "
    assert len(re.findall(loaded, output)) == 1
    # after the break samples are those of steps 50, 55, ...
    assert re.findall(WAITS, output) == [("17", "0"), ("17", "50")]
    assert re.findall("until step ([0-9]+), the first with a prediction of the mo", output) == [
        "30",
        "80",
    ]
    assert re.findall(FULL_AT, output) == ["30", "80"]


def test_a_model_without_a_fallback_is_not_said_to_have_one(tmp_path):
    save_remembering(tmp_path / "m.pt")
    output = run_lmp(liquid() + "fix a all botan 10 m.pt A B\nrun 40", tmp_path).output
    assert "values are 0 until step 30, the first with a prediction. Samples" in output
    assert "fallback" not in output
    assert not re.findall(FULL_AT, output)


@pytest.mark.parametrize("ranks", [(1, 2), (4, 1)])
@pytest.mark.parametrize("steps", [13, 40])
def test_a_restart_goes_on_with_whom_it_was(tmp_path, ranks, steps):
    """Before the history is full, and after it."""
    save_all(tmp_path)
    first = f"{liquid()}{FIXES}{OUTPUT}run {steps}\nwrite_restart r.restart"
    share = shares(run_lmp(first, tmp_path, ranks=ranks[0]))
    again = f"{AGAIN}{FIXES}{OUTPUT}run {60 - steps}"
    finished = run_lmp(again, tmp_path, ranks=ranks[1])
    share |= shares(finished)
    assert [share[step] == 1 for step in (0, 10, 20, 30, 40, 50, 60)] == [False] * 3 + [True] * 4
    check_values(tmp_path, share)
    assert bool(re.findall(WAITS, finished.output)) == (steps == 13)
    assert re.findall(FULL_AT, finished.output) == (["30"] if steps == 13 else [])


def test_the_first_step_and_snapshots_that_are_apart_have_predictions(tmp_path):
    """Of the fallback: `run 0`, and a rerun of a file that lacks samples."""
    save_all(tmp_path)
    run_lmp(liquid() + "dump s all custom 20 s.txt id x y z\nrun 60", tmp_path)
    finished = run_lmp(liquid() + FIXES + OUTPUT + "run 0", tmp_path)
    assert finished.thermo()[0]["f_a"] == finished.thermo()[0]["f_c"] != 0
    (tmp_path / "g.txt").unlink()
    finished = run_lmp(liquid() + FIXES + OUTPUT + "rerun s.txt dump x y z", tmp_path)
    assert max(shares(finished).values()) == pytest.approx(1 / 6)
    frames = read_dump(tmp_path / "g.txt")
    assert len(frames) == 4
    for frame in frames:
        np.testing.assert_allclose(frame["f_a"], frame["f_c"], atol=ROUNDING)


def test_a_box_that_changes_is_scored_by_the_fallback(tmp_path):
    save_all(tmp_path)
    npt = "fix integrate all npt temp 1.0 1.0 0.5 tri 5.0 5.0 1.0"
    prism = liquid(region="prism 0 3 0 3 0 3 0.3 0.1 -0.2")
    script = prism.replace("fix integrate all nve/limit 0.05", npt)
    finished = run_lmp(script + FIXES + OUTPUT + "run 40", tmp_path, ranks=2)
    check_values(tmp_path, shares(finished))


def test_predictions_of_the_fallback_are_not_verified(tmp_path):
    """What `verify yes` says is about the model: its first prediction comes first."""
    save_all(tmp_path, lag_times=(20 * DT,))
    fix = "fix a all botan 10 m.pt A B verify yes\nthermo 10\n"
    script = liquid() + fix + "thermo_style custom step f_a f_a[6] f_a[8] f_a[9]\n"
    rows = run_lmp(script + "run 60", tmp_path, ranks=2).thermo()
    assert [row["f_a[9]"] == 1 for row in rows] == [False] * 3 + [True] * 4
    assert all(row["f_a"] for row in rows)
    # begun at 30 and 40, and not at 0, 10 and 20
    assert [row["f_a[8]"] for row in rows] == [0, 0, 0, 0, 0, 1, 2]


def test_the_memory_of_the_fallback_is_given_back(tmp_path):
    """The engine keeps 24 kB for each particle from one scoring to the next."""
    save_all(tmp_path)
    script = liquid("6 6 6") + "fix a all botan 10 m.pt A B\nrun 0\nrun 40\nrun 0"
    finished = run_lmp(script, tmp_path)
    found = re.findall(r"memory allocation \(min/avg/max\) = ([0-9.]+)", finished.output)
    waiting, _, full = map(float, found)  # MB
    assert waiting - full > 864 * 0.015


# --- what is refused ------------------------------------------------------------------------------


# of `GivenBack`, and of a thermal toy with as many
OUTPUTS = [f"walks_{k}" for k in range(10 if HAS_TORCH else 2)]
EDGES = ["edge_0"] if HAS_TORCH else ["edge_0", "edge_0_std"]
WORDS = "`lammps-botan export MODEL -o NEW.pt --fallback OTHER` adds another fallback"


def listed(names: list[str]) -> str:
    """As the fix prints them."""
    return json.dumps(names, separators=(",", ":"))


WIDER = {"bond_lengths": [[1.4, 1.08], [1.08, 1.188]]}
OTHERS = {
    "units": ({"mixture": {"units": "metal"}}, 'the units of the model, "lj", found "metal"'),
    "species": (
        {"mixture": {"species": ["B", "A"]}},
        'the species of the model, ["A","B"], found ["B","A"]',
    ),
    "dimension": ({"mixture": {"dimension": 2}}, "the dimension of the model, 3, found 2"),
    "bond lengths": ({"mixture": WIDER}, "the bond lengths of the model, [[1.35,1.08],[1.08,1.18"),
    "cutoff": ({"cutoff": 1.5}, "expected the cutoff of the model, 2.0, found 1.5"),
    "node outputs": (
        {"node_outputs": OUTPUTS[::-1]},
        f"the node outputs of the model, {listed(OUTPUTS)}, found {listed(OUTPUTS[::-1])}",
    ),
    "edge outputs": ({"edge_outputs": ["change"]}, f'{listed(EDGES)}, found ["change"]'),
    "lag times": ({"lag_times": [1.0]}, "the lag times of the model, [], found [1.0]"),
}
PLAIN = {"edge_outputs": EDGES, "node_outputs": OUTPUTS}


def with_fallback(folder: Path, content: bytes) -> Path:
    save_history(folder / "plain.pt")
    return with_extra_file(folder / "plain.pt", folder / "m.pt", "fallback.pt", content)


def thermal(folder: Path, **changes: object) -> bytes:
    return save_model(folder / "t.pt", Walks(node_outputs=len(OUTPUTS)), **changes).read_bytes()


def test_a_toy_with_the_same_outputs_is_taken(tmp_path):
    with_fallback(tmp_path, thermal(tmp_path))
    finished = run_lmp(liquid() + "fix g all botan 10 m.pt A B\nrun 0", tmp_path)
    found = re.search(
        r"its fallback, until the history is full: toy on cpu \((\w+)", finished.output
    )
    assert (found[1] == "torch") == HAS_TORCH


@pytest.mark.parametrize("case", OTHERS)
def test_a_fallback_for_something_else_is_refused(tmp_path, case):
    """On all ranks, with both values."""
    changes, message = OTHERS[case]
    with_fallback(tmp_path, thermal(tmp_path, **changes))
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    check_fails(tmp_path, script, "the fallback of model file m.pt: expected", message, ranks=2)


DAMAGES = {
    "text": (lambda folder: b"hello", "not a TorchScript archive"),
    "an older format": (
        lambda folder: thermal(folder, format_version=1),
        "it has format_version 1, and this plugin reads 2 and 3",
    ),
    "no metadata": (lambda folder: thermal(folder, drop="cutoff"), "has no key 'cutoff'"),
    "a history": (
        lambda folder: save_history(folder / "h.pt").read_bytes(),
        "it sees more than positions and species",
    ),
    "fewer outputs than it says": (
        lambda folder: save_model(folder / "t.pt", **PLAIN).read_bytes(),
        "the fallback of model file m.pt: it fails on an empty graph"
        if HAS_TORCH
        else "the networks in the file have node outputs 1, and metadata.json says 2",
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_fallback_is_named(tmp_path, case):
    content, message = DAMAGES[case]
    with_fallback(tmp_path, content(tmp_path))
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    check_fails(tmp_path, script, "the fallback of model file m.pt", message)


def test_a_fallback_has_none_of_its_own(tmp_path):
    inner = thermal(tmp_path)
    save_history(tmp_path / "plain.pt")
    outer = with_extra_file(tmp_path / "t.pt", tmp_path / "o.pt", "fallback.pt", inner)
    with_extra_file(tmp_path / "plain.pt", tmp_path / "m.pt", "fallback.pt", outer.read_bytes())
    script = liquid("2 2 2") + "fix g all botan 10 {} A B"
    message = "the fallback of model file m.pt: it has a fallback of its own"
    check_fails(tmp_path, script.format("m.pt"), message)
    message = "model file o.pt has a fallback, which is for models that see a history"
    check_fails(tmp_path, script.format("o.pt"), message)

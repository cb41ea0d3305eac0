"""`fix botan` with BOTAN that sees histories and inherent structures, by the compiled engine."""

import engine_networks
import numpy as np
import pytest
from fix_toys import HAS_TORCH, needs_torch, save_thermal
from lmp import liquid, read_dump, run_lmp
from minimized import MINIMIZE, smooth
from toy_history import CUTOFF, Window, history

from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.history import History

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROUNDING = 2e-5  # the order of sums in float32
BY_TORCH = pytest.param(2, "torch", marks=needs_torch)
# what the engine is compared with: torch, or itself with the simplest instructions
REFERENCE = "torch" if HAS_TORCH else "portable"
WINDOW = Window(parts=3, per_part=4, stride=5)
PAST = HistoryInput(**WINDOW.inputs()["history"])
SEES = {
    "history": Inputs(history=PAST),
    "inherent": Inputs(inherent=InherentInput(force=0.1)),
    "both": Inputs(history=PAST, inherent=InherentInput(force=0.1)),
}
SCRIPT = """
fix mob all botan 60 m.pt A B {words}
compute e all pe/atom
dump s all custom 5 s.txt id xsu ysu zsu xu yu zu c_e
dump_modify s format float %.17g
dump g all custom 60 g.txt id type x y z xsu ysu zsu xu yu zu f_mob{column}
dump_modify g format float %.17g
dump b all local 60 b.txt f_mob[1] f_mob[2] f_mob[3] f_mob[4]
dump_modify b format float %.17g
run 60
"""


def write(path, inputs, *seeds, fallback=None):
    """A model file of BOTAN with random weights, or of several as a committee."""
    if not HAS_TORCH:
        members = [engine_networks.random_botan(inputs, seed) for seed in seeds]
        engine_networks.save(path, members, inputs, fallback)
        return
    from engines import physics
    from symmetry import INPUTS, botan

    from lammps_botan.network.checkpoint import Checkpoint
    from lammps_botan.network.export import export

    (name,) = [name for name, known in INPUTS.items() if known.names == inputs.names]
    members = [Checkpoint(botan(name, seed=seed), physics(inputs=inputs)) for seed in seeds]
    export(members, path, fallback)


def write_linear(path, name):
    """A model file of the linear network with random weights."""
    inputs = SEES.get(name, Inputs())
    if not HAS_TORCH:
        engine_networks.save(path, [engine_networks.random_linear(inputs)], inputs)
        return
    from engines import physics
    from linear_equations import make_network

    from lammps_botan.network.checkpoint import Checkpoint
    from lammps_botan.network.export import export

    network = make_network(name)
    export(Checkpoint(network, physics(inputs=inputs, cutoff=network.cutoff)), path)


def score(folder, *, ranks=1, words="", column="", **box):
    """The last frame, its predictions of atoms, those of bonds by IDs, and what LAMMPS printed."""
    script = liquid(**({"cells": "4 3 3"} | box)).replace("nve/limit 0.05", "nve/limit 0.1")
    run = run_lmp(script + SCRIPT.format(words=words, column=column), folder, ranks=ranks)
    scored, bonds = (read_dump(folder / f"{name}.txt")[-1] for name in "gb")
    rows = np.column_stack([bonds[f"f_mob[{k}]"] for k in (1, 2, 3, 4)])
    # images of one neighbor are told apart by their distance
    rows = rows[np.lexsort(rows[:, :3].round(9).T[::-1])]
    return scored, scored[f"f_mob{column}"], rows, run.output


def by_python(folder, scored):
    """What the model file predicts for the frame, with the history of all samples before it."""
    numbers = history(read_dump(folder / "s.txt"), WINDOW, scored)
    here = Configuration(
        positions=scored.positions,
        species=scored["type"].astype(int) - 1,
        box=Box(scored.cell, (True, True, True)),
        history=History(
            window=PAST.window,
            displacement=numbers[:, :3],
            variance=numbers[:, 3],
            energy=numbers[:, 4],
        ),
    )
    return Predictor(folder / "m.pt").predict(here)


def assert_close(found, expected, tolerance=ROUNDING):
    assert np.std(expected) > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def assert_same(node, bonds, expected):
    """Predictions of atoms and bonds, and those of Python."""
    assert_close(node, expected.node[:, 0])
    graph = expected.graph
    pairs = zip(graph.center + 1, graph.neighbor + 1, strict=True)
    changes = dict(zip(pairs, expected.edge[:, 0], strict=True))
    assert len(bonds) > 1000
    assert_close(bonds[:, 3], [changes[int(i), int(j)] for i, j in bonds[:, :2]])


@pytest.mark.parametrize(("ranks", "engine"), [(1, ""), (2, ""), (4, ""), BY_TORCH])
def test_atoms_and_bonds_are_predicted_as_by_python(tmp_path, monkeypatch, ranks, engine):
    """Also those whose neighbors, or the neighbors of these, belong to another rank."""
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", engine)
    write(tmp_path / "m.pt", SEES["history"], 1)
    scored, node, bonds, printed = score(tmp_path, ranks=ranks)
    assert ("on cpu (torch)" in printed) == (engine == "torch")
    monkeypatch.delenv("LAMMPS_BOTAN_ENGINE")
    expected = by_python(tmp_path, scored)
    assert_same(node, bonds, expected)
    assert expected.graph.cutoff == CUTOFF


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("name", ["thermal", "history"])
def test_the_linear_network_predicts_as_by_torch(tmp_path, monkeypatch, ranks, name):
    """In Python, or as the engine with the simplest instructions."""
    write_linear(tmp_path / "m.pt", name)
    scored, node, bonds, printed = score(tmp_path, ranks=ranks)
    assert "on cpu (torch)" not in printed
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", REFERENCE)
    assert_same(node, bonds, by_python(tmp_path, scored))


@pytest.mark.parametrize("engine", ["", pytest.param("torch", marks=needs_torch)])
def test_the_fallback_predicts_until_the_history_is_full(tmp_path, monkeypatch, engine):
    """Which is at step 55 here; a fix with the fallback alone runs beside it."""
    save_thermal(tmp_path / "alone.pt")
    write(tmp_path / "m.pt", SEES["history"], 1, fallback=tmp_path / "alone.pt")
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", engine)
    fixes = "".join(f"fix {name} all botan 20 {name}.pt A B\n" for name in ("m", "alone"))
    dump = "dump g all custom 20 g.txt id type x y z f_m f_alone\nrun 60"
    printed = run_lmp(liquid() + fixes + dump, tmp_path, ranks=2).output
    assert "Fix botan: the history is full at step 60; values are those of the model" in printed
    *before, full = read_dump(tmp_path / "g.txt")
    assert [frame.step for frame in before] == [0, 20, 40]
    for frame in before:
        assert_close(frame["f_m"], frame["f_alone"])
    assert np.abs(full["f_m"] - full["f_alone"]).max() > 0.01


BOXES = {
    "smaller than a cutoff": {"cells": "1 1 1"},
    "a slab, ranks without atoms": {
        "cells": "4 4 4",
        "before_box": "processors 4 1 1",
        "after_box": "region left block 0 1.2 INF INF INF INF\ngroup left region left\n"
        "group right subtract all left\ndelete_atoms group right",
    },
    "tilted": {"region": "prism 0 3 0 3 0 3 0.9 0.4 -0.7", "ranks": 2},
    "threads": {"words": "threads 3", "ranks": 2},
}


def compare(folder, monkeypatch, tolerance=ROUNDING, words="", **case):
    """By the engine and by the code in the model file, which the same atoms are given to."""
    outcomes = []
    for engine in (REFERENCE, ""):
        monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", engine)
        outcomes.append(score(folder, words="" if engine else words, **case))
        assert ("on cpu (torch)" in outcomes[-1][3]) == (engine == "torch")
    (_, node, bonds, _), (_, found, found_bonds, _) = outcomes
    np.testing.assert_array_equal(found_bonds[:, :2], bonds[:, :2])
    assert_close(found, node, tolerance)
    assert_close(found_bonds[:, 3], bonds[:, 3], tolerance)


@pytest.mark.parametrize("case", BOXES)
def test_the_engine_in_unusual_boxes(tmp_path, monkeypatch, case):
    write(tmp_path / "m.pt", SEES["history"], 1)
    compare(tmp_path, monkeypatch, **({"ranks": 4} | BOXES[case]))


AT_THE_MINIMUM = """
fix g all botan 10 m.pt A B
dump g all custom 10 g.txt id type x y z xu yu zu f_g
dump_modify g format float %.17g sort id
run 10
"""


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_inherent_structures_are_seen_as_by_python(tmp_path, ranks):
    """Python is given the minimum that the simulation itself finds."""
    force = 1e-4
    write(tmp_path / "m.pt", Inputs(inherent=InherentInput(force=force)), 2)
    script = smooth(liquid("3 3 3")) + AT_THE_MINIMUM + MINIMIZE.format(force=force)
    run_lmp(script, tmp_path, ranks=ranks)
    (_, scored), (after,) = (read_dump(tmp_path / f"{name}.txt") for name in ("g", "after"))
    seen = Configuration(
        positions=scored.positions,
        species=scored["type"].astype(int) - 1,
        box=Box(scored.cell, (True, True, True)),
        inherent_positions=np.stack([after[axis] for axis in ("xu", "yu", "zu")], axis=1),
        inherent_energies=after["c_e"],
    )
    assert_close(scored["f_g"], Predictor(tmp_path / "m.pt").predict(seen).node[:, 0])


@pytest.mark.parametrize("name", ["inherent", "both"])
@pytest.mark.parametrize("ranks", [1, 2])
def test_the_engine_sees_inherent_structures(tmp_path, monkeypatch, name, ranks):
    write(tmp_path / "m.pt", SEES[name], 1)
    compare(tmp_path, monkeypatch, ranks=ranks)


@pytest.mark.parametrize("column", ["[1]", "[2]"])
def test_a_committee_is_exchanged_before_the_first_round_too(tmp_path, monkeypatch, column):
    write(tmp_path / "m.pt", SEES["history"], 1, 2)
    compare(tmp_path, monkeypatch, ranks=2, column=column)


def test_bfloat16_is_close(tmp_path, monkeypatch):
    write(tmp_path / "m.pt", SEES["history"], 1)
    compare(tmp_path, monkeypatch, tolerance=0.03, ranks=2, words="precision bfloat16")

"""`fix botan` by the compiled engine: equal to the code in the model file, on any ranks."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from engine_networks import random_botan, save
from fix_toys import HAS_TORCH
from lmp import liquid, of_types, read_dump, run_lmp
from toy_metadata import mixture

pytestmark = pytest.mark.slow

# what the engine is compared with: torch, or itself with the simplest instructions
REFERENCE = "torch" if HAS_TORCH else "portable"
PROCESSOR = set(Path("/proc/cpuinfo").read_text().split())  # flags of it, among other words
INSTRUCTIONS = ["portable", "avx2", "avx512"]

ROUNDING = 2e-5  # the order of sums in float32

SCRIPT = """
fix mob all botan 10 {model} {species} {words}
dump atoms all custom 10 atoms.dump id f_mob{column}
dump_modify atoms sort id format float %.9g
dump bonds all local 10 bonds.dump f_mob[1] f_mob[2] f_mob[3] f_mob[4]
dump_modify bonds format float %.9g
run 10
"""


def score(
    folder,
    engine,
    monkeypatch,
    *,
    model="m.pt",
    species="A B",
    words="",
    ranks=1,
    column="",
    **box,
):
    """Node and edge outputs of two steps by IDs, and what LAMMPS printed.

    The liquid is another one on another number of ranks.
    """
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", engine)
    start = liquid(**box) if species == "A B" else of_types(liquid(**box), len(species.split()))
    run = run_lmp(start + SCRIPT.format(**locals()), folder, ranks=ranks)
    atoms = [frame[f"f_mob{column}"] for frame in read_dump(folder / "atoms.dump")]
    bonds = []
    for frame in read_dump(folder / "bonds.dump"):
        rows = np.column_stack([frame[f"f_mob[{k}]"] for k in (1, 2, 3, 4)])
        # images of one neighbor are told apart by their distance
        bonds.append(rows[np.lexsort(rows.T[2::-1])])
    return np.array(atoms), np.vstack(bonds), run.output


def write(path, *seeds):
    """A model file of BOTAN with random weights, or of several as a committee."""
    if not HAS_TORCH:
        save(path, [random_botan(seed=seed) for seed in seeds])
        return
    import engines

    engines.write(path, *[engines.network(seed) for seed in seeds])


def skip_unless_available(instructions):
    """By torch, or by the processor; not by the engine."""
    if HAS_TORCH:
        from engines import available

        is_there = available(instructions)
    else:
        needed = {"portable": set(), "avx2": {"avx2"}, "avx512": {"avx512f"}}
        is_there = needed[instructions] <= PROCESSOR
    if not is_there:
        pytest.skip(f"no {instructions} in this processor")


def assert_same(found, expected, tolerance=ROUNDING):
    np.testing.assert_allclose(found[0], expected[0], atol=tolerance * np.abs(expected[0]).max())
    np.testing.assert_array_equal(found[1][:, :2], expected[1][:, :2])
    outputs = expected[1][:, 3]
    np.testing.assert_allclose(found[1][:, 3], outputs, atol=tolerance * np.abs(outputs).max())


@pytest.mark.parametrize("instructions", INSTRUCTIONS)
@pytest.mark.parametrize("ranks", [1, 2])
def test_all_instructions_give_what_the_model_file_gives(
    tmp_path, monkeypatch, instructions, ranks
):
    skip_unless_available(instructions)
    write(tmp_path / "m.pt", 1)
    expected = score(tmp_path, REFERENCE, monkeypatch, ranks=ranks)
    assert f"on cpu ({REFERENCE})" in expected[2]
    found = score(tmp_path, instructions, monkeypatch, ranks=ranks)
    assert f"on cpu ({instructions})" in found[2]
    assert_same(found, expected)


BOXES = {
    "smaller than a cutoff": {"cells": "1 1 1"},
    "a slab, ranks without atoms": {
        "cells": "4 4 4",
        "before_box": "processors 4 1 1",
        "after_box": "region left block 0 1.2 INF INF INF INF\ngroup left region left\n"
        "group right subtract all left\ndelete_atoms group right",
    },
    "threads": {"words": "threads 3"},
}


@pytest.mark.parametrize("case", BOXES)
def test_the_engine_in_unusual_boxes_on_4_ranks(tmp_path, monkeypatch, case):
    write(tmp_path / "m.pt", 1)
    expected = score(tmp_path, REFERENCE, monkeypatch, ranks=4, **BOXES[case])
    found = score(tmp_path, "", monkeypatch, ranks=4, **BOXES[case])
    assert "(torch)" not in found[2]
    assert_same(found, expected)


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize("ranks", [1, 2])
def test_one_hot_species_are_a_table(tmp_path, monkeypatch, ranks, n_members):
    """Three species, of which BOTAN is told as columns and not as a number."""
    import engines
    import torch

    from lammps_botan.network.botan import Botan

    members = [Botan(3, 64, n_species=3) for _ in range(n_members)]
    for seed, model in enumerate(members):
        weights = engines.network(seed).state_dict()
        first = torch.randn(64, 3, generator=torch.Generator().manual_seed(seed))
        model.load_state_dict({**weights, "node_encoder.fc1.weight": first})
    engines.write(tmp_path / "m.pt", *members, mixture=mixture("A", "B", "C"))
    given = {"species": "A B C", "ranks": ranks, "column": "[1]" if n_members > 1 else ""}
    expected = score(tmp_path, "torch", monkeypatch, **given)
    found = score(tmp_path, "", monkeypatch, **given)
    assert "(torch)" not in found[2]
    assert_same(found, expected)


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_committee_is_exchanged_and_averaged(tmp_path, monkeypatch, ranks):
    write(tmp_path / "m.pt", 1, 2)
    for column in ("[1]", "[2]"):
        expected = score(tmp_path, REFERENCE, monkeypatch, column=column, ranks=ranks)
        found = score(tmp_path, "", monkeypatch, column=column, ranks=ranks)
        assert "(torch)" not in found[2]
        assert_same(found, expected)


@pytest.mark.parametrize("size", [1.0, 1e-6])
def test_a_file_with_the_weights_but_another_formula_is_computed_by_torch(
    tmp_path, monkeypatch, size
):
    import engines

    from lammps_botan.network.botan import Botan

    state = engines.network().state_dict()
    state["output.weight"] *= size
    state["output.bias"] *= size
    for model, by_torch in ((Botan(3, 64), False), (engines.Doubled(3, 64), True)):
        model.load_state_dict(state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tests/test_engine_scoring.py has that of Doubled
            engines.write(tmp_path / "m.pt", model)
        assert ("on cpu (torch)" in score(tmp_path, "", monkeypatch)[2]) == by_torch


@pytest.mark.parametrize("instructions", INSTRUCTIONS)
@pytest.mark.parametrize("ranks", [1, 2])
def test_bfloat16_is_close(tmp_path, monkeypatch, instructions, ranks):
    skip_unless_available(instructions)
    multiplies = instructions == "avx512" and "avx512_bf16" in PROCESSOR
    engine = "avx512_bf16" if multiplies else f"{instructions}+bfloat16"
    given = {"model": "ka-t064", "ranks": ranks, "density": 1.0}
    expected = score(tmp_path, REFERENCE, monkeypatch, **given)
    found = score(tmp_path, instructions, monkeypatch, words="precision bfloat16", **given)
    assert f"on cpu ({engine})" in found[2]
    for ours, theirs in ((found[0], expected[0]), (found[1][:, 3], expected[1][:, 3])):
        error = np.abs(ours - theirs)
        # outputs are of order 1; docs/notes/performance.md has .01 to .02
        assert 1e-5 < error.max() < 0.03


FAILURES = {
    "no precision": (64, "", "precision double", "precision must be float32 or bfloat16, got"),
    "other network": (32, "", "precision bfloat16", "is for BOTAN with 64 features on device cpu"),
    "no engine": (64, "torch", "precision bfloat16", "is computed by torch here: write `precision"),
    "unknown engine": (64, "sse9", "", "LAMMPS_BOTAN_ENGINE must be avx512 or avx2"),
}


@pytest.mark.parametrize("case", FAILURES)
@pytest.mark.parametrize("ranks", [1, 2])
def test_what_cannot_be_is_said(tmp_path, monkeypatch, case, ranks):
    width, engine, words, message = FAILURES[case]
    if engine == "torch" and not HAS_TORCH:
        pytest.skip("torch is not installed")
    if width == 64:
        write(tmp_path / "m.pt", 1)
    else:
        import engines

        engines.write(tmp_path / "m.pt", engines.network(width=width))
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", engine)
    script = liquid("2 2 2") + f"fix mob all botan 10 m.pt A B {words}"
    run = run_lmp(script, tmp_path, ranks=ranks, succeeds=False)
    assert run.returncode != 0
    assert message in run.error

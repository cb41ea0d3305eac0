"""Levels of bonds: their four-point amplitude, from a list that has each bond once."""

import itertools

import numpy as np
import pytest
from evaluations import write
from toy_models import save_model

from lammps_botan.evaluation.evaluate import evaluate

BOX = 5.0
LENGTHS = {"A-A": 1.35, "A-B": 1.08}
WAVES = [n for n in itertools.product((-1, 0, 1), repeat=3) if n > (0, 0, 0)]


def bonds_of(path, name):
    """Middle [n, 3] and length of each bond [n], and its change in each run [n_runs, n]."""
    with np.load(path) as content:
        types, initial, final = (content[k] for k in ("types", "initial_positions", "positions"))
    first, second = np.triu_indices(len(types), 1)  # each pair once
    apart = initial[first] - initial[second]
    apart -= BOX * np.rint(apart / BOX)
    start = np.linalg.norm(apart, axis=1)
    kinds = np.sort(np.array(["A", "B"])[types][np.stack([first, second], axis=1)], axis=1)
    some = (start < LENGTHS[name]) & (np.array(["-".join(two) for two in kinds]) == name)
    moved = final[:, first[some]] - final[:, second[some]]
    moved -= BOX * np.rint(moved / BOX)
    middles = initial[second[some]] + apart[some] / 2
    return middles, start[some], np.linalg.norm(moved, axis=2) - start[some]


def waves_of(values, middles):
    phases = np.exp(2j * np.pi / BOX * middles @ np.transpose(WAVES))
    return (values - values.mean()) @ phases


@pytest.mark.parametrize("name", list(LENGTHS))
def test_each_bond_counts_once_in_the_amplitude(name, tmp_path):
    """The toy predicts the length of a bond."""
    path = write(tmp_path / "c.npz", n_runs=200)
    found = evaluate([save_model(tmp_path / "toy.pt")], [path])
    middles, lengths, changes = bonds_of(path, name)
    n = len(lengths)
    assert n > 50
    predicted = np.mean(np.abs(waves_of(lengths, middles)) ** 2) / n
    level = found["models"][0]["levels"]["E"][name]
    assert level["amplitude"] == pytest.approx(predicted, rel=1e-5)
    waves = [waves_of(run, middles) for run in changes]
    common = [np.mean((a * b.conj()).real) / n for a, b in itertools.combinations(waves, 2)]
    perfect = found["ceiling"]["levels"]["E"][name]
    assert perfect["amplitude"] == pytest.approx(np.mean(common), rel=1e-9)
    assert level["amplitude_ratio"] == pytest.approx(predicted / np.mean(common), rel=1e-5)

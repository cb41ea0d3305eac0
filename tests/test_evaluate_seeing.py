"""`lammps-botan evaluate` of models that see histories, on files that hold them."""

import numpy as np
import pytest
from engines import physics
from evaluations import run
from liquids import NO_GLASS
from seeing import SEES, Sees, expected_outputs, seen

from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.network.checkpoint import NETWORKS, Checkpoint
from lammps_botan.network.export import export
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import KOB_ANDERSEN

CUTOFF = 1.5


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setitem(NETWORKS, "sees", Sees)
    network = Checkpoint(Sees(["history"]), physics(cutoff=CUTOFF, inputs=SEES["history"]))
    export(network, tmp_path / "sees.pt")
    return tmp_path / "sees.pt"


def ensembles(history=True):
    """Four configurations whose particles move the farther, the larger their variance is."""
    for seed in range(4):
        start = seen(90, seed=seed)
        known = {"history": start.history if history else None, "mixture": KOB_ANDERSEN}
        start = type(start)(**(vars(start) | known))
        rng = np.random.default_rng(seed + 10)
        moved = rng.normal(size=(3, 90, 3)) * seen(90, seed=seed).history.variance[:, None]
        yield Ensemble(configuration=start, final=start.positions + moved, lag_time=4120.0)


def test_rho_is_that_of_loops(model, tmp_path):
    files, expected = [], []
    for k, ensemble in enumerate(ensembles()):
        files.append(tmp_path / f"c{k}.npz")
        write_ensemble(files[-1], ensemble, histories=[[ensemble.configuration.history]])
        node, _ = expected_outputs(ensemble.configuration, "history", CUTOFF)
        propensity = np.linalg.norm(ensemble.final - ensemble.initial, axis=2).mean(axis=0)
        of_a = ensemble.species == 0
        expected.append(np.corrcoef(node[of_a], propensity[of_a])[0, 1])
    (found,) = evaluate([model], files)["models"]
    assert found["S"]["A"]["per_configuration"] == pytest.approx(expected, abs=1e-6)
    assert found["E"]["A-A"]["n_configurations"] == 4


@pytest.mark.filterwarnings(NO_GLASS)
def test_models_that_see_different_things_are_compared_on_the_same_files(model, tmp_path):
    files = [tmp_path / f"c{k}.npz" for k in range(4)]
    for path, ensemble in zip(files, ensembles(), strict=True):
        write_ensemble(path, ensemble)
    found = evaluate([model, "ka-t044"], files)
    rho = [one["S"]["A"]["rho_mean"] for one in found["models"]]
    (difference,) = found["differences"]
    assert difference["S"]["A"]["difference"] == pytest.approx(rho[1] - rho[0], abs=1e-12)


def test_a_file_without_a_history_is_named_once_with_what_to_do(model, tmp_path):
    (first, *_) = ensembles(history=False)
    write_ensemble(tmp_path / "c.npz", first)
    printed = " ".join(run(tmp_path / "c.npz", "-m", model, fails=True).split())
    assert "the configuration has no history" in printed
    assert "`lammps-botan simulate history FILES -o FOLDER --window 30`" in printed
    assert printed.count("c.npz") == 1

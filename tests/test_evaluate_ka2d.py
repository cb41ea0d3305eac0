"""`lammps-botan evaluate` of the public files of KA2D, as they are."""

import json

import numpy as np
import pytest
from evaluations import run
from public_data import KA2D_RUNS, needs_ka2d
from toy_models import Walks, save_model

from lammps_botan.evaluation.pearson import N_SPLITS, pearson
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.structure import mixture

# split-half ceilings of S of species 1, of the README beside the data
CEILINGS = {
    "tc05": 0.917,
    "tc10": 0.955,
    "tc15": 0.941,
    "tc20": 0.940,
    "tc25": 0.936,
    "tc30": 0.924,
    "tc35": 0.941,
    "tc40": 0.905,
}

pytestmark = needs_ka2d


def file(time):
    return KA2D_RUNS / f"N1290T0.23_151_{time}.npz"


def ceilings_of_splits(time, n=300):
    """The ceiling by one random split, n times: sqrt(2 rho / (1 + rho)) of species 1."""
    with np.load(file(time)) as content:
        moved = np.linalg.norm(content["positions"] - content["initial_positions"], axis=2)
        moved = moved[:, content["types"] == 1]
    rng = np.random.default_rng(1)
    orders = [rng.permutation(len(moved)) for _ in range(n)]
    halves = [(moved[order[:10]].mean(axis=0), moved[order[10:]].mean(axis=0)) for order in orders]
    rho = np.array([np.corrcoef(first, second)[0, 1] for first, second in halves])
    return np.sqrt(2 * rho / (1 + rho))


@pytest.mark.parametrize("time", CEILINGS)
def test_the_ceilings_are_those_known(time):
    """Up to the choice of the splits: one of them scatters by .005 to .014."""
    found = json.loads(run(file(time), "--json"))
    assert found["mixture"] == "ka2d"
    assert found["models"] == []
    assert list(found["ceiling"]["S"]) == ["A", "B", "C"]
    assert list(found["ceiling"]["E"]) == ["A-A", "A-B", "A-C", "B-B", "B-C", "C-C"]
    rho = found["ceiling"]["S"]["A"]["rho_mean"]
    splits = ceilings_of_splits(time)
    assert rho == pytest.approx(CEILINGS[time], abs=splits.std())
    error_of_means = splits.std() * np.sqrt(1 / len(splits) + 1 / N_SPLITS)
    assert rho == pytest.approx(splits.mean(), abs=3 * error_of_means)


def test_the_inherent_structure_is_a_tenth_of_a_diameter_away():
    start = read_start(file("tc05"))
    moved = start.box.minimum_image(start.inherent_positions - start.positions)
    assert np.sqrt((moved**2).sum(axis=1).mean()) == pytest.approx(0.101, abs=0.0005)


def test_how_far_the_inherent_structure_is_says_who_is_going_to_move():
    """Correlation of |r_IS - r| with S of species 1: .69 to .80 for tc10 to tc30."""
    start = read_start(file("tc10"))
    moved = np.linalg.norm(
        start.box.minimum_image(start.inherent_positions - start.positions), axis=1
    )
    of_a, found = start.species == 0, []
    for time in ("tc10", "tc15", "tc20", "tc25", "tc30"):
        runs = read_ensemble(file(time)).final - start.positions
        propensity = np.linalg.norm(runs, axis=2).mean(axis=0)
        found.append(pearson(moved[of_a], propensity[of_a]))
    assert [round(min(found), 2), round(max(found), 2)] == [0.69, 0.80]


def test_a_model_of_three_species_is_compared_with_plain_loops(tmp_path):
    """The toy counts neighbors in the plane: the number within 2, by a loop over all pairs."""
    toy = save_model(
        tmp_path / "toy.pt",
        Walks(weights=(1.0, 1.0, 1.0)),
        mixture=mixture.KA2D.model_dump(mode="json"),
        node_input="one-hot",
    )
    (model,) = json.loads(run(file("tc20"), "-m", toy, "--json"))["models"]
    with np.load(file("tc20")) as content:
        types, start = content["types"], content["initial_positions"]
        edge, runs = float(content["box"]), content["positions"]
    apart = start[:, None] - start
    apart -= edge * np.rint(apart / edge)
    distances = np.linalg.norm(apart, axis=2)
    neighbors = (distances < 2.0).sum(axis=1) - 1
    assert 9 < neighbors.mean() < 16  # in a plane
    propensity = np.linalg.norm(runs - start, axis=2).mean(axis=0)
    for k, name in enumerate("ABC", start=1):
        rho = np.corrcoef(neighbors[types == k], propensity[types == k])[0, 1]
        assert model["S"][name]["rho_mean"] == pytest.approx(rho, abs=1e-6)
    bonds = (distances < 1.269) & (distances > 0) & (types[:, None] == 3) & (types == 3)
    changes = np.zeros_like(distances)
    for run_end in runs:
        moved = run_end[:, None] - run_end
        moved -= edge * np.rint(moved / edge)
        changes += np.linalg.norm(moved, axis=2) - distances
    rho = np.corrcoef(distances[bonds], changes[bonds])[0, 1]
    assert model["E"]["C-C"]["rho_mean"] == pytest.approx(rho, abs=1e-6)

"""Correlations do not depend on the units of the files."""

import numpy as np
import pytest
from evaluations import arrays, groups, write
from toy_models import save_model

from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.files.ensemble import read_start
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

FLOAT32 = 1e-6  # what rounding of the predictions does to rho


def argon(units: str, diameter: float) -> Mixture:
    """The Kob-Andersen mixture with another diameter."""
    lengths = diameter * np.array(KOB_ANDERSEN.bond_lengths)
    changes = {
        "name": "argon-like",
        "units": units,
        "diameter": diameter,
        "bond_lengths": lengths.tolist(),
        "density": 1.2 / diameter**3,
        "interactions": None,
    }
    return Mixture.model_validate(KOB_ANDERSEN.model_dump() | changes)


def write_scaled(path, seed, mixture):
    content = arrays(seed)
    lengths = ("initial_positions", "positions", "box")
    scaled = {key: mixture.diameter * content[key] for key in lengths}
    np.savez(path, types=content["types"], mixture=mixture.model_dump_json(), **scaled)
    return path


@pytest.mark.parametrize(("units", "diameter"), [("metal", 3.405), ("si", 3.405e-10)])
def test_correlations_and_ceilings_are_those_in_reduced_units(tmp_path, units, diameter):
    mixture = argon(units, diameter)
    reduced = [write(tmp_path / f"lj{k}.npz", k) for k in range(5)]
    scaled = [write_scaled(tmp_path / f"{units}{k}.npz", k, mixture) for k in range(5)]
    toy = save_model(tmp_path / "lj.pt")
    own = save_model(tmp_path / "own.pt", mixture=mixture.model_dump(), cutoff=2.0 * diameter)
    expected, found = evaluate([toy], reduced), evaluate([own], scaled)
    assert (found["units"], found["mixture"]) == (units, "argon-like")
    for part in ("models", "ceiling"):
        one, other = (e[part][0] if part == "models" else e[part] for e in (expected, found))
        for name, rho in groups(one).items():
            for key, value in rho.items():
                assert groups(other)[name][key] == pytest.approx(value, abs=FLOAT32)


def test_configurations_in_meters_are_told_apart(tmp_path):
    """Where all positions are zero to six decimals."""
    mixture = argon("si", 3.405e-10)
    starts = [read_start(write_scaled(tmp_path / f"{k}.npz", k, mixture)) for k in range(2)]
    assert starts[0].sha256 != starts[1].sha256
    assert np.abs(starts[0].positions).max() < 1e-8

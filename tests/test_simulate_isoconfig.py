"""Isoconfigurational ensembles from real LAMMPS runs."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from lmp import BIN
from public_data import CONFIGURATION_401, needs_public_data
from simulations import N, arrays

from lammps_botan.analysis.sample import read_sample
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.files.trajectory import open_dump
from lammps_botan.simulation import isoconfig, named_times
from lammps_botan.simulation.protocol import velocity_seeds
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

pytestmark = pytest.mark.slow
INPUTS = Path(__file__).resolve().parents[1] / "inputs"


def test_an_ensemble_has_one_file_per_configuration_and_lag_time(ensembles):
    assert [f"{path.parent.name}/{path.name}" for path in ensembles] == [
        "t0.02/ka-0001.npz",
        "t0.02/ka-0002.npz",
        "t0.05/ka-0001.npz",
        "t0.05/ka-0002.npz",
    ]
    content = arrays(ensembles[2])
    assert content["types"].shape == (N,)
    assert content["initial_positions"].shape == (N, 3)
    assert content["positions"].shape == (3, N, 3)
    assert content["box"] == pytest.approx(np.full(3, (N / 1.2) ** (1 / 3)))
    assert content["time"] == 0.05
    assert content["times"].tolist() == [0.02, 0.05]
    assert content["temperature"] == 1.0
    assert len(set(content["seeds"].tolist())) == 3
    assert "lammps" in json.loads(str(content["versions"]))
    assert {p.name for p in ensembles[0].parents[1].iterdir() if not p.name.startswith(".")} == {
        "t0.02",
        "t0.05",
        "isoconfig.json",
    }


def test_an_ensemble_is_read_as_a_data_set(ensembles):
    read = read_ensemble(ensembles[2])
    assert read.lag_time == 0.05
    assert read.configuration.temperature == 1.0
    assert read.configuration.mixture == KOB_ANDERSEN
    sample = read_sample(ensembles[2], cutoff=1.5)
    assert sample.propensity.shape == (N,)
    assert np.all(sample.propensity > 0)


def test_runs_start_from_the_configuration_with_maxwell_boltzmann_velocities(ensembles):
    """After t = 0.02 a particle has moved by about v t, and v^2 = 3 T on average."""
    content = arrays(ensembles[0])
    displacements = content["positions"] - content["initial_positions"]
    squared = (displacements**2).sum(axis=2)
    assert squared.mean() / 0.02**2 == pytest.approx(3.0, rel=0.1)
    np.testing.assert_allclose(displacements.mean(axis=1), 0, atol=1e-12)  # no net momentum
    # runs are independent of each other, and so are configurations
    flat = displacements.reshape(3, -1)
    other = arrays(ensembles[1])
    flat = np.vstack([flat, (other["positions"] - other["initial_positions"]).reshape(3, -1)])
    correlations = np.corrcoef(flat) - np.eye(6)
    assert np.abs(correlations).max() < 4 / np.sqrt(3 * N)


def test_every_run_is_reproducible_from_its_seed(glasses, ensembles, tmp_path):
    """A bare LAMMPS input with the seed of the file ends at the same positions."""
    seed = arrays(ensembles[2])["seeds"][1]
    script = f"""
units lj
atom_style atomic
read_data {glasses[0]}
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
velocity all create 1.0 {seed} mom yes rot no dist gaussian
timestep 0.001
fix 1 all nve
write_dump all custom start.dump id type xu yu zu modify sort id format float %.17g
run 50
write_dump all custom end.dump id type xu yu zu modify sort id format float %.17g
"""
    (tmp_path / "in.bare").write_text(script)
    subprocess.run([BIN / "lmp", "-in", "in.bare"], cwd=tmp_path, check=True, capture_output=True)
    start, end = (open_dump(tmp_path / f"{name}.dump").atoms.positions for name in ("start", "end"))
    content = arrays(ensembles[2])
    moved = content["positions"][1] - content["initial_positions"]
    np.testing.assert_allclose(moved, end - start, atol=1e-9)


def test_a_time_step_is_that_of_the_runs(simulate, glasses, ensembles, tmp_path):
    """A tenth of the step gives nearly the same run, from the same velocities, of other numbers."""
    arguments = {"temperature": 1.0, "times": [0.02, 0.05], "runs": 3}
    paths = simulate.isoconfig(glasses[:1], tmp_path, timestep=1e-4, **arguments)
    fine, coarse = arrays(paths[1]), arrays(ensembles[2])
    assert (fine["timestep"], coarse["timestep"]) == (1e-4, 1e-3)
    np.testing.assert_array_equal(fine["seeds"], coarse["seeds"])
    moved, apart = (
        np.abs(fine["positions"] - a).max()
        for a in (fine["initial_positions"], coarse["positions"])
    )
    assert 0 < apart < 1e-4 < moved


def test_an_npz_file_serves_as_configuration(simulate, ensembles, glasses, tmp_path):
    """Its initial positions are run again: the same as from the data file."""
    (path,) = simulate.isoconfig([ensembles[0]], tmp_path, temperature=1.0, times=[0.01], runs=1)
    np.testing.assert_allclose(
        arrays(path)["initial_positions"], arrays(ensembles[0])["initial_positions"], atol=1e-12
    )


def test_partitions_of_lammps_make_the_same_runs(glasses, tmp_path):
    """`lmp` alone, and one run per partition: the same dumps to the last bit."""
    variables = {"data": glasses[0], "temperature": 1.0, "runs": 3, "times": "0.05 0.1"}
    variables["mixture"] = INPUTS / "in.kob-andersen"
    arguments = ["-in", INPUTS / "in.isoconfig", "-log", "none", "-var", "checkpoint", "30"]
    for name, value in variables.items():
        arguments += ["-var", name, str(value)]
    for folder, start in (
        ("alone", [BIN / "lmp"]),
        ("split", [BIN / "mpirun", "-np", "2", BIN / "lmp", "-partition", "2x1"]),
    ):
        (tmp_path / folder).mkdir()
        done = subprocess.run([*start, *arguments], cwd=tmp_path / folder, capture_output=True)
        assert done.returncode == 0, done.stdout
    for k in (1, 2, 3):
        alone, split = (tmp_path / f / f"run_{k}.dump" for f in ("alone", "split"))
        assert alone.read_bytes() == split.read_bytes()
        assert open_dump(alone).trajectory.times.tolist() == [0, 0.05, 0.1]
    assert not list(tmp_path.glob("*/*.frame")) + list(tmp_path.glob("*/*.restart"))


@needs_public_data
def test_an_ensemble_has_the_keys_and_kinds_of_the_public_data(ensembles):
    """What reads the public files reads ours."""
    public, ours = arrays(CONFIGURATION_401), arrays(ensembles[0])
    for key, value in public.items():
        assert ours[key].ndim == value.ndim, key
        assert ours[key].dtype.kind == value.dtype.kind, key


def test_lag_times_by_name_and_by_list():
    assert named_times("paper", KOB_ANDERSEN, 0.44)[6] == 4120
    assert named_times("paper", KA2D, 0.23)[-1] == 1.5e6
    assert named_times("0.13, 1.3 13", KOB_ANDERSEN, 0.44) == (0.13, 1.3, 13)
    assert [len(named_times("paper", KOB_ANDERSEN, t)) for t in (0.44, 0.5, 0.64)] == [10, 10, 9]
    message = (
        r"kob-andersen has lag times for T = 0\.44 and T = 0\.5 and T = 0\.64, none for T = 0\.6; "
        "give a list"
    )
    with pytest.raises(ValueError, match=message):
        named_times("paper", KOB_ANDERSEN, 0.6)
    with pytest.raises(ValueError, match="expected lag times"):
        named_times("soon", KOB_ANDERSEN, 0.44)


def test_seeds_of_many_runs_differ():
    seeds = np.concatenate([velocity_seeds(seed, 1000) for seed in (1, 2, 899_999_999)])
    assert len(np.unique(seeds)) == 3000
    assert seeds.min() > 0
    assert seeds.max() < 2**31 - 1


def test_a_cluster_makes_the_same_ensemble(glasses, ensembles, tmp_path):
    """The ensembles are of a cluster, these of workers that are started for them."""
    paths = isoconfig(glasses, tmp_path, temperature=1.0, times=[0.02, 0.05], runs=3)
    for path, expected in zip(paths, ensembles, strict=True):
        np.testing.assert_array_equal(arrays(path)["positions"], arrays(expected)["positions"])

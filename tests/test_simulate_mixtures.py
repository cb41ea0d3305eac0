"""Liquids other than the Kob-Andersen mixture, through equilibration, runs and minimization."""

import json
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from lmp import BIN
from potential import write_alloy
from public_data import ka2d, needs_ka2d

from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.simulation import equilibrate, isoconfig
from lammps_botan.simulation.liquid import open_liquid
from lammps_botan.simulation.starts import write_start
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

pytestmark = pytest.mark.slow

HOT = {"melt_time": 0.5, "cooling_time": 0.5, "time": 1.0}

ARGON = """
name = "argon"
units = "lj"
species = ["Ar"]
masses = [2.0]
fractions = [1.0]
diameter = 1.0
density = 0.8
[bond_lengths]
"Ar-Ar" = 1.5
[interactions]
commands = '''
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0
'''
timestep = 0.002
damping = 0.2
skin = 0.3
melt_temperature = 3.0
melt_time = 1.0
cooling_time = 1.0
"""

# ions of a salt among neutral particles: charges as a property of atoms of the style atomic
SALT = """
name = "salt"
units = "lj"
species = ["cation", "anion", "neutral"]
masses = [1.0, 3.0, 9.0]
fractions = [0.25, 0.25, 0.5]
diameter = 1.0
density = 0.7
[bond_lengths]
"cation-cation" = 1.4
"cation-anion" = 1.2
"anion-anion" = 1.4
"cation-neutral" = 1.4
"anion-neutral" = 1.4
"neutral-neutral" = 1.4
[interactions]
commands = '''
fix charge all property/atom q ghost yes
set type 1 charge 1.0
set type 2 charge -1.0
set type 3 charge 0.0
pair_style lj/cut/coul/dsf 0.2 2.5
pair_coeff * * 1.0 1.0
pair_coeff 1 2 1.0 0.9
'''
timestep = 0.001
damping = 0.1
skin = 0.3
melt_temperature = 5.0
melt_time = 1.0
cooling_time = 1.0
"""


def write(folder, name, text):
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def squared_velocities(path, dimension=3):
    """Mean m v^2 of a particle per dimension of space, from displacements at a short time."""
    ensemble = read_ensemble(path)
    mass = np.array(ensemble.configuration.mixture.masses)[ensemble.species]
    moved = (ensemble.final - ensemble.initial) / ensemble.lag_time
    return (mass[:, None] * moved**2).sum() / (moved.shape[0] * moved.shape[1] * dimension)


def test_a_liquid_of_one_species(simulate, tmp_path):
    toml = write(tmp_path, "argon", ARGON)
    (data,) = simulate.equilibrate(
        tmp_path / "glass", mixture=toml, temperature=1.5, n_particles=120, **HOT
    )
    assert data.name == "argon-0001.data"
    start = read_start(data)
    assert set(start.species) == {0}
    assert start.density == pytest.approx(0.8)
    with pytest.raises(ValueError, match=r"which liquid is it\? not kob-andersen: found 1 Ar?"):
        simulate.isoconfig([data], tmp_path / "runs", temperature=1.5, times=[0.02])
    (path,) = simulate.isoconfig(
        [data], tmp_path / "runs", mixture=toml, temperature=1.5, times=[0.01], runs=4
    )
    # of a particle with mass 2
    assert squared_velocities(path) == pytest.approx(1.5, rel=0.1)
    (minima,) = simulate.inherent([path], tmp_path / "minima")  # the file says its mixture
    with np.load(path) as runs, np.load(minima) as content:
        assert content["inherent_energies"].shape == (5, 120)
        assert content["inherent_energies"].mean() < runs["potential_energy"] - 1.0


def test_a_liquid_of_three_species_with_charges(simulate, tmp_path):
    toml = write(tmp_path, "salt", SALT)
    (data,) = simulate.equilibrate(
        tmp_path / "glass", mixture=toml, temperature=1.0, n_particles=120, **HOT
    )
    about = json.loads((tmp_path / "glass" / "equilibrate.json").read_text())
    (noted,) = about["configurations"].values()
    assert noted["composition"] == {"cation": 30, "anion": 30, "neutral": 60}
    assert noted["density"] == pytest.approx(0.7)
    (path,) = simulate.isoconfig(
        [data], tmp_path / "runs", mixture=toml, temperature=1.0, times=[0.01], runs=4
    )
    # masses from 1 to 9: m v^2 is that of the temperature for all of them
    assert squared_velocities(path) == pytest.approx(1.0, rel=0.1)
    # the data file holds the configuration at the end of the log, forces included
    with np.load(path, allow_pickle=False) as content:
        assert content["potential_energy"] == pytest.approx(noted["potential_energy"], rel=1e-6)
    (minima,) = simulate.inherent([path], tmp_path / "minima", mixture=toml)
    start = read_start(minima)
    assert start.inherent_energies.mean() < noted["potential_energy"]
    apart = start.box.minimum_image(start.inherent_positions - start.positions)
    assert 0 < np.median(np.linalg.norm(apart, axis=1)) < 1.0


@pytest.mark.long
def test_a_liquid_in_two_dimensions_stays_in_its_plane(simulate, tmp_path):
    (data,) = simulate.equilibrate(
        tmp_path / "glass", mixture="ka2d", temperature=1.0, n_particles=86, **HOT
    )
    start = read_start(data, mixture=KA2D)
    assert np.bincount(start.species).tolist() == [40, 22, 24]
    assert (start.dimension, start.box.periodic) == (2, (True, True, False))
    assert start.density == pytest.approx(KA2D.density)
    (path,) = simulate.isoconfig([data], tmp_path / "runs", temperature=1.0, times=[0.01], runs=3)
    ensemble = read_ensemble(path)
    assert ensemble.configuration.mixture == KA2D
    assert not ensemble.initial[:, 2].any()
    assert not ensemble.final[:, :, 2].any()
    assert squared_velocities(path, dimension=2) == pytest.approx(1.0, rel=0.15)
    (minima,) = simulate.inherent([path], tmp_path / "minima")
    assert not read_start(minima).inherent_positions[:, 2].any()


@needs_ka2d
def test_the_public_configuration_in_two_dimensions_moves_as_it_was_seen_to_move(
    simulate, tmp_path
):
    """Mean propensity of A is .053 at t = .1 and .122 at 1.1, from 20 public runs."""
    found = simulate.isoconfig(
        [ka2d(5)], tmp_path, temperature=0.23, times=[0.1, 1.1], runs=4, mixture="ka2d"
    )
    for path, public in zip(found, [ka2d(5), ka2d(10)], strict=True):
        means = []
        for ensemble in (read_ensemble(path), read_ensemble(public)):
            moved = np.linalg.norm(ensemble.final - ensemble.initial, axis=2)
            means.append(moved[:, ensemble.species == 0].mean())
        assert means[0] == pytest.approx(means[1], rel=0.03)


@needs_ka2d
def test_forces_vanish_at_the_public_inherent_structure_in_two_dimensions(tmp_path):
    """To .025, as far as it was minimized; pairs in random directions would add up to 6.9.

    With diameters and energies of C between those of A and B they are above 4.
    """
    start = read_start(ka2d(5))
    write_start(
        tmp_path / "start.data", replace(start, positions=start.inherent_positions), "minimum"
    )
    open_liquid("ka2d").write(tmp_path)
    script = "include in.mixture\nread_data start.data\ninclude in.mixture\n"
    script += "thermo_style custom step fnorm pe\nrun 0\n"
    script += 'print "force $(sqrt(fnorm^2/atoms))"\n'
    (tmp_path / "in.forces").write_text(script)
    command = [BIN / "lmp", "-in", "in.forces", "-log", "none"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("force")]
    assert float(line.split()[1]) < 0.03


def test_an_alloy_with_a_many_body_potential_of_its_own(simulate, tmp_path):
    toml = write_alloy(tmp_path)
    (data,) = simulate.equilibrate(
        tmp_path / "glass", mixture=toml, temperature=1000.0, time=0.4, n_particles=108
    )
    (path,) = simulate.isoconfig(
        [data], tmp_path / "runs", mixture=toml, temperature=1000.0, times=[0.02], runs=3
    )
    start = read_start(path)
    assert (start.units, start.mixture.name) == ("metal", "alloy")
    # m v^2 in g/mol (A/ps)^2: 1.0364e-4 eV each
    thermal = squared_velocities(path) * 1.0364e-4 / 8.617e-5
    assert thermal == pytest.approx(1000, rel=0.1)
    # potential files do not travel with the data: they are asked for
    with pytest.raises(FileNotFoundError, match=r"alloy\.eam: no such file.*--mixture FILE\.toml"):
        simulate.inherent([path], tmp_path / "minima")
    (minima,) = simulate.inherent([path], tmp_path / "minima", mixture=toml)
    content = read_start(minima)
    # many-body energies are bound
    assert -6 < content.inherent_energies.mean() < -1


def test_a_potential_that_changed_is_another_liquid(tmp_path):
    toml = write_alloy(tmp_path)
    before = open_liquid(toml).identity()
    path = tmp_path / "alloy.eam"
    path.write_text(path.read_text().replace("# made by a test", "# made again"))
    assert open_liquid(toml).identity() != before


def npz(path, species, n=100, mixture=None, edge=None, dimension=3):
    rng = np.random.default_rng(3)
    edge = edge or (n / 1.2) ** (1 / 3)
    positions = rng.random((n, 3)) * edge * [1, 1, dimension == 3]
    box = Box(edge, (True, True, dimension == 3))
    start = Configuration(positions=positions, species=species, box=box, mixture=mixture)
    write_ensemble(path, Ensemble(start, positions[None]))
    return path


def test_a_file_of_another_composition_is_refused(tmp_path):
    path = npz(tmp_path / "half.npz", np.arange(100) % 2)
    with pytest.raises(ValueError, match=r"half.npz: which liquid is it\? not kob-andersen: found"):
        isoconfig([path], tmp_path / "out", temperature=1.0, times=[0.01])
    with pytest.raises(
        ValueError, match=r"is not kob-andersen: found 0\.5 A, 0\.5 B; kob-andersen is "
    ):
        isoconfig([path], tmp_path / "out", temperature=1.0, times=[0.01], mixture="kob-andersen")
    assert not (tmp_path / "out").exists()


def test_files_of_two_mixtures_are_refused(tmp_path):
    ka = npz(tmp_path / "ka.npz", np.arange(100) // 80)
    species = np.repeat([0, 1, 2], KA2D.counts(100))
    flat = npz(tmp_path / "flat.npz", species, dimension=2, mixture=KA2D)
    with pytest.raises(ValueError, match=r"flat.npz: is ka2d, but the others are kob-andersen"):
        isoconfig([ka, flat], tmp_path / "out", temperature=1.0, times=[0.01])


def test_a_mixture_without_interactions_is_refused(tmp_path):
    text = ARGON.partition("[interactions]")[0]
    toml = write(tmp_path, "argon", text)
    with pytest.raises(ValueError, match=r"argon has no interactions.*\[interactions\]"):
        equilibrate(tmp_path / "out", mixture=toml, temperature=1.0, time=1.0)


def test_a_mixture_without_a_density_needs_one(tmp_path):
    toml = write(tmp_path, "argon", ARGON.replace("density = 0.8\n", ""))
    assert find_mixture(toml).density is None
    with pytest.raises(ValueError, match=r"argon has no density; give the density \(--density\)"):
        equilibrate(tmp_path / "out", mixture=toml, temperature=1.0, time=1.0)


def test_a_data_file_with_bonds_is_refused(tmp_path):
    path = tmp_path / "polymer.data"
    path.write_text("polymer\n\n10 atoms\n9 bonds\n2 atom types\n")
    with pytest.raises(ValueError, match=r"polymer\.data: has bonds; .* atoms without bonds only"):
        isoconfig([path], tmp_path / "out", temperature=1.0, times=[0.01])


def test_another_density_is_recorded_with_a_warning(simulate, tmp_path):
    """Particles on a lattice that is 10 % wider than the liquid."""
    side = 5
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    edge = side * 1.03
    start = Configuration(
        positions=(grid + 0.5) * edge / side,
        species=np.arange(side**3) // (0.8 * side**3),
        box=Box(edge, (True, True, True)),
    )
    path = tmp_path / "thin.npz"
    write_ensemble(path, Ensemble(start, start.positions[None]))
    with pytest.warns(
        UserWarning, match=r"thin\.npz: has the density 0\.9151, kob-andersen has 1\.2"
    ):
        simulate.isoconfig([path], tmp_path / "out", temperature=0.5, times=[0.01], runs=1)
    about = json.loads((tmp_path / "out" / "isoconfig.json").read_text())
    assert about["mixture"] == KOB_ANDERSEN.name
    assert about["configurations"]["thin"]["density"] == pytest.approx(0.9151, abs=1e-4)

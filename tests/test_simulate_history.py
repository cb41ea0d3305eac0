"""Histories from real LAMMPS runs, against averages over dumps of the same runs."""

import subprocess

import argon
import numpy as np
import pytest
from lmp import BIN
from potential import write_alloy
from simulations import HISTORIES, HOT, N, T, arrays

from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.network.metadata import HistoryInput
from lammps_botan.simulation.liquid import open_liquid
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

pytestmark = pytest.mark.slow


KOB_ANDERSEN_IN_LAMMPS = """
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
"""


def write_data(path, positions, species, length):
    """A LAMMPS data file of a cube; positions are wrapped into it."""
    lines = ["start", "", f"{len(species)} atoms", "2 atom types", ""]
    lines += [f"0 {length!r} {x}lo {x}hi" for x in "xyz"]
    lines += ["", "Masses", "", "1 1", "2 1", "", "Atoms # atomic", ""]
    wrapped = positions - np.floor(positions / length) * length
    lines += [
        f"{k} {s + 1} {x:.17g} {y:.17g} {z:.17g}"
        for k, (s, (x, y, z)) in enumerate(zip(species, wrapped, strict=True), 1)
    ]
    path.write_text("\n".join(lines) + "\n")


def dumped_run(folder, begin, *, temperature, seed, every, samples, timestep):
    """Positions [samples, n, 3] and energies [samples, n] of a run, from a dump of each sample."""
    script = f"""
{begin}
velocity all create {temperature!r} {seed} mom yes rot no dist gaussian
fix 1 all nve
timestep {timestep!r}
compute pe all pe/atom
dump 1 all custom {every} run.dump xu yu zu c_pe
dump_modify 1 sort id format float %.17g
run {(samples - 1) * every}
"""
    (folder / "in.bare").write_text(script)
    command = [BIN / "lmp", "-in", "in.bare", "-log", "none"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    frames = (folder / "run.dump").read_text().split("ITEM: TIMESTEP")[1:]
    assert len(frames) == samples
    rows = np.array([[r.split() for r in f.split("\n")[9:-1]] for f in frames], dtype=float)
    return rows[..., :3], rows[..., 3]


def dumped_history(folder, begin, **settings):
    """Displacement, variance and energy, by numpy from a dump of each sample of a run."""
    positions, energies = dumped_run(folder, begin, **settings)
    mean = positions.mean(axis=0)
    variance = ((positions - mean) ** 2).sum(axis=-1).mean(axis=0)
    return mean - positions[0], variance, energies.mean(axis=0)


def compare(content, place, expected):
    for name, values in zip(("displacement", "variance", "energy"), expected, strict=True):
        found = content[f"history_{name}"][place]
        assert found.dtype == np.float32
        # float32, and rounding of forces that are added in another order
        np.testing.assert_allclose(found, values, rtol=2e-6, atol=2e-7, err_msg=name)


def test_histories_have_the_shapes_of_structures_and_velocities(histories):
    content = arrays(histories)
    assert content["history_displacement"].shape == (4, 2, N, 3)
    assert content["history_variance"].shape == (4, 2, N)
    assert content["history_energy"].shape == (4, 2, N)
    assert (content["history_window"], content["history_interval"]) == (0.4, 0.02)
    assert len(np.unique(content["history_seeds"])) == 8


@pytest.mark.parametrize("structure", [0, 2])
def test_a_history_is_the_average_over_a_dump_of_its_run(histories, runs, tmp_path, structure):
    """Samples are taken at t = 0 and up to one interval before the end of the window."""
    content, ensemble = arrays(histories), read_ensemble(runs)
    positions = [ensemble.initial, *ensemble.final][structure]
    length = float(ensemble.box.cell[0, 0])
    write_data(tmp_path / "start.data", positions, ensemble.species, length)
    begin = "units lj\natom_style atomic\nread_data start.data\n" + KOB_ANDERSEN_IN_LAMMPS
    assert HistoryInput(window=0.4, interval=0.02, parts=10).samples_per_part == 2
    expected = dumped_history(
        tmp_path,
        begin,
        temperature=T,
        seed=content["history_seeds"][structure, 1],
        every=20,
        samples=2 * 10,
        timestep=0.001,
    )
    compare(content, (structure, 1), expected)


def test_a_longer_time_step_gives_the_samples_of_the_same_times(simulate, liquid, tmp_path):
    (path,) = simulate.history(
        [liquid], tmp_path, window=0.4, interval=0.04, temperature=T, timestep=0.004
    )
    content = arrays(path)
    write_data(
        tmp_path / "start.data",
        content["initial_positions"],
        content["types"],
        float(content["box"][0]),
    )
    begin = "units lj\natom_style atomic\nread_data start.data\n" + KOB_ANDERSEN_IN_LAMMPS
    expected = dumped_history(
        tmp_path,
        begin,
        temperature=T,
        seed=content["history_seeds"][0, 0],
        every=10,
        samples=10,
        timestep=0.004,
    )
    compare(content, (0, 0), expected)


def of_another_mixture(simulate, kind, folder):
    """An equilibrated liquid, its mixture for the command, temperature, window and time step."""
    if kind == "plane":
        settings = HOT | {"mixture": "ka2d", "n_particles": 86}
        own = KA2D.interactions.timestep
        return simulate.equilibrate(folder / "glass", **settings)[0], "ka2d", T, 200 * own, own
    toml = write_alloy(folder)
    own = open_liquid(toml).interactions.timestep
    (path,) = simulate.equilibrate(
        folder / "glass", mixture=toml, temperature=1000.0, time=0.1, n_particles=108
    )
    return path, toml, 1000.0, 200 * own, own


@pytest.mark.parametrize("kind", ["plane", "alloy"])
def test_histories_of_other_mixtures_are_averages_over_dumps_too(simulate, tmp_path, kind):
    """In two dimensions, and of an alloy in units metal with a many-body potential."""
    data, mixture, temperature, window, timestep = of_another_mixture(simulate, kind, tmp_path)
    (path,) = simulate.history(
        [data],
        tmp_path / "histories",
        mixture=mixture,
        window=window,
        interval=window / 20,
        temperature=temperature,
    )
    content = arrays(path)
    open_liquid(mixture).write(tmp_path)
    begin = f"include in.mixture\nread_data {data}\ninclude in.mixture"
    expected = dumped_history(
        tmp_path,
        begin,
        temperature=temperature,
        seed=content["history_seeds"][0, 0],
        every=10,
        samples=20,
        timestep=timestep,
    )
    compare(content, (0, 0), expected)
    if kind == "plane":
        assert not content["history_displacement"][..., 2].any()
        assert read_start(path).mixture == KA2D


def squared_velocity(path, window, samples):
    """Mean m v^2 per dimension: within a short window the mean displacement is v t / 2."""
    content = arrays(path)
    start = read_start(path)
    mass = np.array(start.mixture.masses)[start.species]
    last = window * (samples - 1) / samples
    velocity = content["history_displacement"][0] / (last / 2)
    return float((mass[:, None] * velocity**2).mean())


def test_velocities_are_those_of_the_temperature(simulate, liquid, tmp_path):
    """Of a file in reduced units and of the same file in units metal."""
    start = read_start(liquid, mixture=KOB_ANDERSEN)
    metal = argon.to_metal(start.select(np.argsort(start.ids)))
    write_ensemble(tmp_path / "metal.npz", Ensemble(metal, metal.positions[None]))
    toml = argon.write_toml(tmp_path / "argon.toml")
    (in_lj,) = simulate.history(
        [liquid], tmp_path / "lj", window=0.01, interval=0.001, temperature=T
    )
    (in_metal,) = simulate.history(
        [tmp_path / "metal.npz"],
        tmp_path / "scaled",
        mixture=toml,
        window=0.01 * argon.TIME,
        interval=0.001 * argon.TIME,
        temperature=T * argon.TEMPERATURE,
    )
    assert squared_velocity(in_lj, 0.01, 10) == pytest.approx(T, rel=0.02)
    scaled = squared_velocity(in_metal, 0.01 * argon.TIME, 10)
    thermal = argon.BOLTZMANN * T * argon.TEMPERATURE / argon.MASS_TIMES_VELOCITY_SQUARED
    assert scaled == pytest.approx(thermal, rel=0.02)


def test_copies_at_all_samples_have_the_averages_of_the_history(
    simulate, runs, histories, tmp_path
):
    """And nothing else of a file changes with them."""
    (path,) = simulate.history([runs], tmp_path, copies=19, **HISTORIES)
    content, ensemble = arrays(path), read_ensemble(path)
    copies = content["history_copies"]
    assert (copies.shape, copies.dtype) == ((4, 2, 19, N, 3), np.float32)
    structures = np.array([ensemble.initial, *ensemble.final])
    moved = copies.astype(float) - structures[:, None, None]
    moved = np.insert(moved, 0, 0.0, axis=2)  # the first sample is the configuration
    mean = moved.mean(axis=2)
    np.testing.assert_allclose(content["history_displacement"], mean, atol=1e-6)
    variance = ((moved - mean[:, :, None]) ** 2).sum(axis=-1).mean(axis=2)
    np.testing.assert_allclose(content["history_variance"], variance, rtol=1e-5, atol=1e-7)
    for key, values in arrays(histories).items():
        np.testing.assert_array_equal(content[key], values, err_msg=key)


@pytest.mark.parametrize(
    ("copies", "times"),
    [
        (1, [0.38]),
        (2, [0.2, 0.38]),  # .19 lies between two samples
        (4, [0.1, 0.2, 0.28, 0.38]),
        (5, [0.08, 0.16, 0.22, 0.3, 0.38]),
        (13, [0.02, 0.06, 0.08, 0.12, 0.14, 0.18, 0.2, 0.24, 0.26, 0.3, 0.32, 0.36, 0.38]),
    ],
)
def test_copies_are_samples_at_equal_times_up_to_the_last_one(
    simulate, liquid, tmp_path, copies, times
):
    """As in a dump of the same run by a script of its own."""
    (path,) = simulate.history(
        [liquid], tmp_path, window=0.4, interval=0.02, temperature=T, copies=copies
    )
    content = arrays(path)
    start, length = content["initial_positions"], float(content["box"][0])
    write_data(tmp_path / "start.data", start, content["types"], length)
    positions, _ = dumped_run(
        tmp_path,
        "units lj\natom_style atomic\nread_data start.data\n" + KOB_ANDERSEN_IN_LAMMPS,
        temperature=T,
        seed=content["history_seeds"][0, 0],
        every=20,
        samples=20,
        timestep=0.001,
    )
    unwrapped = positions + np.rint((start - positions[0]) / length) * length
    expected = unwrapped[[round(time / 0.02) for time in times]]
    np.testing.assert_allclose(content["history_copies"][0, 0], expected, atol=2e-6)


def test_copies_go_with_the_histories_that_they_belong_to(simulate, runs, tmp_path):
    options = {"window": 0.4, "interval": 0.02}
    (path,) = simulate.history([runs], tmp_path / "histories", copies=2, **options)
    (minima,) = simulate.inherent([path], tmp_path / "minima")
    np.testing.assert_array_equal(arrays(minima)["history_copies"], arrays(path)["history_copies"])
    (again,) = simulate.history([minima], tmp_path / "again", **options)
    assert "history_copies" not in arrays(again)


def test_copies_of_a_plane_stay_in_it(simulate, tmp_path):
    (data,) = simulate.equilibrate(
        tmp_path / "glass", **HOT | {"mixture": "ka2d", "n_particles": 86}
    )
    step = KA2D.interactions.timestep
    (path,) = simulate.history(
        [data], tmp_path, mixture="ka2d", window=20 * step, interval=step, temperature=T, copies=2
    )
    copies, start = arrays(path)["history_copies"], read_start(path).positions
    assert copies.shape == (1, 1, 2, 86, 3)
    assert np.array_equal(copies[..., 2], np.broadcast_to(start[:, 2], copies.shape[:-1]))
    assert 0 < np.abs(copies[..., :2] - start[:, :2]).max() < 1


def test_energies_of_the_particles_add_up_to_that_of_the_configuration(
    simulate, liquid, runs, tmp_path
):
    """Within two steps the energy of a particle does not change much."""
    (path,) = simulate.history([liquid], tmp_path, window=0.002, interval=0.001, temperature=T)
    total = arrays(path)["history_energy"].mean()
    assert total == pytest.approx(arrays(runs)["potential_energy"], abs=2e-3)


def test_variances_grow_with_the_window_up_to_the_size_of_the_cage(simulate, liquid, tmp_path):
    """Ballistic below t = .1, where the variance of v t over a window is a twelfth of (v t)^2."""
    means = []
    for window in (0.05, 0.5, 5.0):
        (path,) = simulate.history(
            [liquid], tmp_path / f"{window}", window=window, interval=window / 50, temperature=T
        )
        means.append(arrays(path)["history_variance"].mean())
    assert means[0] == pytest.approx(3 * T * 0.05**2 / 12, rel=0.1)
    assert means[0] < means[1] < means[2] < 1.0


def test_a_file_keeps_what_it_held(simulate, runs, histories, tmp_path):
    """Runs, seeds and inherent structures pass through, in either order of the commands."""
    before, after = arrays(runs), arrays(histories)
    for key in before.keys() - {"versions"}:
        np.testing.assert_array_equal(after[key], before[key], err_msg=key)
    (minima,) = simulate.inherent([histories], tmp_path / "minima")
    (again,) = simulate.history([minima], tmp_path / "again", window=0.4, interval=0.02)
    both = arrays(again)
    for key in ("history_displacement", "history_variance", "history_energy", "seeds"):
        np.testing.assert_array_equal(arrays(minima)[key], after[key], err_msg=key)
    np.testing.assert_array_equal(both["history_energy"], after["history_energy"][:1, :1])
    for key in ("inherent_positions", "inherent_energies", "initial_positions_inherent"):
        np.testing.assert_array_equal(both[key], arrays(minima)[key], err_msg=key)


def test_velocities_are_not_those_of_the_runs_that_are_predicted(histories):
    content = arrays(histories)
    assert content["seed"] == 1
    assert not set(content["seeds"].tolist()) & set(content["history_seeds"].ravel().tolist())


def test_velocities_depend_on_the_positions_and_not_on_the_name(
    simulate, runs, histories, tmp_path
):
    other = tmp_path / "other.npz"
    other.write_bytes(runs.read_bytes())
    (path,) = simulate.history([other], tmp_path / "out", window=0.4, interval=0.02)
    (twice,) = simulate.history([other], tmp_path / "twice", window=0.4, interval=0.02, seed=2)
    content = arrays(histories)["history_energy"][0, 0]
    np.testing.assert_array_equal(arrays(path)["history_energy"][0, 0], content)
    assert not np.array_equal(arrays(twice)["history_energy"][0, 0], content)

"""Targets from inherent structures: minima by real LAMMPS runs, and regression on them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from public_data import CONFIGURATION_402, FOLDER, needs_public_data

from lammps_botan.analysis.sample import make_sample, read_sample
from lammps_botan.cli import main
from lammps_botan.evaluation.pearson import node_mask, pearson
from lammps_botan.files.ensemble_npz import read_configuration
from lammps_botan.files.ensemble_npz_writer import write_configuration
from lammps_botan.simulation import equilibrate, inherent, isoconfig
from lammps_botan.structure.graph import minimum_image
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.distillation import (
    CONSTANT,
    PENALTY,
    Teacher,
    describe,
    read_structures,
    teach,
)

N = 200
RUNS = 2
RECIPE = """
output = "out"
[data]
train = ["taught/*.npz"]
validation = ["{validation}"]
[target]
lag_time = 0.5
temperature = 0.64
[network]
rounds = 2
width = 16
[recipe]
epochs = 2
learning_rate = 3e-3
validate_every = 1
"""


@pytest.fixture(scope="module")
def ensembles(tmp_path_factory):
    """Two runs of each of three small liquids."""
    folder = tmp_path_factory.mktemp("liquids")
    liquids = equilibrate(
        folder,
        temperature=0.64,
        time=2.0,
        configurations=3,
        n_particles=N,
        melt_time=1.0,
        cooling_time=1.0,
    )
    return isoconfig(liquids, folder / "runs", temperature=0.64, times=[0.5], runs=RUNS)


@pytest.fixture(scope="module")
def minima(ensembles, tmp_path_factory):
    return inherent(ensembles, tmp_path_factory.mktemp("minima"))


@pytest.fixture(scope="module")
def taught(minima, tmp_path_factory):
    """By the command that a user types."""
    folder = tmp_path_factory.mktemp("taught") / "taught"
    arguments = ["teach", *map(str, minima), "-o", str(folder)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert f"wrote 9 files, {folder / 'ka-0001-start.npz'}" in result.output
    return folder


def test_inherent_structures_lie_beside_the_runs(ensembles, minima):
    for path, found in zip(ensembles, minima, strict=True):
        given, kept = read_configuration(path), read_configuration(found)
        np.testing.assert_array_equal(kept.final, given.final)
        assert kept.time == given.time
        with np.load(found, allow_pickle=False) as archive:
            assert archive["inherent_positions"].shape == (1 + RUNS, N, 3)
            assert "lammps" in json.loads(str(archive["versions"]))


def test_inherent_structures_are_minima_close_by(minima, tmp_path):
    """Minimized once more they stay where they are, at the same energy."""
    start, end, _ = read_structures(minima[0])
    way = minimum_image(start.inherent - start.thermal, start.cell)
    assert 0.01 < np.sqrt((way**2).sum(axis=1).mean()) < 0.5
    again = tmp_path / "again.npz"
    final = end.inherent[None]
    write_configuration(
        again, species=start.species, initial=start.inherent, final=final, cell=start.cell, time=0.5
    )
    for first, second in zip(
        (start, end), read_structures(*inherent([again], tmp_path / "out")), strict=True
    ):
        moved = minimum_image(second.inherent - first.inherent, first.cell)
        assert np.abs(moved).max() < 1e-4
        np.testing.assert_allclose(second.energy, first.energy, atol=1e-4)


def test_targets_are_written_for_starts_and_ends(minima, taught):
    names = {f"ka-000{k}-{end}.npz" for k in (1, 2, 3) for end in ("start", "end1", "end2")}
    assert {path.name for path in taught.glob("*.npz")} == names
    runs = read_configuration(minima[1])
    for k, positions in enumerate([runs.initial, *runs.final]):
        sample = read_sample(taught / f"ka-0002-{f'end{k}' if k else 'start'}.npz")
        assert sample.time == 0.5
        expected = make_sample(replace(runs, initial=positions)).graph
        np.testing.assert_array_equal(sample.graph.vectors, expected.vectors)
        assert np.isfinite(sample.pair_distance_change).all()
    # how a propensity differs from the mean is what was learned
    own, known = read_sample(taught / "ka-0002-start.npz"), read_sample(minima[1])
    for kind in (0, 1):
        some = known.graph.species == kind
        assert pearson(own.propensity[some], known.propensity[some]) > 0.3
    assert pearson(own.pair_distance_change, known.pair_distance_change) > 0.3


def test_a_network_learns_from_them(ensembles, taught):
    recipe = taught.parent / "recipe.toml"
    recipe.write_text(RECIPE.format(validation=ensembles[0]))
    (best,) = train(read_config(recipe), taught.parent)
    assert best.is_file()


def test_interrupted_it_goes_on(minima, taught):
    files = sorted(taught.glob("*.npz"))
    before = {path: (path.stat().st_mtime_ns, read_sample(path).propensity) for path in files}
    files[4].unlink()
    assert sorted(teach(minima, taught)) == files
    for path in files:
        np.testing.assert_array_equal(read_sample(path).propensity, before[path][1])
    written = [path for path in files if path.stat().st_mtime_ns != before[path][0]]
    assert written == [files[4]]


def test_another_teacher_is_refused_there(minima, taught):
    with pytest.raises(ValueError, match="was begun with sha256"):
        list(teach(minima[:2], taught))


def test_propensities_are_those_of_ridge_regression(minima):
    """As least squares with a row more for the penalty of each weight."""
    structures = [read_structures(path)[0] for path in minima]
    descriptors = [describe(structure) for structure in structures]
    samples = [read_sample(path) for path in minima]
    teacher = Teacher(structures[:2], descriptors[:2], samples[:2])
    kinds = [structure.species == 1 for structure in structures]
    x = [d[some].astype(np.float64) for d, some in zip(descriptors, kinds, strict=True)]
    y = [s.propensity[some] for s, some in zip(samples, kinds, strict=True)]
    both = np.concatenate(x[:2])
    used = both.std(axis=0) > CONSTANT
    mean, spread = both.mean(axis=0)[used], both.std(axis=0)[used]
    rows = np.concatenate([(one - one.mean(axis=0))[:, used] / spread for one in x[:2]])
    values = np.concatenate([one - one.mean() for one in y[:2]])
    penalty = np.sqrt(PENALTY) * np.eye(used.sum())
    weights = np.linalg.lstsq(
        np.concatenate([rows, penalty]), np.append(values, np.zeros(used.sum()))
    )[0]
    expected = (x[2][:, used] - mean) / spread @ weights + np.mean([one.mean() for one in y[:2]])
    found = teacher.propensity(structures[2], descriptors[2])[kinds[2]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_order_of_particles_does_not_matter(minima):
    start = read_structures(minima[0])[0]
    order = np.random.default_rng(0).permutation(N)
    fields = ("species", "thermal", "inherent", "energy")
    mixed = replace(start, **{name: getattr(start, name)[order] for name in fields})
    np.testing.assert_allclose(describe(mixed), describe(start)[order], atol=1e-4)


def test_one_configuration_is_too_few(minima, tmp_path):
    with pytest.raises(ValueError, match=r"two configurations or more, .* found 1"):
        list(teach(minima[:1], tmp_path / "taught"))
    assert not (tmp_path / "taught").exists()


def test_files_without_inherent_structures_are_refused(ensembles, tmp_path):
    with pytest.raises(ValueError, match=r"ka-0001\.npz: lacks .*`lammps-botan simulate inherent"):
        list(teach(ensembles, tmp_path / "taught"))


def test_a_wrong_number_of_inherent_structures_is_refused(ensembles, tmp_path):
    one = read_configuration(ensembles[0])
    path = tmp_path / "bad.npz"
    write_configuration(
        path,
        species=one.species,
        initial=one.initial,
        final=one.final,
        cell=one.cell,
        time=one.time,
        inherent_positions=one.final,
        inherent_energies=np.zeros((1 + RUNS, N)),
    )
    with pytest.raises(ValueError, match=r"expected inherent_positions \[3, 200, 3\]"):
        read_structures(path)


def test_two_files_of_one_name_are_refused(ensembles, minima, tmp_path):
    with pytest.raises(ValueError, match=r"another configuration is also called ka-0001"):
        inherent([ensembles[0], minima[0]], tmp_path)


@needs_public_data
def test_two_configurations_teach_much_of_a_third(tmp_path):
    """The propensity to tau_alpha at T = 0.44, from two of the public configurations."""
    paths = [FOLDER / f"T0.44/train/isoconfig_N4096T0.44_{k}_tc07.npz" for k in (1, 2)]
    short = []
    for path in (*paths, CONFIGURATION_402):
        one = read_configuration(path)
        short.append(tmp_path / path.name)
        arrays = {"species": one.species, "initial": one.initial, "cell": one.cell}
        write_configuration(short[-1], **arrays, final=one.final[:1], time=None)
    structures = [read_structures(path)[0] for path in inherent(short, tmp_path / "minima")]
    descriptors = [describe(structure) for structure in structures]
    samples = [read_sample(path) for path in (*paths, CONFIGURATION_402)]
    teacher = Teacher(structures[:2], descriptors[:2], samples[:2])
    found = teacher.propensity(structures[2], descriptors[2])
    some = node_mask(samples[2].graph)
    assert pearson(found[some], samples[2].propensity[some]) > 0.65

"""Pseudo-labels from inherent structures: minima by real LAMMPS runs, and regression on them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from public_data import CONFIGURATION_402, FOLDER, needs_public_data

from lammps_botan.analysis.sample import make_sample, read_sample
from lammps_botan.cli import main
from lammps_botan.evaluation.pearson import node_mask, pearson
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.files.inherent_structures import read_structures
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.known_configurations import known_in
from lammps_botan.simulation import inherent
from lammps_botan.simulation.inherent_structure import inherent_structure
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.distillation import Distillation, describe, towards_inherent
from lammps_botan.training.pseudo_labels import distill
from lammps_botan.training.ridge import CONSTANT, PENALTIES, Ridge, fit_ridge

pytestmark = [pytest.mark.slow, pytest.mark.long]

N = 200
RUNS = 2
RECIPE = """
output = "out"
[data]
train = ["labels/*-000[12]-*.npz"]
validation = ["{validation}"]
[target]
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
def ensembles(simulate, tmp_path_factory):
    """Two runs of each of three small liquids."""
    folder = tmp_path_factory.mktemp("liquids")
    liquids = simulate.equilibrate(
        folder,
        temperature=0.64,
        time=2.0,
        configurations=3,
        n_particles=N,
        melt_time=1.0,
        cooling_time=1.0,
    )
    return simulate.isoconfig(liquids, folder / "runs", temperature=0.64, times=[0.5], runs=RUNS)


@pytest.fixture(scope="module")
def minima(simulate, ensembles, tmp_path_factory):
    return simulate.inherent(ensembles, tmp_path_factory.mktemp("minima"))


@pytest.fixture(scope="module")
def labels(minima, tmp_path_factory):
    """By the command that a user types."""
    folder = tmp_path_factory.mktemp("distilled") / "labels"
    result = CliRunner().invoke(main, ["distill", *map(str, minima), "-o", str(folder)])
    assert result.exit_code == 0, result.output
    assert f"wrote 9 files, {folder / 'ka-0001-start.npz'}" in result.output
    return folder


def test_inherent_structures_lie_beside_the_runs(ensembles, minima):
    for path, found in zip(ensembles, minima, strict=True):
        given, kept = read_ensemble(path), read_ensemble(found)
        np.testing.assert_array_equal(kept.final, given.final)
        assert kept.lag_time == given.lag_time
        with np.load(found, allow_pickle=False) as archive:
            assert archive["inherent_positions"].shape == (1 + RUNS, N, 3)
            assert "lammps" in json.loads(str(archive["versions"]))


def test_inherent_structures_are_minima_close_by(simulate, minima, tmp_path):
    """Minimized once more they stay where they are, at the same energy."""
    start, end, _ = read_structures(minima[0])
    way = towards_inherent(start)
    assert 0.01 < np.sqrt((way**2).sum(axis=1).mean()) < 0.5
    at_rest = replace(start, positions=start.inherent_positions)
    again = tmp_path / "again.npz"
    write_ensemble(again, Ensemble(at_rest, end.inherent_positions[None], lag_time=0.5))
    for first, second in zip(
        (start, end), read_structures(*simulate.inherent([again], tmp_path / "out")), strict=True
    ):
        moved = second.inherent_positions - first.inherent_positions
        assert np.abs(first.box.minimum_image(moved)).max() < 1e-4
        np.testing.assert_allclose(second.inherent_energies, first.inherent_energies, atol=1e-4)


def test_pseudo_labels_are_written_for_starts_and_ends(minima, labels):
    names = {f"ka-000{k}-{end}.npz" for k in (1, 2, 3) for end in ("start", "end1", "end2")}
    assert {path.name for path in labels.glob("*.npz")} == names
    runs = read_ensemble(minima[1])
    for k, positions in enumerate([runs.initial, *runs.final]):
        sample = read_sample(labels / f"ka-0002-{f'end{k}' if k else 'start'}.npz")
        assert sample.lag_time == 0.5
        expected = build_graph(replace(runs.configuration, positions=positions), 2.0)
        np.testing.assert_array_equal(sample.graph.vectors, expected.vectors)
        assert np.isfinite(sample.pair_distance_change).all()
    # how a propensity differs from the mean is what was learned
    own, known = read_sample(labels / "ka-0002-start.npz"), read_sample(minima[1])
    for kind in (0, 1):
        some = known.graph.species == kind
        assert pearson(own.propensity[some], known.propensity[some]) > 0.3
    assert pearson(own.pair_distance_change, known.pair_distance_change) > 0.3


def test_a_network_learns_from_them_and_knows_what_they_came_from(ensembles, minima, tmp_path):
    list(distill(minima[:2], tmp_path / "labels"))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(validation=ensembles[2]))
    (best,) = train(read_config(recipe), tmp_path)
    known = {one.sha256: one.role for one in known_in(load_checkpoint(best).provenance)}
    # a start is trained on itself, with its pseudo-labels; the ends are further configurations
    trained = [one for path in minima[:2] for one in read_structures(path)]
    assert known == {
        read_start(ensembles[2]).sha256: "validation",
        **{one.sha256: "training" for one in trained},
    }
    ends = RECIPE.replace("labels/*-000[12]-*", "labels/*-0001-end*").replace('"out"', '"ends"')
    recipe.write_text(ends.format(validation=ensembles[2]))
    (best,) = train(read_config(recipe), tmp_path)
    known = {one.sha256: one.role for one in known_in(load_checkpoint(best).provenance)}
    starts = [read_start(path).sha256 for path in minima[:2]]
    assert [known[sha256] for sha256 in starts] == ["distillation"] * 2


def test_interrupted_it_goes_on(minima, labels):
    files = sorted(labels.glob("*.npz"))
    before = {path: (path.stat().st_mtime_ns, read_sample(path).propensity) for path in files}
    files[4].unlink()
    assert sorted(distill(minima, labels)) == files
    for path in files:
        np.testing.assert_array_equal(read_sample(path).propensity, before[path][1])
    written = [path for path in files if path.stat().st_mtime_ns != before[path][0]]
    assert written == [files[4]]


def test_other_origins_are_refused_there(minima, labels):
    with pytest.raises(ValueError, match="was begun with sha256"):
        list(distill(minima[:2], labels))


def test_the_former_name_of_the_command_goes_on_working(minima, labels):
    result = CliRunner().invoke(main, ["teach", *map(str, minima), "-o", str(labels)])
    assert result.exit_code == 0, result.output
    assert "DeprecationWarning: The command 'teach' is deprecated" in result.output
    assert "it is now called distill" in result.output
    assert "teach" not in CliRunner().invoke(main, ["--help"]).output


def test_propensities_are_those_of_ridge_regression(minima):
    """As least squares with a row more for the penalty of each weight."""
    samples = [sample_with_minimum(path) for path in minima]
    descriptors = [describe(sample.configuration) for sample in samples]
    distillation = Distillation(samples[:2], descriptors[:2])
    kinds = [sample.graph.species == 1 for sample in samples]
    x = [d[some].astype(np.float64) for d, some in zip(descriptors, kinds, strict=True)]
    y = [s.propensity[some] for s, some in zip(samples, kinds, strict=True)]
    ridge = fit_ridge(x[:2], y[:2])
    assert ridge.penalty in PENALTIES
    within = [one - one.mean(axis=0) for one in x[:2]]
    both = np.concatenate(within)
    used = both.std(axis=0) > CONSTANT
    spread = both.std(axis=0)[used]
    rows = both[:, used] / spread
    wanted = np.concatenate([one - one.mean() for one in y[:2]])
    penalized = np.concatenate([rows, np.sqrt(ridge.penalty) * np.eye(used.sum())])
    weights = np.linalg.lstsq(penalized, np.concatenate([wanted, np.zeros(used.sum())]))[0]
    mean = np.concatenate(x[:2]).mean(axis=0)[used]
    expected = (x[2][:, used] - mean) / spread @ weights + np.mean([one.mean() for one in y[:2]])
    found = distillation.propensity(samples[2].configuration, descriptors[2])[kinds[2]]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(ridge.predict(x[2]), expected, atol=1e-6)


def test_a_linear_law_is_found_in_configurations_of_different_size():
    rng = np.random.default_rng(3)
    x = [rng.normal(size=(1000, 1)), rng.normal(0.3, 1.0, size=(100, 1))]
    ridge = Ridge(x, [2 * one[:, 0] + 1 for one in x], penalty=1e-9)
    np.testing.assert_allclose(ridge.predict(np.array([[0.0], [1.0]])), [1.0, 3.0], atol=1e-6)


def test_the_penalty_is_the_one_by_which_others_predict_a_configuration_best():
    """Much noise wants a large penalty, none a small one."""
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(80, 30)) for _ in range(4)]
    exact = [one @ np.linspace(1, 2, 30) for one in x]
    noise = [rng.normal(size=80) for _ in x]
    assert fit_ridge(x, exact).penalty == PENALTIES[0]
    assert fit_ridge(x, noise).penalty == PENALTIES[-1]


def test_descriptors_do_not_depend_on_the_order_of_particles(minima):
    start = read_structures(minima[0])[0]
    order = np.random.default_rng(0).permutation(N)
    np.testing.assert_allclose(describe(start.select(order)), describe(start)[order], atol=1e-4)


def sample_with_minimum(path):
    return make_sample(replace(read_ensemble(path), configuration=read_structures(path)[0]))


def test_one_configuration_is_too_few(minima, tmp_path):
    with pytest.raises(ValueError, match=r"two configurations or more, .* found 1"):
        list(distill(minima[:1], tmp_path / "labels"))
    assert not (tmp_path / "labels").exists()


def test_files_without_inherent_structures_are_refused(ensembles, tmp_path):
    with pytest.raises(ValueError, match=r"ka-0001\.npz: lacks .*`lammps-botan simulate inherent"):
        list(distill(ensembles, tmp_path / "labels"))


def test_a_wrong_number_of_inherent_structures_is_refused(ensembles, tmp_path):
    one, path = read_ensemble(ensembles[0]), tmp_path / "bad.npz"
    energies = np.zeros((1 + RUNS, N))
    write_ensemble(path, one, inherent_positions=one.final, inherent_energies=energies)
    with pytest.raises(ValueError, match=r"expected inherent_positions \[3, 200, 3\]"):
        read_structures(path)


def test_two_files_of_one_name_are_refused(ensembles, minima, tmp_path):
    with pytest.raises(ValueError, match=r"another configuration is also called ka-0001"):
        inherent([ensembles[0], minima[0]], tmp_path)


@needs_public_data
def test_two_configurations_tell_much_of_a_third():
    """The propensity to tau_alpha at T = 0.44, from two of the public configurations."""
    paths = [FOLDER / f"T0.44/train/isoconfig_N4096T0.44_{k}_tc07.npz" for k in (1, 2)]
    samples = []
    for path in (*paths, CONFIGURATION_402):
        one = read_ensemble(path)
        # as near to the minimum as descriptors can tell
        positions, energies = inherent_structure(one.configuration, 0.1)
        start = replace(one.configuration, inherent_positions=positions, inherent_energies=energies)
        samples.append(make_sample(replace(one, configuration=start)))
    descriptors = [describe(sample.configuration) for sample in samples]
    distillation = Distillation(samples[:2], descriptors[:2])
    found = distillation.propensity(samples[2].configuration, descriptors[2])
    some = node_mask(samples[2].graph, KOB_ANDERSEN)
    assert pearson(found[some], samples[2].propensity[some]) > 0.65

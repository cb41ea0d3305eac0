"""`lammps-botan evaluate`: rho against plain loops, errors, ceilings and comparisons."""

import itertools
import json
import shutil

import numpy as np
import pytest
from evaluations import arrays, graph_of, groups, run, write, write_five
from public_data import CONFIGURATION_401, CONFIGURATION_402, FOLDER, needs_public_data
from toy_models import Walks, save_model

from lammps_botan.cli.shared import to_json
from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.evaluation.evaluation_file import read_evaluation
from lammps_botan.network.predictor import Predictor

NUMBERS = {"rho_mean", "rho_mean_error", "rho_pooled", "rho_pooled_error"}
KEYS = NUMBERS | {"n_configurations", "per_configuration"}
BOND_LENGTHS = {"A-A": 1.35, "A-B": 1.08, "B-B": 1.188}
FLOAT32 = 1e-6  # what rounding of the predictions does to rho


@pytest.fixture
def files(tmp_path):
    return write_five(tmp_path)


@pytest.fixture
def toy(tmp_path):
    """Propensity: number of neighbors. Pair-distance change: distance."""
    return save_model(tmp_path / "toy.pt")


def pairs_of(path, model):
    """Prediction and truth by name of species or pair, by loops over particles and pairs."""
    with np.load(path) as content:
        types, initial, final = (content[k] for k in ("types", "initial_positions", "positions"))
        box = float(content["box"])
    graph = graph_of(initial, types, box)
    predicted = Predictor(model).predict_graph(graph)
    found = {name: ([], []) for name in ("A", "B", *BOND_LENGTHS)}
    for i, kind in enumerate(types):
        x, y = found["AB"[kind]]
        x.append(predicted.node[i, 0])
        y.append(np.mean([np.linalg.norm(run[i] - initial[i]) for run in final]))

    def distance(positions, i, j):
        apart = positions[i] - positions[j]
        return np.linalg.norm(apart - box * np.rint(apart / box))

    for e, (i, j) in enumerate(zip(graph.center, graph.neighbor, strict=True)):
        name = "-".join(sorted("AB"[types[k]] for k in (i, j)))
        start = distance(initial, i, j)
        if start < BOND_LENGTHS[name]:
            x, y = found[name]
            x.append(predicted.edge[e, 0])
            y.append(np.mean([distance(run, i, j) for run in final]) - start)
    return found


def test_rho_is_that_of_loops(files, toy):
    (model,) = evaluate([toy], files)["models"]
    every = [pairs_of(path, toy) for path in files]
    assert list(groups(model)) == ["A", "B", "A-A", "A-B", "B-B"]
    for name, found in groups(model).items():
        each = [np.corrcoef(*one[name])[0, 1] for one in every]
        pooled = np.corrcoef(*(np.concatenate([one[name][k] for one in every]) for k in (0, 1)))
        assert found["per_configuration"] == pytest.approx(each, abs=FLOAT32)
        assert found["rho_mean"] == pytest.approx(np.mean(each), abs=FLOAT32)
        assert found["rho_pooled"] == pytest.approx(pooled[0, 1], abs=FLOAT32)
        assert set(found) == KEYS
        assert found["n_configurations"] == 5
        assert 0 < found["rho_mean_error"] < 0.5
        assert 0 < found["rho_pooled_error"] < 0.5


def variance_without_noise(runs):
    """What different runs have in common: the covariances of all pairs of runs."""
    covariances = np.cov(runs, bias=True)
    return covariances[~np.eye(len(runs), dtype=bool)].mean()


def test_levels_are_those_of_loops(files, toy):
    (model,) = evaluate([toy], files)["models"]
    every = [pairs_of(path, toy) for path in files]
    for name, found in groups(model["levels"]).items():
        errors = [np.subtract(*map(np.asarray, one[name])) for one in every]
        each = [error.mean() for error in errors]
        assert found["bias_per_configuration"] == pytest.approx(each, rel=FLOAT32)
        assert found["bias"] == pytest.approx(np.mean(each), rel=FLOAT32)
        assert found["bias_error"] == pytest.approx(np.std(each, ddof=1) / 5**0.5, rel=0.1)
        squares = np.mean([(error**2).mean() for error in errors])
        assert found["rmse"] == pytest.approx(np.sqrt(squares), rel=FLOAT32)
        variances = [np.var(one[name][0]) for one in every]
        assert found["variance"] == pytest.approx(np.mean(variances), rel=FLOAT32)
    true, means, noise = [], [], []
    for path in files:
        with np.load(path) as content:
            some = content["types"] == 0
            moved = (content["positions"] - content["initial_positions"])[:, some]
        lengths = np.linalg.norm(moved, axis=2)
        true.append(variance_without_noise(lengths))
        means.append(lengths.mean())
        noise.append(lengths.mean(axis=1).var(ddof=1) / len(lengths))
    assert model["levels"]["S"]["A"]["chi_4_ratio"] == pytest.approx(
        np.var([np.mean(one["A"][0], dtype=float) for one in every], ddof=1)
        / (np.var(means, ddof=1) - np.mean(noise)),
        rel=FLOAT32,
    )
    of_a, perfect = model["levels"]["S"]["A"], evaluate([], files)["ceiling"]["levels"]["S"]["A"]
    assert of_a["variance_ratio"] == pytest.approx(of_a["variance"] / np.mean(true), rel=FLOAT32)
    assert perfect["variance"] == pytest.approx(np.mean(true))
    assert [perfect[key] for key in ("bias", "variance_ratio", "chi_4_ratio")] == [0, 1, 1]


@needs_public_data
def test_levels_of_a_liquid_are_those_of_its_runs(toy, tmp_path):
    """Variance, error and four-point amplitude of configuration 402 by another path."""
    with np.load(CONFIGURATION_402) as content:
        some = content["types"] == 0
        initial = content["initial_positions"][some]
        moved = np.linalg.norm(content["positions"][:, some] - initial, axis=2)
        length = (len(some) / 1.2) ** (1 / 3)
    found = evaluate([toy], [CONFIGURATION_402])
    perfect = found["ceiling"]["levels"]["S"]["A"]
    assert perfect["variance"] == pytest.approx(variance_without_noise(moved), rel=1e-6)
    # the mean distance of two runs is twice the variance of a run
    steps = [((a - b) ** 2).mean() for a, b in itertools.combinations(moved, 2)]
    assert perfect["rmse"] == pytest.approx(np.sqrt(np.mean(steps) / 2 / len(moved)), rel=1e-6)
    numbers = [n for n in itertools.product((-1, 0, 1), repeat=3) if n > (0, 0, 0)]
    spectrum = []
    for n in numbers:
        phases = np.exp(2j * np.pi / length * (initial @ n))
        waves = [(one - one.mean()) @ phases for one in moved]
        common = [(a * b.conjugate()).real for a, b in itertools.combinations(waves, 2)]
        spectrum.append(np.mean(common) / len(initial))
    assert perfect["amplitude"] == pytest.approx(np.mean(spectrum), rel=1e-5)
    of_toy = found["models"][0]["levels"]["S"]["A"]
    expected = of_toy["amplitude"] / np.mean(spectrum)
    assert of_toy["amplitude_ratio"] == pytest.approx(expected, rel=1e-5)


def test_a_model_that_sees_half_of_the_bonds_is_compared_with_these(tmp_path):
    """Predicted distances of bonds up to 1.2, over the changes of the same bonds."""
    near = save_model(tmp_path / "near.pt", cutoff=1.2)
    path = write(tmp_path / "c.npz", n_runs=200)
    found = evaluate([near], [path])["models"][0]["levels"]["E"]["A-A"]
    with np.load(path) as content:
        types, initial, final = (content[k] for k in ("types", "initial_positions", "positions"))
    first, second = np.triu_indices(len(types), 1)

    def lengths(positions):
        apart = positions[first] - positions[second]
        return np.linalg.norm(apart - 5 * np.rint(apart / 5), axis=1)

    start = lengths(initial)
    bonds = (start < 1.2) & (types[first] == 0) & (types[second] == 0)
    changes = np.array([lengths(run) - start for run in final])[:, bonds]
    expected = start[bonds].var() / variance_without_noise(changes)
    assert found["variance_ratio"] == pytest.approx(expected, rel=1e-5)
    assert found["bias"] == pytest.approx((start[bonds] - changes.mean(axis=0)).mean(), rel=1e-5)


def test_levels_are_printed_for_the_species_and_bonds_that_are_quoted(tmp_path, toy):
    """A dash where the runs are all noise, as for bonds of particles that walk at random."""
    files = [write(tmp_path / f"c{k}.npz", k, n_runs=100) for k in range(5)]
    printed = run(*files, "-m", toy)
    level = evaluate([toy], files)["models"][0]["levels"]
    for name in ("bias", "RMSE", "variance ratio", "amplitude ratio", "chi_4 ratio"):
        key = name.lower().replace(" ", "_")
        of_a, of_bonds = (line for line in printed.splitlines() if line.startswith(f" {name} "))
        found = level["S"]["A"]
        error = found[f"{key}_error"]
        assert f" {found[key]:.3g} {'' if np.isnan(error) else f'± {error:.2g} '}" in of_a
        if np.isnan(level["E"]["A-A"][key]):
            assert of_bonds.removeprefix(f" {name} ").split() == ["-", "-"]
    assert np.isnan(level["E"]["A-A"]["variance_ratio"])


def test_a_particle_with_fewer_neighbors_moves_farther(files, toy):
    (model,) = evaluate([toy], files[:3])["models"]
    assert model["S"]["A"]["rho_mean"] < -0.5


def test_several_models_have_the_rho_that_each_has_alone_and_are_compared(files, toy, tmp_path):
    """Also with cutoffs of their own, one of them shorter than the bonds."""
    near = save_model(tmp_path / "near.pt", cutoff=1.2)
    far = save_model(tmp_path / "far.pt", Walks(rounds=2), cutoff=2.2)
    found = evaluate([toy, near, far], files)
    for path, model in zip((toy, near, far), found["models"], strict=True):
        (alone,) = evaluate([path], files)["models"]
        assert to_json(model) == to_json(alone)
    names = [str(path) for path in (toy, near, far)]
    assert [step["models"] for step in found["differences"]] == [
        list(pair) for pair in itertools.combinations(names, 2)
    ]
    rho = {model["model"]: groups(model) for model in found["models"]}
    for step in found["differences"]:
        first, second = (rho[name] for name in step["models"])
        for name, difference in groups(step).items():
            expected = second[name]["rho_mean"] - first[name]["rho_mean"]
            assert difference["difference"] == pytest.approx(expected, abs=1e-12)
            steps = np.subtract(second[name]["per_configuration"], first[name]["per_configuration"])
            expected = steps.std(ddof=1) / 5**0.5
            assert difference["error"] == pytest.approx(expected, rel=0.1, abs=1e-12)


def test_the_ceiling_of_bonds_does_not_depend_on_the_models(files, toy, tmp_path):
    """Also if all of them see less than a bond."""
    near = save_model(tmp_path / "near.pt", cutoff=1.2)
    ceilings = [evaluate([model], files)["ceiling"] for model in (near, toy)]
    assert to_json(ceilings[0]) == to_json(ceilings[1])


def test_two_calls_agree(files, toy):
    assert json.dumps(evaluate([toy], files)) == json.dumps(evaluate([toy], files))


def test_a_constant_prediction_has_no_rho_and_says_so(files, tmp_path):
    flat = save_model(tmp_path / "flat.pt", Walks(weights=(0.0, 0.0)))
    (model,) = evaluate([flat], files)["models"]
    assert np.isnan(model["S"]["A"]["per_configuration"]).all()
    assert np.isnan([model["S"]["A"][key] for key in NUMBERS]).all()
    assert np.isfinite(model["E"]["A-A"]["rho_mean"])
    printed = run(*files, "-m", flat)
    assert "nan" not in printed
    row = next(line for line in printed.splitlines() if "rho_mean" in line)
    assert row.split()[:4] == ["rho_mean,", "n", "=", "5"]
    assert row.split()[4] == "-"
    (model,) = json.loads(run(*files, "-m", flat, "--json"))["models"]
    assert model["S"]["A"]["rho_mean"] is None
    assert model["S"]["A"]["per_configuration"] == [None] * 5


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_few_configurations_have_no_error(files, toy, n):
    (model,) = evaluate([toy], files[:n])["models"]
    for found in groups(model).values():
        errors = [found["rho_mean_error"], found["rho_pooled_error"]]
        assert np.isnan(errors).all() == (n < 5)
        assert found["n_configurations"] == n
    printed = run(*files[:n], "-m", toy)
    assert ("±" in printed) == (n == 5)
    assert printed.count(f"rho_mean, n = {n} ") == printed.count(f"rho_pooled, n = {n} ") == 5
    assert ("no errors: they need 5 configurations or more" in printed) == (n < 5)


def test_one_configuration_is_its_own_mean(files, toy):
    (model,) = evaluate([toy], files[:1])["models"]
    for found in groups(model).values():
        assert found["rho_mean"] == pytest.approx(found["rho_pooled"])


def test_of_several_lag_times_that_of_the_file_is_scored(tmp_path):
    """The second output of the toy is the species, which does not vary among A."""
    walks = Walks(node_outputs=2, edge_outputs=2)
    model = save_model(tmp_path / "two.pt", walks, lag_times=[4120.0, 13.0])
    for time, flat in ((4120.0, False), (13.0, True)):
        path = write(tmp_path / f"t{time:g}.npz", time=time)
        (found,) = evaluate([model], [path])["models"]
        assert found["lag_time"] == time
        assert np.isnan(found["S"]["A"]["rho_mean"]) == flat
        assert np.isnan(found["E"]["A-A"]["rho_mean"]) == flat
    for path, message in (
        (write(tmp_path / "other.npz", time=130.0), "the lag time of the file is 130"),
        (write(tmp_path / "none.npz"), "the file does not say its own"),
    ):
        with pytest.raises(ValueError, match=rf"{path.name}: .*two\.pt .* 4120, 13.*{message}"):
            evaluate([model], [path])


@pytest.mark.parametrize(("nodes", "edges"), [(1, 2), (2, 1)])
def test_each_lag_time_needs_an_output(files, tmp_path, nodes, edges):
    walks = Walks(node_outputs=nodes, edge_outputs=edges)
    model = save_model(tmp_path / "two.pt", walks, lag_times=[4120.0, 13.0])
    with pytest.raises(ValueError, match=r"two\.pt: expected an output for each of 2 lag times"):
        evaluate([model], files)


def test_the_ceiling_of_runs_that_are_all_the_same_is_one(tmp_path, toy):
    content = arrays(n_runs=1)
    path = write(tmp_path / "c.npz", positions=np.repeat(content["positions"], 6, axis=0))
    limit = evaluate([toy], [path])["ceiling"]
    assert [s["rho_mean"] for s in groups(limit).values()] == pytest.approx([1.0] * 5)


def test_runs_that_never_moved_have_no_rho_and_no_ceiling(tmp_path, toy):
    """Not those of the rounding errors, of positions that are no multiples of anything."""
    initial = arrays()["initial_positions"]
    rounding = np.random.default_rng(0).integers(-2, 3, (4, 150, 3)) * 1e-15
    found = evaluate([toy], [write(tmp_path / "c.npz", positions=initial + rounding)])
    for rho in (*groups(found["models"][0]).values(), *groups(found["ceiling"]).values()):
        assert np.isnan([rho["rho_mean"], rho["rho_pooled"]]).all()


def test_a_single_run_has_no_ceiling(tmp_path, toy):
    found = evaluate([toy], [write(tmp_path / "c.npz", n_runs=1)])
    assert np.isfinite(found["models"][0]["S"]["A"]["rho_mean"])
    assert np.isnan([s["rho_mean"] for s in groups(found["ceiling"]).values()]).all()


def test_without_a_model_there_are_the_ceilings(files, toy):
    found = evaluate([], files)
    assert found["models"] == found["differences"] == []
    assert to_json(found["ceiling"]) == to_json(evaluate([toy], files)["ceiling"])
    row = next(line for line in run(*files).splitlines() if "rho_mean" in line)
    assert f"{found['ceiling']['S']['A']['rho_mean']:.4f} ± " in row


@needs_public_data
def test_the_ceilings_of_the_public_data_are_those_known(toy):
    """Those of docs/reference/evaluate.md."""
    found = evaluate([toy], sorted((FOLDER / "T0.44").glob("*/*.npz")))
    assert len(found["configurations"]) == 12
    limit = found["ceiling"]
    assert limit["S"]["A"]["rho_mean"] == pytest.approx(0.918, abs=0.0006)
    assert limit["S"]["A"]["rho_pooled"] == pytest.approx(0.939, abs=0.0006)
    assert limit["E"]["A-A"]["rho_mean"] == pytest.approx(0.878, abs=0.0006)


@needs_public_data
def test_the_table_fits_three_models_into_100_columns(toy, tmp_path):
    models = [save_model(tmp_path / f"m{k}.pt", Walks(rounds=k)) for k in (1, 2, 3)]
    files = (CONFIGURATION_401, CONFIGURATION_402)
    printed = run(*files, *(word for model in models for word in ("-m", model)))
    lines = printed.splitlines()
    assert max(map(len, lines)) <= 100
    for path in files:
        rows = [line.split() for line in lines if line.startswith(f" {path.stem}")]
        assert len(rows) == 5  # A, B, A-A, A-B, B-B
        assert all(len(row) == 5 for row in rows)
    assert sum(line.startswith(" difference to m1 ") for line in lines) == 5


def test_the_json_is_what_python_gets(files, toy):
    """With null in place of NaN, which some ratios of so few particles are."""
    printed = run(*files, "-m", toy, "--json")
    assert printed.strip() == to_json(evaluate([str(toy)], [str(path) for path in files]))


def test_what_is_written_is_read_back_also_of_earlier_versions(files, toy, tmp_path):
    path = tmp_path / "e.json"
    path.write_text(run(*files, "-m", toy, "--json"))
    assert to_json(read_evaluation(path).model_dump()) == path.read_text().strip()
    content = json.loads(path.read_text())
    for part in (content["ceiling"], *content["models"]):
        del part["levels"]
    for key in ("inputs", "training_configurations"):
        del content["models"][0][key]
    for key in ("sha256", "temperature"):
        del content[key]
    path.write_text(json.dumps(content))
    old = read_evaluation(path)
    assert old.models[0].levels is None
    assert old.models[0].inputs.history is None
    assert old.sha256 == []


def test_the_same_configurations_in_other_files_have_the_same_sha256(files, toy, tmp_path):
    (tmp_path / "copy").mkdir()
    copies = [shutil.copy(path, tmp_path / "copy" / f"other-{path.name}") for path in files]
    assert evaluate([toy], copies)["sha256"] == evaluate([toy], files)["sha256"]


def test_names_that_differ_in_their_folders_only_are_printed_whole(files, tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_model(tmp_path / name / "model.pt")
    monkeypatch.chdir(tmp_path)
    printed = run(files[0].resolve(), "-m", "a/model.pt", "-m", "b/model.pt")
    assert "a/model.pt" in printed
    assert "b/model.pt" in printed

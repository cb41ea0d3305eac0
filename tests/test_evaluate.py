"""`lammps-botan evaluate`: scores against plain loops, ceilings, comparisons, and bad input."""

import itertools
import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from public_data import CONFIGURATION_401, CONFIGURATION_402, FOLDER, needs_public_data
from toy_models import Walks, save_model

from lammps_botan.cli import main
from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.export import export
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Scorer
from lammps_botan.structure.graph import build_graph

SCORES = {"rho_mean", "rho_mean_error", "rho_pooled", "rho_pooled_error", "per_configuration"}
BOND_LENGTHS = {"A-A": 1.35, "A-B": 1.08, "B-B": 1.188}
FLOAT32 = 1e-6  # what rounding of the predictions does to rho


def arrays(seed=0, n=150, n_runs=4, box=5.0):
    """Particles that move the farther the fewer neighbors they have, a fifth of them B."""
    rng = np.random.default_rng(seed)
    initial = rng.random((n, 3)) * box
    types = (np.arange(n) % 5 == 4).astype(np.int64)
    counts = np.bincount(build_graph(initial, box, types).center, minlength=n)
    moved = rng.normal(size=(n_runs, n, 3)) * (1 / (1 + counts))[:, None]
    return {
        "types": types,
        "initial_positions": initial,
        "positions": initial + moved,
        "box": box,
    }


def write(path, seed=0, drop="", n=150, n_runs=4, box=5.0, **changes):
    content = {**arrays(seed, n, n_runs, box), **changes}
    np.savez(path, **{key: value for key, value in content.items() if key != drop})
    return path


@pytest.fixture
def files(tmp_path):
    """Three configurations with different numbers of particles and runs."""
    sizes = ((150, 4), (120, 6), (180, 5))
    return [
        write(tmp_path / f"c{k}.npz", k, n=n, n_runs=n_runs) for k, (n, n_runs) in enumerate(sizes)
    ]


@pytest.fixture
def toy(tmp_path):
    """Propensity: number of neighbors. Pair-distance change: distance."""
    return save_model(tmp_path / "toy.pt")


def pairs_of(path, model):
    """Prediction and truth by name of species or pair, by loops over particles and pairs."""
    with np.load(path) as content:
        types, initial, final = (content[k] for k in ("types", "initial_positions", "positions"))
        box = float(content["box"])
    graph = build_graph(initial, box, types)
    predicted = Scorer(model).score(graph)
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


def groups(model):
    return {**model["S"], **model["E"]}


def test_scores_are_those_of_loops(files, toy):
    (model,) = evaluate([toy], files)["models"]
    every = [pairs_of(path, toy) for path in files]
    assert list(groups(model)) == ["A", "B", "A-A", "A-B", "B-B"]
    for name, scores in groups(model).items():
        each = [np.corrcoef(*one[name])[0, 1] for one in every]
        pooled = np.corrcoef(*(np.concatenate([one[name][k] for one in every]) for k in (0, 1)))
        assert scores["per_configuration"] == pytest.approx(each, abs=FLOAT32)
        assert scores["rho_mean"] == pytest.approx(np.mean(each), abs=FLOAT32)
        assert scores["rho_pooled"] == pytest.approx(pooled[0, 1], abs=FLOAT32)
        assert set(scores) == SCORES
        assert 0 < scores["rho_mean_error"] < 0.5
        assert 0 < scores["rho_pooled_error"] < 0.5


def test_a_particle_with_fewer_neighbors_moves_farther(files, toy):
    (model,) = evaluate([toy], files)["models"]
    assert model["S"]["A"]["rho_mean"] < -0.5


def test_several_models_score_what_each_scores_alone_and_are_compared(files, toy, tmp_path):
    """Also with cutoffs of their own, one of them shorter than the bonds."""
    near = save_model(tmp_path / "near.pt", cutoff=1.2)
    far = save_model(tmp_path / "far.pt", Walks(rounds=2), cutoff=2.2)
    found = evaluate([toy, near, far], files)
    for path, model in zip((toy, near, far), found["models"], strict=True):
        (alone,) = evaluate([path], files)["models"]
        assert model == alone
    names = [str(path) for path in (toy, near, far)]
    assert [step["models"] for step in found["differences"]] == [
        list(pair) for pair in itertools.combinations(names, 2)
    ]
    scores = {model["model"]: groups(model) for model in found["models"]}
    for step in found["differences"]:
        first, second = (scores[name] for name in step["models"])
        for name, difference in groups(step).items():
            expected = second[name]["rho_mean"] - first[name]["rho_mean"]
            assert difference["difference"] == pytest.approx(expected, abs=1e-12)
            steps = np.subtract(second[name]["per_configuration"], first[name]["per_configuration"])
            assert difference["error"] == pytest.approx(steps.std() / 3**0.5, rel=0.1, abs=1e-12)


def test_the_ceiling_of_bonds_does_not_depend_on_the_models(files, toy, tmp_path):
    """Also if all of them see less than a bond."""
    near = save_model(tmp_path / "near.pt", cutoff=1.2)
    assert evaluate([near], files)["ceiling"] == evaluate([toy], files)["ceiling"]


def test_two_calls_agree(files, toy):
    assert json.dumps(evaluate([toy], files)) == json.dumps(evaluate([toy], files))


def test_what_is_known_of_a_model_stands_beside_its_scores(files, tmp_path):
    torch.manual_seed(0)
    physics = Physics(cutoff=1.5, lag_times=(13.0,), temperature=0.5)

    def of(p):
        return Checkpoint(Botan(3, 16), physics, {"config": {"recipe": {"p": p}}})

    export(of(0.4), tmp_path / "one.pt")
    export([of(0.4), of(0.4)], tmp_path / "alike.pt")
    export([of(0.4), of(1.0)], tmp_path / "mixed.pt")
    save_model(tmp_path / "toy.pt", provenance=["by hand"])
    names = ["one.pt", "alike.pt", "mixed.pt", "toy.pt"]
    found = evaluate([tmp_path / name for name in names], files)["models"]
    assert [model["members"] for model in found] == [1, 2, 2, 1]
    assert [model["width"] for model in found] == [16, 16, 16, 3]
    assert [model["p"] for model in found] == [0.4, 0.4, None, None]
    for model in found[:3]:
        facts = [model[key] for key in ("architecture", "rounds", "temperature", "lag_time")]
        assert facts == ["botan", 3, 0.5, 13.0]
    toy = found[3]
    assert [toy[key] for key in ("architecture", "temperature", "lag_time")] == ["toy", None, None]


def test_of_an_ensemble_the_mean_is_scored(files, tmp_path):
    torch.manual_seed(0)
    physics = Physics()
    members = [Checkpoint(Botan(1, 16), physics) for _ in range(2)]
    export(members, tmp_path / "ensemble.pt")
    (model,) = evaluate([tmp_path / "ensemble.pt"], files[:1])["models"]
    with np.load(files[0]) as content:
        types, positions = content["types"], content["initial_positions"]
    predicted = Scorer(tmp_path / "ensemble.pt").score(build_graph(positions, 5.0, types))
    truth = pairs_of(files[0], tmp_path / "ensemble.pt")["A"][1]
    rho = np.corrcoef(predicted.node[types == 0, 0], truth)[0, 1]
    assert model["S"]["A"]["rho_mean"] == pytest.approx(rho, abs=FLOAT32)


def test_a_model_without_edge_outputs_has_no_scores_of_bonds(files, toy, tmp_path):
    torch.manual_seed(0)
    export(Checkpoint(NtGnn(1, 16), Physics()), tmp_path / "nt.pt")
    found = evaluate([toy, tmp_path / "nt.pt"], files)
    assert [model["E"] is None for model in found["models"]] == [False, True]
    (step,) = found["differences"]
    assert step["E"] is None
    assert set(found["ceiling"]["E"]) == set(BOND_LENGTHS)
    printed = run(files[0], "-m", tmp_path / "nt.pt")
    assert "rho of the propensity S" in printed
    assert "rho of the changes E" not in printed


def test_a_constant_prediction_has_no_rho_and_says_so(files, tmp_path):
    flat = save_model(tmp_path / "flat.pt", Walks(weights=(0.0, 0.0)))
    (model,) = evaluate([flat], files)["models"]
    assert np.isnan(model["S"]["A"]["per_configuration"]).all()
    assert np.isnan([model["S"]["A"][key] for key in SCORES - {"per_configuration"}]).all()
    assert np.isfinite(model["E"]["A-A"]["rho_mean"])
    assert "nan" in run(*files, "-m", flat)
    (model,) = json.loads(run(*files, "-m", flat, "--json"))["models"]
    assert model["S"]["A"]["rho_mean"] is None
    assert model["S"]["A"]["per_configuration"] == [None] * 3


def test_one_configuration_has_no_error(files, toy):
    (model,) = evaluate([toy], files[:1])["models"]
    for scores in groups(model).values():
        assert np.isnan([scores["rho_mean_error"], scores["rho_pooled_error"]]).all()
        assert scores["rho_mean"] == pytest.approx(scores["rho_pooled"])
    assert "±" not in run(files[0], "-m", toy).replace("±: standard error", "")


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
    for scores in (*groups(found["models"][0]).values(), *groups(found["ceiling"]).values()):
        assert np.isnan([scores["rho_mean"], scores["rho_pooled"]]).all()


def test_a_single_run_has_no_ceiling(tmp_path, toy):
    found = evaluate([toy], [write(tmp_path / "c.npz", n_runs=1)])
    assert np.isfinite(found["models"][0]["S"]["A"]["rho_mean"])
    assert np.isnan([s["rho_mean"] for s in groups(found["ceiling"]).values()]).all()


@needs_public_data
def test_the_ceilings_of_the_public_data_are_those_known(toy):
    """Those of docs/evaluate.md."""
    found = evaluate([toy], sorted((FOLDER / "T0.44").glob("*/*.npz")))
    assert len(found["configurations"]) == 12
    limit = found["ceiling"]
    assert limit["S"]["A"]["rho_mean"] == pytest.approx(0.918, abs=0.0006)
    assert limit["S"]["A"]["rho_pooled"] == pytest.approx(0.939, abs=0.0006)
    assert limit["E"]["A-A"]["rho_mean"] == pytest.approx(0.878, abs=0.0006)


def run(*words, fails=False):
    result = CliRunner().invoke(main, ["evaluate", *map(str, words)], env={"COLUMNS": "100"})
    assert (result.exit_code != 0) == fails, result.output
    return result.output


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
    printed = json.loads(run(*files, "-m", toy, "--json"))
    assert printed == evaluate([str(toy)], [str(path) for path in files])


def test_names_that_differ_in_their_folders_only_are_printed_whole(files, tmp_path):
    models = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        models.append(save_model(tmp_path / name / "model.pt"))
    printed = "".join(run(files[0], "-m", models[0], "-m", models[1]).split())
    assert "a/model.pt" in printed
    assert "b/model.pt" in printed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.full((2, 150, 3), np.nan)}, "positions holds values that are not finite"),
        ({"positions": np.zeros((0, 150, 3))}, r"has no runs: .* found \[0, 150, 3\]"),
        ({"drop": "types"}, "lacks types; found box, initial_positions, positions"),
        ({"types": np.full(150, 2)}, r"toy\.pt knows 2 species \(A, B\), found species number 2"),
        ({"box": 2.5}, "the box is smaller than two cutoffs"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, toy, changes, message):
    good = write(tmp_path / "good.npz")
    bad = write(tmp_path / "bad.npz", 1, **changes)
    with pytest.raises(ValueError, match=rf"bad\.npz: .*{message}"):
        evaluate([toy], [good, bad])
    assert "bad.npz" in run(good, bad, "-m", toy, fails=True)


def test_a_folder_is_no_file(tmp_path, toy):
    folder, empty = tmp_path / "folder", tmp_path / "empty"
    for path in (folder, empty):
        path.mkdir()
    write(folder / "c.npz")
    with pytest.raises(ValueError, match=r"found a folder; type .*folder/\*\.npz$"):
        evaluate([toy], [folder])
    assert f"type {folder}/*.npz" in run(folder, "-m", toy, fails=True)
    with pytest.raises(ValueError, match=r"empty: expected an npz .* found a folder without any$"):
        evaluate([toy], [empty])


def test_without_files_or_models_there_is_nothing_to_do(tmp_path, toy):
    with pytest.raises(ValueError, match="expected at least one npz or pickle file, found none"):
        evaluate([toy], [])
    with pytest.raises(ValueError, match="expected at least one model, found none"):
        evaluate([], [write(tmp_path / "c.npz")])


def test_a_configuration_counts_once(tmp_path, toy):
    path = write(tmp_path / "c.npz")
    with pytest.raises(ValueError, match=r"c\.npz: given twice; a configuration"):
        evaluate([toy], [path, path])
    (tmp_path / "folder").mkdir()
    again = tmp_path / "folder" / ".." / "c.npz"
    with pytest.raises(ValueError, match=r"\.\./c\.npz: given twice, also as .*c\.npz; a config"):
        evaluate([toy], [path, again])


def test_lag_times_are_not_mixed(tmp_path, toy):
    short, long = (write(tmp_path / f"{t}.npz", t, time=float(t)) for t in (1, 13))
    unsaid = write(tmp_path / "unsaid.npz")
    found = evaluate([toy], [unsaid, short])
    assert len(found["configurations"]) == 2
    assert found["time"] == 1.0
    assert evaluate([toy], [unsaid])["time"] is None
    with pytest.raises(ValueError, match=r"13\.npz: the lag time is 13, that of .*1\.npz 1; "):
        evaluate([toy], [unsaid, short, long])


def test_models_of_different_mixtures_are_not_compared(files, toy, tmp_path):
    other = save_model(tmp_path / "other.pt", species=["Ni", "P"])
    with pytest.raises(ValueError, match=r"toy\.pt has A B, .*other\.pt has Ni P"):
        evaluate([toy, other], files)
    (model,) = evaluate([other], files)["models"]
    assert list(groups(model)) == ["Ni", "P", "Ni-Ni", "Ni-P", "P-P"]


def test_predictions_that_are_not_finite_are_refused(files, tmp_path):
    for fault in ("nan", "nan edges"):
        model = save_model(tmp_path / "bad.pt", Walks(fault=fault))
        with pytest.raises(ValueError, match=r"c0\.npz: .*bad\.pt predicts numbers that are not"):
            evaluate([model], files)


def test_a_model_that_fails_is_named_with_the_file(files, tmp_path):
    model = save_model(tmp_path / "bad.pt", Walks(fault="raise"))
    with pytest.raises(ValueError, match=r"c0\.npz: .*bad\.pt cannot score it: .*on purpose"):
        evaluate([model], files)

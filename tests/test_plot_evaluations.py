"""What is read from the files of `lammps-botan evaluate --json`, and what is refused."""

import json
import re

import numpy as np
import pytest
from evaluation_json import correlation, legend, model, write
from pictures import distances, liquid, words, write_ensemble
from score_runs import run
from toy_models import Walks, save_model

from lammps_botan.figures.conditions import read_conditions


def test_correlations_stand_at_the_lag_time_of_the_data(tmp_path):
    """A model that was trained for another one has a line of its own, which says so."""
    own, other, silent = model(), model("o.pt", lag_time=4120.0), model("s.pt", lag_time=None)
    path = write(tmp_path / "a", own, other, silent, time=130.0)
    (condition,) = read_conditions([path])
    assert condition.lag_time == 130.0
    assert [m.lag_time for m in condition.models] == [130.0] * 3
    assert [m.trained_for for m in condition.models] == [None, 4120.0, None]
    run("plot", "correlation-vs-time", path, "-o", tmp_path / "c.svg")
    found = legend(tmp_path / "c.svg")
    assert {"BOTAN; median, worst and best of 2", "BOTAN, trained for t = 4120"} <= set(found)
    elsewhere = write(tmp_path / "b", *({**m, "rounds": 3} for m in (own, other)), time=130.0)
    run("plot", "ablation", path, elsewhere, "-o", tmp_path / "a.svg")
    assert r"$\rho_S$ (A), trained for t = 4120" in words(tmp_path / "a.svg")


def test_correlations_stand_at_the_temperature_of_the_data(tmp_path):
    """A model of another one is drawn with those of the data, and its line says so."""
    own, other = model(temperature=0.5), model("o.pt")
    both = {"lag_time": 4120.0, "architecture": "linear"}
    path = write(tmp_path / "a", own, other, model("b.pt", **both), time=130.0, temperature=0.5)
    unsaid = write(tmp_path / "old", model("u.pt"), time=130.0)
    cold, warm = read_conditions([path, unsaid])
    assert (cold.temperature, warm.temperature) == (0.44, 0.5)
    assert [m.model for m in cold.models] == ["u.pt"]
    assert [m.trained_at for m in cold.models + warm.models] == [None, None, 0.44, 0.44]
    # within 1 %; and a model that does not say its temperature
    near = write(tmp_path / "n", model(), model("s.pt", temperature=None), temperature=0.442)
    (condition,) = read_conditions([near])
    assert condition.temperature == 0.442
    assert [m.trained_at for m in condition.models] == [None, None]
    # one row with files of a temperature within 1 %, at whatever lag time
    later = write(tmp_path / "l", model(lag_time=13.0), time=13.0, temperature=0.44)
    assert {c.temperature for c in read_conditions([near, later])} == {0.442}
    said = write(tmp_path / "k", model(), mixture="kob-andersen", temperature=0.442)
    run("plot", "correlation-vs-time", said, "-o", tmp_path / "p.svg", "--published")
    assert "T = 0.442" in legend(tmp_path / "p.svg")
    run("plot", "correlation-vs-time", path, "-o", tmp_path / "c.svg")
    names = legend(tmp_path / "c.svg")
    assert names.count("T = 0.5") == 2
    assert "T = 0.44" not in names
    expected = {"BOTAN", "BOTAN, trained at T = 0.44"}
    assert expected | {"linear, trained at T = 0.44 and for t = 4120"} <= set(names)
    wide = write(tmp_path / "w", model(rounds=3), own, time=130.0, temperature=0.5)
    run("plot", "ablation", path, wide, "-o", tmp_path / "a.svg")
    assert "trained at T = 0.44" in (tmp_path / "a.svg").read_text()


def test_published_curves_are_those_of_the_temperature_of_the_data(tmp_path):
    data = {"mixture": "kob-andersen", "temperature": 0.64, "time": 16.5}
    path = write(tmp_path / "a", model(lag_time=16.5), **data)
    run("plot", "correlation-vs-time", path, "-o", tmp_path / "c.svg", "--published")
    names = legend(tmp_path / "c.svg")
    assert "BOTAN, trained at T = 0.44" in names
    assert "T = 0.64" in names
    assert "T = 0.44" not in names


def test_the_quoted_species_is_drawn_where_the_file_names_it(tmp_path):
    """And the first one of older files, which do not."""
    names = {"S": {k: correlation(rho) for k, rho in (("P", 0.3), ("Ni", 0.5))}}
    old = model(E=None, **names)
    (condition,) = read_conditions([write(tmp_path / "old", old, ceiling=None)])
    assert condition.models[0].rho["S"].value == 0.3
    new = write(tmp_path / "new", old, ceiling=None, quoted={"S": "Ni"}, units="metal")
    (condition,) = read_conditions([new])
    assert condition.models[0].rho["S"].value == 0.5
    run("plot", "correlation-vs-time", new, "-o", tmp_path / "c.svg")
    assert {r"$\rho_S$ of propensities, Ni", r"$t/\mathrm{ps}$"} <= set(words(tmp_path / "c.svg"))
    printed = run(
        "plot", "ablation", tmp_path / "new", write(tmp_path / "lj", old), "-o", "x.png", fails=True
    ).output
    assert "draw each" in re.sub(r"\s+", " ", printed)


def test_only_the_configurations_of_the_means_must_agree(tmp_path):
    """A model that knows one of them, and one that knows none."""
    files = ["a/1.npz", "a/2.npz", "a/3.npz"]
    first = write(tmp_path / "a", model(), configurations=files, left_out=files[2:])
    second = write(tmp_path / "b", model("other.pt"))
    (condition,) = read_conditions([first, second])
    assert [m.model for m in condition.models] == ["m.pt", "other.pt"]


def test_a_model_in_several_files_is_read_once(tmp_path):
    same = model(s=float("nan"))
    files = [
        write(tmp_path / "a", same),
        write(tmp_path / "b", same, model("other.pt"), configurations=["/x/a/2.npz", "1.npz"]),
        write(tmp_path / "c", same, configurations=["../a/2.npz", "/x/a/1.npz"]),
    ]
    (condition,) = read_conditions(files)
    assert [m.model for m in condition.models] == ["m.pt", "other.pt"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": []}, "has ceilings and no models; make such a file with"),
        ({"models": [3]}, "'models[0]' must be an object, found 3"),
        ({"models": [{}]}, "has no key 'models[0].model'"),
        ({"models": [model(p=3)]}, "'models[0].p' must be less than or equal to 1, found 3"),
        (
            {"models": [model(temperature=0)]},
            "'models[0].temperature' must be greater than 0, found",
        ),
        (
            {"models": [model(temperature=None)]},
            "'models[0].temperature' of m.pt is unknown, as neither its model file nor the",
        ),
        (
            {"models": [model(lag_time=None)]},
            "'models[0].lag_time' of m.pt is unknown, as neither its model file nor the evaluated",
        ),
        (
            {"models": [model(members=0)]},
            "'models[0].members' must be greater than or equal to 1, found 0",
        ),
        ({"models": [model(width=None)]}, "'models[0].width' must be a valid integer, found None"),
        ({"time": -1}, "'time' must be greater than 0, found -1"),
        (
            {"models": [model(), model(S={"Ni": correlation(0.5)})]},
            "has correlations of Ni, and what comes before has those of A; draw each mixture in",
        ),
        (
            {"models": [model(lag_time="x")]},
            "'models[0].lag_time' must be a valid number, found 'x'",
        ),
        ({"models": [model(rounds=2.5)]}, "'models[0].rounds' must be a valid integer, found 2.5"),
        (
            {"models": [model(S={"rho_mean": 0.4})]},
            "'models[0].S.rho_mean' must be an object,",
        ),
        ({"models": [model(S={"A": {}})]}, "has no key 'models[0].S.A.rho_mean'"),
        ({"models": [model(s=[1])]}, "'models[0].S.A.rho_mean' must be a valid number, found [1]"),
        ({"models": [model(s=float("inf"))]}, "'models[0].S.A.rho_mean' must be a number, or"),
        ({"models": [model(), model(lag_time=1.0)]}, "has models for T = 0.44, t = 1 and T = 0.44"),
        ({"ceiling": 1}, "'ceiling' must be an object, found 1"),
        ({"sha256": ["a1"]}, "the whole must have one 'sha256' for each of its 2 configurations"),
        ({"configurations": "a"}, "'configurations' must be a valid list, found 'a'"),
    ],
)
def test_what_is_no_evaluation_is_named(tmp_path, changes, message):
    path = write(tmp_path / "e.json", model(), **changes)
    for command in ("correlation-vs-time", "ablation"):
        printed = run("plot", command, path, "-o", tmp_path / "x.png", fails=True).output
        assert f"e.json: {message}" in re.sub(r"\s+", " ", printed)
    assert not (tmp_path / "x.png").exists()


def test_files_that_cannot_be_compared_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a, b = write(tmp_path / "a", model()), tmp_path / "b"
    write(b, model("other.pt"), configurations=["b/1.npz", "b/2.npz"])
    (tmp_path / "text").write_text("rho = 0.7")
    (tmp_path / "list").write_text("[]")
    for command, files, message in (
        (
            "ablation",
            (a, b),
            "b: has correlations of models for T = 0.44, t = 130 on b/1.npz, b/2.npz, but",
        ),
        ("ablation", (a,), "number of training configurations, and in nothing else; found m.pt"),
        ("correlation-vs-time", ("none",), "none: no such file"),
        ("correlation-vs-time", ("text",), "text: not a JSON file"),
        (
            "correlation-vs-time",
            ("list",),
            "list: the whole must be an object, found []",
        ),
    ):
        printed = run("plot", command, *files, "-o", "x.png", fails=True).output
        assert message in re.sub(r"\s+", " ", printed)
    assert not (tmp_path / "x.png").exists()


def test_what_evaluate_writes_is_drawn(tmp_path):
    lengths = np.random.default_rng(3).uniform(0.1, 1.0, 100)
    configurations = [
        write_ensemble(tmp_path / f"{k}.npz", lengths, seed=k, time=2.0, temperature=0.5)
        for k in (1, 2)
    ]
    facts = {"lag_times": [2.0], "temperature": 0.44}
    models = []
    for n in (1, 2):
        models += ["-m", save_model(tmp_path / f"{n}.pt", Walks(n), rounds=n, **facts)]
    (tmp_path / "e.json").write_text(run("evaluate", *configurations, *models, "--json").stdout)
    (condition,) = read_conditions([tmp_path / "e.json"])
    assert [m.rounds for m in condition.models] == [1, 2]
    assert condition.temperature == 0.5
    written = json.loads((tmp_path / "e.json").read_text())["ceiling"]
    for quantity, group in (("S", "A"), ("E", "A-A")):
        assert condition.ceilings[quantity].value == written[quantity][group]["rho_mean"]
        assert 0 < condition.ceilings[quantity].value <= 1
    # walks of one step are counted where they start: Pearson with what was made above
    rho = []
    for k in (1, 2):
        positions, types = liquid(k)
        neighbors = (distances(positions) < 2.0).sum(axis=1) - 1
        rho.append(np.corrcoef(neighbors[types == 0], lengths[types == 0])[0, 1])
    assert condition.models[0].rho["S"].value == pytest.approx(np.mean(rho))
    run("plot", "correlation-vs-time", tmp_path / "e.json", "-o", tmp_path / "c.svg")
    assert "toy, n = 2, trained at T = 0.44" in legend(tmp_path / "c.svg")
    run("plot", "ablation", tmp_path / "e.json", "-o", tmp_path / "a.svg")
    assert "number of rounds $n$" in words(tmp_path / "a.svg")

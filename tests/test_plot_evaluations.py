"""Pictures of what `lammps-botan evaluate --json` wrote."""

import json
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import distances, liquid, words, write_ensemble
from score_runs import run
from toy_models import Walks, save_model

from lammps_botan.figures.conditions import Rho, read_conditions
from lammps_botan.figures.correlation import _labels
from lammps_botan.figures.picture import COLORS
from lammps_botan.figures.published import published_curves
from lammps_botan.figures.rho_line import draw_rho


def correlation(rho, error=0.02):
    keys = ("rho_mean", "rho_mean_error", "rho_pooled", "rho_pooled_error")
    numbers = dict(zip(keys, (rho, error, rho, error), strict=True))
    return {**numbers, "per_configuration": [rho, rho]}


def model(name="m.pt", s=0.7, e=0.6, **changes):
    content = {
        "model": name,
        "architecture": "botan",
        "rounds": 7,
        "width": 64,
        "members": 1,
        "p": 0.4,
        "temperature": 0.44,
        "lag_time": 130.0,
        "S": {"A": correlation(s), "B": correlation(s)},
        "E": {kind: correlation(e) for kind in ("A-A", "A-B", "B-B")},
    }
    return {**content, **changes}


def write(path, *models, **changes):
    content = {
        "time": None,
        "models": models,
        "ceiling": {"S": {"A": correlation(0.97)}, "E": {"A-A": correlation(0.93)}},
        "differences": [],
        "configurations": ["a/1.npz", "a/2.npz"],
    }
    path.write_text(json.dumps({**content, **changes}))
    return path


def legend(path):
    return [text for text in words(path) if not re.fullmatch(r"[\W\d.]*|\$.*", text)]


def test_a_line_for_each_kind_of_model_and_the_ceiling(tmp_path):
    kinds = [
        model("a.pt"),
        model("b.pt", p=1.0),
        model("c.pt", p=0.0),
        model("d.pt", architecture="nt-gnn", p=None, E=None),
        model("e.pt", architecture="eignn"),
    ]
    files = [
        write(tmp_path / f"{t}.json", *({**kind, "lag_time": t} for kind in kinds))
        for t in (13.0, 130.0)
    ]
    run("plot", "correlation-vs-time", *files, "-o", tmp_path / "c.svg")
    assert legend(tmp_path / "c.svg") == [
        "T = 0.44",
        "T = 0.44",
        "BOTAN",
        "NT-GNN (p = 1)",
        "edges only (p = 0)",
        "NT-GNN (Bapst et al.)",
        "eignn",
        "ceiling of the data",
    ]


def test_models_of_one_name_are_told_apart_by_what_differs(tmp_path):
    kinds = [model(), model(rounds=4), model(p=0.2), model(p=1.0, rounds=4)]
    run("plot", "correlation-vs-time", write(tmp_path / "a", *kinds), "-o", tmp_path / "c.svg")
    expected = {f"BOTAN, p = {p}, n = {n}" for p, n in ((0.4, 7), (0.4, 4), (0.2, 7))}
    assert expected | {"NT-GNN (p = 1)"} <= set(legend(tmp_path / "c.svg"))


def test_several_models_of_a_kind_are_one_line(tmp_path):
    seeds = [model(f"{k}.pt", s=0.6 + 0.1 * k) for k in range(3)]
    files = [write(tmp_path / "a", *seeds), write(tmp_path / "b", model(temperature=0.64))]
    run("plot", "correlation-vs-time", *files, "-o", tmp_path / "c.svg")
    assert "BOTAN; median, worst and best of 3" in legend(tmp_path / "c.svg")
    # a row for each temperature
    assert legend(tmp_path / "c.svg").count("T = 0.64") == 2


def test_committees_and_widths_are_lines_of_their_own(tmp_path):
    kinds = [model(f"{k}.pt", members=n, width=w) for k, (n, w) in enumerate(((1, 64), (4, 64)))]
    run("plot", "correlation-vs-time", write(tmp_path / "a", *kinds), "-o", tmp_path / "c.svg")
    assert {"BOTAN", "BOTAN, committee of 4"} <= set(legend(tmp_path / "c.svg"))
    assert "median" not in (tmp_path / "c.svg").read_text()
    wide = write(tmp_path / "b", *kinds, model("w.pt", width=128))
    run("plot", "correlation-vs-time", wide, "-o", tmp_path / "c.svg")
    names = {"BOTAN, width = 64", "BOTAN, width = 64, committee of 4", "BOTAN, width = 128"}
    assert names <= set(legend(tmp_path / "c.svg"))
    assert (
        "in nothing else; found 0.pt: botan, width = 64, T = 0.44"
        in run("plot", "ablation", wide, "-o", tmp_path / "a.svg", fails=True).output
    )
    more = write(tmp_path / "more", *({**kind, "rounds": 3} for kind in kinds))
    run("plot", "ablation", tmp_path / "a", more, "-o", tmp_path / "a.svg")
    found = words(tmp_path / "a.svg")
    assert {r"$\rho_S$ (A)", r"$\rho_S$ (A), committee of 4", "T = 0.44, t = 130, p = 0.4"} <= set(
        found
    )


def test_lines_have_colors_of_their_own(tmp_path):
    kinds = [
        model(f"{n} {t}", members=n, lag_time=t, p=p)
        for n in (1, 4)
        for t, p in ((13.0, 0.4), (130.0, 0.4), (130.0, None))
    ]
    path = write(tmp_path / "a", *kinds, time=130.0)
    labels = _labels(read_conditions([path])).values()
    assert len({label.color for label in labels}) == len(labels) == 6
    assert next(iter(labels)).text == "BOTAN"
    assert next(iter(labels)).color == COLORS[0]


def test_a_network_of_unknown_p_is_not_called_botan(tmp_path):
    files = [write(tmp_path / f"{n}", model(p=None, rounds=n)) for n in (3, 7)]
    run("plot", "correlation-vs-time", files[0], "-o", tmp_path / "c.svg")
    found = legend(tmp_path / "c.svg")
    assert "botan, p unknown" in found
    assert "BOTAN" not in found
    run("plot", "ablation", *files, "-o", tmp_path / "a.svg")
    assert "T = 0.44, t = 130, p unknown" in words(tmp_path / "a.svg")


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


def test_of_another_mixture_the_first_species_is_drawn(tmp_path):
    names = {"S": {k: correlation(0.5) for k in ("Ni", "P")}, "E": {"Ni-Ni": correlation(0.4)}}
    files = [write(tmp_path / f"{n}", model(rounds=n, **names), ceiling={**names}) for n in (3, 7)]
    assert [e.ceilings["S"].value for e in read_conditions(files)] == [0.5]
    run("plot", "correlation-vs-time", *files, "-o", tmp_path / "c.svg")
    assert r"$\rho_E$ of pair-distance changes, Ni-Ni" in words(tmp_path / "c.svg")
    run("plot", "ablation", *files, "-o", tmp_path / "a.svg")
    assert r"$\rho_S$ (Ni)" in words(tmp_path / "a.svg")


def test_what_was_not_trained_is_not_drawn(tmp_path):
    run(
        "plot",
        "correlation-vs-time",
        write(tmp_path / "a", model(p=1.0)),
        "-o",
        tmp_path / "c.svg",
    )
    assert r"$\rho_S$ of propensities, A" in words(tmp_path / "c.svg")
    assert not [text for text in words(tmp_path / "c.svg") if "pair" in text]


def history(window):
    return {"history": {"window": window, "interval": 0.1, "parts": 10}}


def test_an_ablation_has_a_panel_for_the_length_of_the_history(tmp_path):
    """A curve for each network, which its architecture tells apart, on its own configurations."""
    files = [
        write(
            tmp_path / f"{window:g}",
            model("linear.pt", architecture="linear", rounds=5, width=4, inputs=history(window)),
            model("se3.pt", architecture="equivariant", rounds=3, inputs=history(window)),
            # the same configurations in another folder
            configurations=[f"w{window:g}/1.npz", f"w{window:g}/2.npz"],
            sha256=["a1", "b2"],
        )
        for window in (1.0, 10.0, 100.0)
    ]
    run("plot", "ablation", *files, "-o", tmp_path / "a.svg")
    found = words(tmp_path / "a.svg")
    assert {r"length of the history $t_w/\tau$", "1", "10", "100"} <= set(found)
    assert [text for text in found if text.startswith(r"$\rho_S$")] == [
        r"$\rho_S$ (A), linear",
        r"$\rho_S$ (A), equivariant",
    ]
    assert not [text for text in found if "rounds" in text]


def test_an_ablation_has_a_panel_for_the_number_of_training_configurations(tmp_path):
    """At one length of the history, and with inherent structures as another line."""
    kinds = [
        model(f"{n} {inherent}", training_configurations=n, inputs={"inherent": inherent})
        for n in (1, 2, 5, 10)
        for inherent in (None, {"force": 0.1})
    ]
    run("plot", "ablation", write(tmp_path / "a", *kinds), "-o", tmp_path / "a.svg")
    found = words(tmp_path / "a.svg")
    assert {"training configurations", "1", "2", "5", "10"} <= set(found)
    lines = {r"$\rho_S$ (A)", r"$\rho_S$ (A), inherent structure"}
    assert lines == {text for text in found if text.startswith(r"$\rho_S$")}


def test_what_models_see_is_in_the_name_of_their_line(tmp_path):
    inherent = {"inherent": {"force": 0.1}}
    kinds = [
        model("thermal.pt"),
        model("both.pt", inputs=history(30.0) | inherent),
        model("linear.pt", architecture="linear", inputs=history(30.0)),
        model("longer.pt", architecture="linear", inputs=history(100.0)),
    ]
    run("plot", "correlation-vs-time", write(tmp_path / "a", *kinds), "-o", tmp_path / "c.svg")
    assert {
        "BOTAN",
        "BOTAN, history and inherent structure",
        "linear, history, $t_w$ = 30.0",
        "linear, history, $t_w$ = 100.0",
    } <= set(words(tmp_path / "c.svg"))


def test_published_correlations_are_drawn_beside_ours(tmp_path):
    """Those of the same mixture and temperature, and of S alone."""
    curves = published_curves("kob-andersen")
    # at tau_alpha, where the papers compare themselves with each other
    at_tau = {
        (c.temperature, c.name): rho
        for c in curves
        for t, rho in zip(c.times, c.rho, strict=True)
        if t in {4120, 16.5}
    }
    assert at_tau[0.44, "BOTAN"] == 0.752
    assert at_tau[0.44, "EIGNN"] == 0.817
    assert at_tau[0.64, "SE(3)-GNN"] == 0.663
    evaluation = write(tmp_path / "a", model(), mixture="kob-andersen")
    run("plot", "correlation-vs-time", evaluation, "-o", tmp_path / "c.svg", "--published")
    names = [text for text in words(tmp_path / "c.svg") if "published" in text]
    assert names == [
        f"{name}, published, {n} configurations"
        for name, n in (
            ("BOTAN", 400),
            ("SE(3)-GNN", 400),
            ("CAGE", 400),
            ("GlassMLP", 400),
            ("EIGNN", 100),
        )
    ]
    run("plot", "correlation-vs-time", evaluation, "-o", tmp_path / "c.svg")
    assert "published" not in (tmp_path / "c.svg").read_text()


def test_all_published_curves_name_their_source():
    for curve in published_curves():
        assert len(curve.times) == len(curve.rho)
        assert list(curve.times) == sorted(curve.times)
        assert 0 < min(curve.rho) <= max(curve.rho) < 1
        assert re.search(r"doi:10\.|arXiv:\d", curve.source)


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"mixture": "ka2d"}, "ka2d at T = 0.44"), ({}, "an unknown mixture at T = 0.44")],
)
def test_of_other_mixtures_nothing_is_published(tmp_path, changes, what):
    path = write(tmp_path / "a", model(), **changes)
    picture = tmp_path / "c.svg"
    command = ("plot", "correlation-vs-time", path, "-o", picture, "--published")
    printed = re.sub(r"\s+", " ", run(*command, fails=True).output)
    assert f"no published correlations of {what}; there are those of kob-andersen" in printed
    assert not picture.exists()


def test_undefined_correlations_leave_a_gap_in_a_line():
    axes = Figure().subplots()
    draw_rho(axes, {13.0: [Rho(0.6, 0.1)], 130.0: [Rho(np.nan, np.nan)], 4120.0: [Rho(0.4, 0.1)]})
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0.6, np.nan, 0.4])


def test_undefined_correlations_are_no_error(tmp_path):
    file = write(tmp_path / "a", model(s=float("nan")), model("n", s=None, rounds=3), ceiling=None)
    run("plot", "correlation-vs-time", file, "-o", tmp_path / "c.png")
    run("plot", "ablation", file, "-o", tmp_path / "a.png")
    for name in ("c.png", "a.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_an_ablation_has_a_panel_for_what_differs(tmp_path):
    rounds = [model(f"n{n}.pt", rounds=n) for n in (1, 4, 7)]
    weights = [model(f"p{p}.pt", p=p) for p in (0.0, 0.2, 1.0)]
    late = [{**m, "lag_time": 4120.0} for m in rounds]
    files = [write(tmp_path / "n", *rounds), write(tmp_path / "late", *late)]
    run("plot", "ablation", *files, "-o", tmp_path / "a.svg")
    found = words(tmp_path / "a.svg")
    assert {"number of rounds $n$", "T = 0.44, p = 0.4"} <= set(found)
    assert {rf"$\rho_S$ (A), t = {t}" for t in (130, 4120)} <= set(found)
    assert not [text for text in found if "weight" in text]
    # the model with n = 7 and p = 0.4 is in two files, and one model all the same
    both = write(tmp_path / "p", *weights, rounds[-1])
    run("plot", "ablation", files[0], both, "-o", tmp_path / "b.svg")
    found = words(tmp_path / "b.svg")
    assert {"T = 0.44, t = 130, p = 0.4", "T = 0.44, t = 130, n = 7"} <= set(found)
    assert not [text for text in found if "median" in text]
    assert "0.2" in found


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
            "'models[0].temperature' of m.pt is unknown, as its model file has none; write the",
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
        write_ensemble(tmp_path / f"{k}.npz", lengths, seed=k, time=2.0) for k in (1, 2)
    ]
    facts = {"lag_times": [2.0], "temperature": 0.44}
    models = []
    for n in (1, 2):
        models += ["-m", save_model(tmp_path / f"{n}.pt", Walks(n), rounds=n, **facts)]
    (tmp_path / "e.json").write_text(run("evaluate", *configurations, *models, "--json").stdout)
    (condition,) = read_conditions([tmp_path / "e.json"])
    assert [m.rounds for m in condition.models] == [1, 2]
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
    assert "toy, n = 2" in legend(tmp_path / "c.svg")
    run("plot", "ablation", tmp_path / "e.json", "-o", tmp_path / "a.svg")
    assert "number of rounds $n$" in words(tmp_path / "a.svg")

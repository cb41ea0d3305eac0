"""Pictures of correlations against time: which models are a line, and its name."""

import re

import numpy as np
import pytest
from evaluation_json import correlation, history, legend, model, write
from matplotlib.figure import Figure
from pictures import words
from score_runs import run

from lammps_botan.figures.conditions import Rho, read_conditions
from lammps_botan.figures.correlation import _labels
from lammps_botan.figures.picture import COLORS
from lammps_botan.figures.published import published_curves
from lammps_botan.figures.rho_line import draw_rho


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


def test_lag_times_that_differ_by_rounding_are_one_point(tmp_path):
    """As where files were evaluated in another order, and the first one gives the time."""
    times = (0.10000000000000853, 0.09999999999999432)
    files = [write(tmp_path / f"{k}.json", model(), time=time) for k, time in enumerate(times)]
    files.append(write(tmp_path / "other.json", model("other.pt"), time=0.1))
    (condition,) = read_conditions(files)
    assert [one.model for one in condition.models] == ["m.pt", "other.pt"]


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
        "in nothing else; found 0.pt: botan, width = 64, n = 7, p = 0.4, T = 0.44"
        in run("plot", "ablation", wide, "-o", tmp_path / "a.svg", fails=True).output
    )
    more = write(tmp_path / "more", *({**kind, "rounds": 3} for kind in kinds))
    run("plot", "ablation", tmp_path / "a", more, "-o", tmp_path / "a.svg")
    found = words(tmp_path / "a.svg")
    assert {r"$\rho_S$ (A)", r"$\rho_S$ (A), committee of 4", "T = 0.44, t = 130, p = 0.4"} <= set(
        found
    )


@pytest.mark.parametrize("count", [1, 3])
def test_lines_have_colors_of_their_own(tmp_path, count):
    kinds = [
        model(f"{n} {t} {seen}", members=n, lag_time=t, p=p, **seen)
        for n in (1, 4)
        for t, p in ((13.0, 0.4), (130.0, 0.4), (130.0, None))
        for seen in ({}, {"inputs": history(1.0)}, {"inputs": history(10.0)})[:count]
    ]
    path = write(tmp_path / "a", *kinds, time=130.0)
    labels = _labels(read_conditions([path])).values()
    assert len({label.color for label in labels}) == len(labels) == 6 * count
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


def test_one_undefined_correlation_does_not_hide_those_of_the_other_seeds():
    axes = Figure().subplots()
    seeds = [Rho(value, 0.1) for value in (0.5, np.nan, 0.3, 0.2)]
    draw_rho(axes, {13.0: seeds, 130.0: [Rho(np.nan, np.nan)] * 2})
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0.3, np.nan])
    bars = [bar for bar in axes.collections[0].get_segments() if len(bar)]
    np.testing.assert_allclose([bar[:, 1] for bar in bars], [[0.2, 0.5]])


def test_undefined_correlations_are_no_error(tmp_path):
    file = write(tmp_path / "a", model(s=float("nan")), model("n", s=None, rounds=3), ceiling=None)
    run("plot", "correlation-vs-time", file, "-o", tmp_path / "c.png")
    run("plot", "ablation", file, "-o", tmp_path / "a.png")
    for name in ("c.png", "a.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")

"""Tables that notebooks show: read again by Python's own parser of HTML."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from liquids import NO_GLASS
from pictures import write_ensemble

from lammps_botan import KOB_ANDERSEN, Box, Configuration, Predictor, evaluate
from lammps_botan.evaluation.evaluation_file import Evaluation
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.structure.history import History


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        self.texts.append((tag, ""))

    def handle_data(self, data):
        self.texts[-1] = (self.texts[-1][0], self.texts[-1][1] + data)


def shown(thing) -> dict[str, str]:
    """Caption and rows of the table of a thing, by their names."""
    parser = _Cells()
    parser.feed(thing._repr_html_())
    of = {tag: [text for name, text in parser.texts if name == tag] for tag in ("th", "td")}
    caption = [text for name, text in parser.texts if name == "caption"]
    return {"caption": caption[0], **dict(zip(of["th"], of["td"], strict=True))}


def test_a_configuration_tells_what_is_known_of_it():
    """Of two A and a B in a slab, with a history; what is not known has no row."""
    box = Box([4.0, 5.0, 6.0], (True, True, False))
    history = History(30.0, np.zeros((3, 3)), np.zeros(3), np.zeros(3))
    one = Configuration(
        np.eye(3), [0, 1, 0], box, mixture=KOB_ANDERSEN, history=history, where="a <slab>"
    )
    assert shown(one) == {
        "caption": "a <slab>",
        "particles": "3: 2 A, 1 B",
        "box": "4 x 5 x 6, periodic along x y",
        "density": "0.025",
        "mixture": "kob-andersen",
        "units": "lj",
        "step": "0",
        "history": "window 30",
    }


def test_an_ensemble_tells_its_runs_and_lag_time(tmp_path):
    ensemble = read_ensemble(write_ensemble(tmp_path / "runs.npz", time=13.0))
    table = shown(ensemble)
    assert table["caption"] == str(tmp_path / "runs.npz")
    assert (table["runs"], table["lag time"]) == ("3", "13")
    assert table["particles"].startswith("100: ")


@pytest.mark.filterwarnings(NO_GLASS)
def test_a_prediction_tells_mean_and_spread_of_its_outputs():
    sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    crystal = Configuration(sites, np.repeat([0, 1], [100, 25]), Box(4.705, (True,) * 3))
    prediction = Predictor("ka-t044").predict(crystal)
    table = shown(prediction)
    assert (table["nodes"], table["edges"]) == ("125", str(prediction.graph.n_edges))
    mean = float(table["node output 1"].removeprefix("mean ").split(",")[0])
    np.testing.assert_allclose(mean, prediction.node.mean(), rtol=1e-3)


def test_an_evaluation_tells_the_quoted_correlations(tmp_path):
    paths = [write_ensemble(tmp_path / f"{k}.npz", seed=k) for k in range(2)]
    found = Evaluation.model_validate(evaluate([], map(Path, paths), mixture=KOB_ANDERSEN))
    table = shown(found)
    assert table["caption"] == "kob-andersen, 2 configurations"
    ceiling = found.ceiling.S["A"].rho_mean
    assert table["ceiling"].startswith(f"rho_S (A) = {ceiling:.4f}")

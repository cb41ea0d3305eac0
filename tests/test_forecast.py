"""Models that cannot be compared with the truth are refused wherever they might be."""

import re

import pytest
from pictures import words, write_ensemble
from score_runs import run
from toy_models import Walks, save_model

COMMANDS = [
    ("evaluate",),
    ("plot", "map", "-o", "x.svg"),
    ("plot", "anticorrelation", "-o", "x.svg"),
]


@pytest.fixture(params=COMMANDS, ids=["evaluate", "map", "anticorrelation"])
def command(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return request.param


def refusal(command, *words):
    printed = run(*command, *words, fails=True).output
    return re.sub(r"\s+", " ", printed)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            "raise",
            "bad.pt fails: builtins.RuntimeError: this toy is broken on purpose",
        ),
        ("nan", "bad.pt predicts numbers that are not finite"),
        ("nan edges", "bad.pt predicts numbers that are not finite"),
    ],
)
def test_a_model_that_fails_is_named_with_the_file(command, tmp_path, fault, message):
    write_ensemble(tmp_path / "c.npz")
    save_model(tmp_path / "bad.pt", Walks(fault=fault))
    assert f"c.npz: {message}" in refusal(command, "c.npz", "-m", "bad.pt")
    assert not list(tmp_path.glob("x.*"))


def test_motion_relative_to_the_neighbors_is_not_compared(command, tmp_path):
    write_ensemble(tmp_path / "c.npz")
    for quantity in ("R", "D", "C"):
        save_model(tmp_path / "bad.pt", node_outputs=[quantity])
        found = refusal(command, "c.npz", "-m", "bad.pt")
        assert f"bad.pt: predicts {quantity}, motion relative to the neighbors" in found


def test_a_lag_time_that_the_model_does_not_know_is_refused(command, tmp_path):
    write_ensemble(tmp_path / "c.npz", time=130.0)
    walks = Walks(node_outputs=2, edge_outputs=2)
    save_model(tmp_path / "two.pt", walks, lag_times=[4120.0, 13.0])
    found = refusal(command, "c.npz", "-m", "two.pt")
    assert "two.pt predicts for the lag times 4120, 13; the lag time of the file is 130" in found


def test_pictures_show_the_output_for_the_lag_time_of_the_file(tmp_path):
    """The second output of the toy is the species, which does not vary among A."""
    walks = Walks(node_outputs=2, edge_outputs=2)
    model = save_model(tmp_path / "two.pt", walks, lag_times=[4120.0, 13.0])
    for time, flat in ((4120.0, False), (13.0, True)):
        source = write_ensemble(tmp_path / "c.npz", time=time)
        run("plot", "map", source, "-m", model, "-o", tmp_path / "m.svg", "--bonds")
        run("plot", "anticorrelation", source, "-m", model, "-o", tmp_path / "a.svg")
        for picture in ("m.svg", "a.svg"):
            (title,) = (text for text in words(tmp_path / picture) if text.startswith("prediction"))
            assert ("= -" in title.replace("= -0", "")) == flat
            assert "nan" not in title

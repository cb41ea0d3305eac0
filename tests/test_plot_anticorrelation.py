"""Maps of initial distances and pair-distance changes."""

import re

import numpy as np
import pytest
from pictures import distances, words, write_ensemble
from public_data import CONFIGURATION_402, needs_public_data
from score_runs import run
from toy_metadata import mixture
from toy_models import Walks, save_model

from lammps_botan.structure.mixture import Mixture


def bonds(source):
    """Initial distances and changes of all A-A bonds, by loops over all pairs."""
    with np.load(source) as content:
        start = distances(content["initial_positions"])
        change = np.mean([distances(final) - start for final in content["positions"]], axis=0)
        of_a = content["types"] == 0
    chosen = of_a[:, None] & of_a & (start < 1.35) & (start > 0)
    return start[chosen], change[chosen]


def test_a_panel_for_each_lag_time_from_all_its_configurations(tmp_path):
    sources = {
        time: [
            write_ensemble(tmp_path / f"{time}_{k}.npz", 0.1 * time, seed=k, time=time) for k in n
        ]
        for time, n in ((20.0, (1, 2)), (3.0, (3,)))
    }
    files = [file for several in sources.values() for file in several]
    run("plot", "anticorrelation", *files, "-o", tmp_path / "a.svg")
    titles = []
    for time, several in sorted(sources.items()):
        r, change = (np.concatenate(parts) for parts in zip(*map(bonds, several), strict=True))
        titles.append(rf"t = {time:g}: $\rho = {np.corrcoef(r, change)[0, 1]:.2f}$")
    assert [text for text in words(tmp_path / "a.svg") if text.startswith("t = ")] == titles


def test_lag_times_that_differ_by_rounding_share_a_panel(tmp_path):
    """Differences of 100.1 and 100, of 200.1 and 200; an unknown lag time has its own panel."""
    times = {"a": 0.10000000000000853, "b": 0.09999999999999432}
    files = [
        write_ensemble(tmp_path / f"{name}.npz", seed=k, time=time)
        for k, (name, time) in enumerate(times.items())
    ]
    files.append(write_ensemble(tmp_path / "c.npz"))
    run("plot", "anticorrelation", *files, "-o", tmp_path / "a.svg")
    titles = [text for text in words(tmp_path / "a.svg") if text.endswith("$") and ": " in text]
    assert [title.split(":")[0] for title in titles] == ["simulation", "t = 0.1"]


def test_what_is_not_averaged_is_not_drawn_together(tmp_path):
    """Other temperatures at one lag time, and a configuration twice."""
    content = dict(np.load(write_ensemble(tmp_path / "a.npz", seed=1, time=2.0)))
    cold = dict(np.load(write_ensemble(tmp_path / "b.npz", seed=2, time=2.0)))
    np.savez(tmp_path / "a.npz", **content | {"temperature": 0.64})
    np.savez(tmp_path / "b.npz", **cold | {"temperature": 0.44})
    np.savez(tmp_path / "late.npz", **cold | {"temperature": 0.44, "time": 20.0})

    def draw(*names, fails):
        files = [tmp_path / f"{name}.npz" for name in names]
        done = run("plot", "anticorrelation", *files, "-o", tmp_path / "x.png", fails=fails)
        return " ".join(done.output.split())

    assert "temperature 0.44, expected 0.64 as in" in draw("a", "b", fails=True)
    np.savez(tmp_path / "again.npz", **content | {"temperature": 0.64})
    assert "a configuration counts once" in draw("a", "again", fails=True)
    assert not (tmp_path / "x.png").exists()
    draw("a", "late", fails=False)


def test_targets_beside_the_runs_are_not_needed(tmp_path):
    """As in files of `targets`, whose changes are of longer pairs too."""
    content = dict(np.load(write_ensemble(tmp_path / "c.npz")))
    pairs = (distances(content["initial_positions"]) < 2.0).sum() - 100
    targets = {"propensity": np.ones(100), "pair_distance_change": np.zeros(pairs)}
    np.savez(tmp_path / "t.npz", **content, **targets)
    run("plot", "anticorrelation", tmp_path / "t.npz", "-o", tmp_path / "a.svg")
    rho = np.corrcoef(*bonds(tmp_path / "c.npz"))[0, 1]
    assert rf"simulation: $\rho = {rho:.2f}$" in words(tmp_path / "a.svg")


def test_a_model_is_drawn_beside(tmp_path):
    toy = save_model(tmp_path / "toy.pt", Walks())
    source = write_ensemble(tmp_path / "c.npz")
    run("plot", "anticorrelation", source, "-m", toy, "-o", tmp_path / "a.svg")
    rho = np.corrcoef(*bonds(source))[0, 1]
    found = words(tmp_path / "a.svg")
    assert rf"simulation: $\rho = {rho:.2f}$" in found
    # the toy predicts the distance
    assert r"prediction of toy.pt: $\rho = 1.00$" in found


@needs_public_data
def test_distances_and_changes_of_the_glass_are_anticorrelated(tmp_path):
    files = (CONFIGURATION_402, "-m", "ka-t044")
    run("plot", "anticorrelation", *files, "-o", tmp_path / "a.svg")
    found = [
        float(rho) for rho in re.findall(r"rho = (-?\d\.\d\d)", (tmp_path / "a.svg").read_text())
    ]
    assert len(found) == 2
    assert max(found) < -0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.npz",), "none.npz: no such file"),
        (("c.npz", "d.npz", "-m", "toy.pt"), "the files have the lag times unknown, 2, and the"),
        (("c.npz", "-m", "nodes.pt"), "nodes.pt: predicts no pairs"),
        (("b.npz",), "b.npz: has no A-A bonds, so that"),
        (("labels.npz",), "labels.npz: has targets but no runs, which E_ij is drawn from; give"),
        (("labels.npz", "-m", "toy.pt"), "labels.npz: has targets but no runs, which E_ij is"),
        (("half.npz",), "half.npz: it is not known what the particles are: "),
        (
            ("c.npz", "b.npz"),
            "b.npz: holds toy, unlike the files before; they differ in bond",
        ),
        (("small.npz",), "small.npz: the box is smaller than two cutoffs"),
        (("c.npz", "--time-index", 1), "for files with several lag times, leave it out here"),
    ],
)
def test_errors_are_messages(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(tmp_path / "toy.pt", Walks())
    save_model(tmp_path / "nodes.pt", Walks(edge_outputs=0))
    write_ensemble(tmp_path / "c.npz")
    write_ensemble(tmp_path / "d.npz", time=2.0)
    far = Mixture.model_validate(mixture("A", "B", bond_lengths=[[0.01, 1.35], [1.35, 1.35]]))
    write_ensemble(tmp_path / "b.npz", mixture=far.model_dump_json())
    write_ensemble(tmp_path / "small.npz", box=2.6)
    with np.load("c.npz") as content:
        start = {key: content[key] for key in ("box", "types", "initial_positions")}
    changes = np.zeros(((distances(start["initial_positions"]) < 2.0).sum() - 100,))
    np.savez("labels.npz", propensity=np.ones(100), pair_distance_change=changes, **start)
    write_ensemble(tmp_path / "half.npz", types=np.arange(100) % 2)
    printed = run("plot", "anticorrelation", *arguments, "-o", "a.png", fails=True).output
    assert message in re.sub(r"\s+", " ", printed)
    assert not (tmp_path / "a.png").exists()

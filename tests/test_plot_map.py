"""Maps of prediction, truth and error."""

import re

import matplotlib as mpl
import numpy as np
import pytest
from pictures import BOX, distances, liquid, pixels, words, write_ensemble
from public_data import (
    CONFIGURATION_402,
    GLASSY_DYNAMICS,
    KA2D_RUNS,
    needs_glassy_dynamics,
    needs_ka2d,
    needs_public_data,
)
from score_runs import run
from toy_metadata import mixture
from toy_models import Walks, save_model

from lammps_botan.files.ensemble import read_start
from lammps_botan.network.shipped import shipped_models
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN, Mixture


@pytest.fixture
def toy(tmp_path):
    """A model that predicts the number of neighbors of a particle, and the length of a pair."""
    return save_model(tmp_path / "toy.pt", Walks())


def neighbors(positions):
    return (distances(positions) < 2.0).sum(axis=1) - 1


def test_rho_of_particles_is_that_of_all_a_particles(tmp_path, toy):
    lengths = np.random.default_rng(3).uniform(0.1, 1.0, 100)
    source = write_ensemble(tmp_path / "c.npz", lengths, time=2.5)
    run("plot", "map", source, "-m", toy, "-o", tmp_path / "m.svg")
    positions, types = liquid()
    of_a = types == 0
    rho = np.corrcoef(neighbors(positions)[of_a], lengths[of_a])[0, 1]
    found = words(tmp_path / "m.svg")
    assert rf"prediction, $\rho_S$ = {rho:.3f} (A)" in found
    assert {"truth (black rim: B)", "error: prediction $-$ truth"} <= set(found)
    assert "c.npz, t = 2.5, model toy.pt" in found


def test_rho_of_bonds_is_that_of_all_a_a_bonds(tmp_path, toy):
    source = write_ensemble(tmp_path / "c.npz", np.linspace(0.1, 0.5, 100))
    run("plot", "map", "--bonds", source, "-m", toy, "-o", tmp_path / "b.svg")
    with np.load(source) as content:
        start = distances(content["initial_positions"])
        change = np.mean([distances(final) - start for final in content["positions"]], axis=0)
        of_a = content["types"] == 0
    bonds = of_a[:, None] & of_a & (start < 1.35) & (start > 0)
    rho = np.corrcoef(start[bonds], change[bonds])[0, 1]
    assert rf"prediction, $\rho_E$ = {rho:.3f} (A-A)" in words(tmp_path / "b.svg")


@pytest.mark.parametrize(("more", "sign"), [(-0.5, 1), (0.5, -1)])
def test_the_error_is_red_where_too_much_is_predicted(tmp_path, toy, more, sign):
    positions, _ = liquid()
    source = write_ensemble(tmp_path / "c.npz", neighbors(positions) + more)
    run("plot", "map", source, "-m", toy, "-o", tmp_path / "m.png")
    red, blue = (pixels(tmp_path / "m.png", mpl.colormaps["coolwarm"](k)) for k in (1.0, 0.0))
    # the color bar has both
    assert sign * (red - blue) > 10 * min(red, blue) > 0


def test_a_perfect_prediction_has_no_error(tmp_path):
    silent = save_model(tmp_path / "silent.pt", Walks(weights=(0.0, 0.0)))
    source = write_ensemble(tmp_path / "c.npz", 0.0)
    run("plot", "map", source, "-m", silent, "-o", tmp_path / "m.png")
    grey, red, blue = (
        pixels(tmp_path / "m.png", mpl.colormaps["coolwarm"](k)) for k in (0.5, 1.0, 0.0)
    )
    assert grey > 10 * max(red, blue)


def test_a_triclinic_configuration_is_drawn(tmp_path, toy):
    cell = BOX * np.array([[1, 0, 0], [0.2, 1, 0], [-0.1, 0.1, 1.0]])
    source = write_ensemble(tmp_path / "c.npz", box=cell)
    for bonds in ((), ("--bonds",)):
        run("plot", "map", source, "-m", toy, "-o", tmp_path / "m.pdf", *bonds)
        assert (tmp_path / "m.pdf").read_bytes().startswith(b"%PDF")


@needs_public_data
def test_the_shipped_model_is_drawn_with_the_rho_of_its_card(tmp_path):
    (card,) = (model.card["correlations"] for model in shipped_models() if model.name == "ka-t044")
    arguments = ("plot", "map", CONFIGURATION_402, "-m", "ka-t044", "-o", tmp_path / "m.svg")
    run(*arguments)
    assert rf"prediction, $\rho_S$ = {card['rho_S'][1]:.3f} (A)" in words(tmp_path / "m.svg")
    title = f"{CONFIGURATION_402.name}, model ka-t044 (trained for T = 0.44, t = 4120)"
    assert title in words(tmp_path / "m.svg")
    run(*arguments, "--bonds")
    assert rf"prediction, $\rho_E$ = {card['rho_E'][1]:.3f} (A-A)" in words(tmp_path / "m.svg")


def plane_model(path):
    """A model of KA2D that predicts the number of neighbors."""
    walks = Walks(weights=(1.0, 1.0, 1.0))
    return save_model(path, walks, mixture=KA2D.model_dump(mode="json"), node_input="one-hot")


@needs_ka2d
def test_a_plane_is_drawn_whole(tmp_path):
    source, model = KA2D_RUNS / "N1290T0.23_151_tc20.npz", plane_model(tmp_path / "plane.pt")
    run("plot", "map", source, "-m", model, "-o", tmp_path / "m.svg")
    with np.load(source) as content:
        start, edge, types = content["initial_positions"], content["box"], content["types"]
        moved = np.linalg.norm(content["positions"] - start, axis=2).mean(axis=0)
    apart = start[:, None] - start
    apart -= edge * np.rint(apart / edge)
    counts = (np.linalg.norm(apart, axis=2) < 2.0).sum(axis=1) - 1
    rho = np.corrcoef(counts[types == 1], moved[types == 1])[0, 1]
    found = words(tmp_path / "m.svg")
    assert rf"prediction, $\rho_S$ = {rho:.3f} (A)" in found
    assert "truth (black rim: B, C)" in found
    run("plot", "map", source, "-m", model, "--bonds", "-o", tmp_path / "b.svg")
    printed = run(
        "plot", "map", source, "-m", model, "-o", "x.png", "--thickness", 1, fails=True
    ).output
    assert "the whole plane is drawn" in re.sub(r"\s+", " ", printed)


def test_a_map_says_what_the_model_knows(tmp_path):
    source = write_ensemble(tmp_path / "c.npz")
    known = {"sha256": read_start(source).sha256, "role": "training", "name": "c.npz"}
    model = save_model(tmp_path / "toy.pt", provenance={"configurations": [known]})
    run("plot", "map", source, "-m", model, "-o", tmp_path / "m.svg")
    title = "c.npz, model toy.pt, which knows the configuration from its training"
    assert title in words(tmp_path / "m.svg")


@needs_glassy_dynamics
def test_a_pickle_file_is_drawn_at_one_of_its_lag_times(tmp_path):
    source = GLASSY_DYNAMICS / "test_large.pickle"
    arguments = ("plot", "map", source, "-m", "ka-t044", "-o", tmp_path / "m.png")
    run(*arguments, "--time-index", 0)
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    assert "--time-index" in run(*arguments, fails=True).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("c.npz",), "c.npz: expected a model to compare it with; add -m MODEL"),
        (("c.npz", "-m", "none"), "none: no such file, and no model that ships has this name"),
        (("none.npz", "-m", "toy.pt"), "none.npz: no such file"),
        (
            ("toy.pt", "-m", "toy.pt"),
            "toy.pt: expected an npz file with types, initial_positions and positions",
        ),
        (("c.npz", "-m", "toy.pt", "--frame", 1), "--frame and --column are for dumps"),
        (("c.npz", "-m", "toy.pt", "--column", "q"), "--frame and --column are for dumps"),
        (
            ("c.npz", "-m", "toy.pt", "--bond-dump", "b"),
            "the model predicts the bonds: expected --bonds, found --bond-dump b",
        ),
        (("s.dump", "-m", "toy.pt"), "s.dump: a dump, which holds its own predictions"),
        (
            ("c.npz", "-m", "toy.pt", "--time-index", 1),
            "for files with several lag times, leave it out here",
        ),
        (("s.dump", "--time-index", 1), "--time-index is for files with several"),
        (("s.dump", "--bonds"), "its bonds are in a dump of their own: --bond-dump BONDS.dump"),
        (("c.npz", "-m", "nodes.pt", "--bonds"), "nodes.pt: predicts no bonds"),
        (("c.npz", "-m", "toy.pt", "--thickness", 1e-9), "no particle is in the slice"),
        (("c.npz", "-m", "toy.pt", "--bonds", "--thickness", 1e-9), "no particle is in the slice"),
        (("b.npz", "-m", "toy.pt"), "no A particle is in the slice; make it thicker"),
        (("apart.npz", "-m", "toy.pt", "--bonds"), "no bond has both ends in"),
        (("turned.npz", "-m", "toy.pt"), "LAMMPS needs the first cell vector along x"),
        (("small.npz", "-m", "toy.pt"), "small.npz: the box is smaller than two cutoffs"),
        (("three.npz", "-m", "toy.pt"), "three.npz: it is not known what the particles are: "),
        (("lost.npz", "-m", "toy.pt"), "lost.npz: positions holds values that are not finite"),
    ],
)
def test_errors_are_messages(arguments, message, tmp_path, monkeypatch, toy):
    monkeypatch.chdir(tmp_path)
    save_model(tmp_path / "nodes.pt", Walks(edge_outputs=0))
    write_ensemble(tmp_path / "c.npz")
    (tmp_path / "s.dump").write_text("ITEM: TIMESTEP\n0\n")
    write_ensemble(tmp_path / "small.npz", box=3.5)
    write_ensemble(tmp_path / "turned.npz", box=BOX * np.eye(3)[[1, 2, 0]])
    write_ensemble(tmp_path / "three.npz", types=np.arange(100) % 3)
    write_ensemble(tmp_path / "lost.npz", np.nan)
    positions, _ = liquid()
    in_view = abs(positions[:, 2] - BOX / 2) < 0.5
    own = KOB_ANDERSEN.model_dump_json()
    write_ensemble(tmp_path / "b.npz", types=in_view.astype(int), mixture=own)
    far = Mixture.model_validate(mixture("A", "B", bond_lengths=[[0.01] * 2] * 2))
    write_ensemble(tmp_path / "apart.npz", mixture=far.model_dump_json())
    printed = run("plot", "map", *arguments, "-o", "m.png", fails=True).output
    assert message in re.sub(r"\s+", " ", printed)
    assert not list(tmp_path.glob("m*.png"))

"""Pictures of scored dumps."""

import gzip
import re

import matplotlib as mpl
import numpy as np
import pytest
from dumps import ORTHOGONAL, TRICLINIC, frame, write
from matplotlib.figure import Figure
from pictures import words
from PIL import Image
from score_runs import dump_text, liquid_frames, run

from lammps_botan.figures.movie import draw_map, draw_movie
from lammps_botan.figures.scored_frames import as_mixture, find_column
from lammps_botan.figures.slice_drawing import disk_diameters, draw_slice, in_slice
from lammps_botan.files.lammps_dump import DumpFrames
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

CELLS = {"orthogonal": ORTHOGONAL, "triclinic": TRICLINIC}


def scored(path, values, *, column="d_propensity", cell=ORTHOGONAL, n=200, seed=1, small=0.2):
    """A dump of particles that stay, with these values in these frames [n_frames] for all."""
    rng = np.random.default_rng(seed)
    positions = rng.random((n, 3)) @ cell
    types = np.where(rng.random(n) < small, 2, 1)
    frames = []
    for k, value in enumerate(values):
        text = frame(positions, cell, step=10 * k, types=types, columns="id type x y z")
        lines = text.splitlines()
        start = lines.index("ITEM: ATOMS id type x y z ") + 1
        lines[start - 1] += column
        numbers = np.broadcast_to(value, n)
        lines[start:] = [f"{x}{y:g}" for x, y in zip(lines[start:], numbers, strict=True)]
        frames.append("\n".join(lines) + "\n")
    return write(path, *frames)


def configuration(positions, cell, origin=(0.0, 0.0, 0.0), species=None, **more):
    species = np.zeros(len(positions), int) if species is None else species
    box = Box(cell, (True, True, True), np.array(origin))
    return Configuration(positions, species, box, **more)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_slice_has_the_particles_halfway_up_the_box(cell):
    positions = np.random.default_rng(1).random((300, 3)) @ cell
    origin = np.array([0.5, -1.0, 2.0])
    shown = in_slice(configuration(positions + origin, cell, origin), 1.5)
    height = cell[2, 2]
    expected = np.flatnonzero(abs(positions[:, 2] - height / 2) < 0.75)
    np.testing.assert_array_equal(np.sort(shown), expected)
    assert np.all(np.diff(positions[shown, 2]) >= 0)
    # wrapped or not
    away = positions + origin + np.random.default_rng(2).integers(-2, 3, (300, 3)) @ cell
    np.testing.assert_array_equal(in_slice(configuration(away, cell, origin), 1.5), shown)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_disks_are_drawn_at_all_images_that_reach_into_the_cell(cell):
    rng = np.random.default_rng(3)
    fractions = np.column_stack([rng.random((40, 2)), np.full(40, 0.5)])
    positions = fractions @ cell
    away = positions + rng.integers(-2, 3, (40, 3)) @ cell
    axes = Figure().subplots()
    glass = configuration(away, cell, mixture=KOB_ANDERSEN)
    disks = draw_slice(axes, glass, np.arange(40), np.arange(40.0), (0, 40))
    centers = np.asarray(disks.get_offsets())
    values = np.asarray(disks.get_array())
    corner, edges = cell[2, :2] / 2, cell[:2, :2]
    found = []
    for k, x in enumerate(positions[:, :2]):
        for i in range(-2, 3):
            for j in range(-2, 3):
                image = x + np.array([i, j]) @ edges
                heights = 1 / np.linalg.norm(np.linalg.inv(edges), axis=0)
                inside = (image - corner) @ np.linalg.inv(edges)
                if np.all(inside > -0.5 / heights) and np.all(inside < 1 + 0.5 / heights):
                    found.append((k, *image))
    drawn = np.column_stack([values, centers])
    order = np.lexsort(drawn.T[::-1].round(6))
    expected = np.array(sorted(found, key=lambda row: tuple(np.round(row, 6))))
    np.testing.assert_allclose(drawn[order], expected, atol=1e-9)
    assert len(found) > 40


def test_particles_are_drawn_as_large_as_their_bonds_are_long():
    """In the Kob-Andersen mixture 1 and .88 sigma_AA, and C of KA2D in between."""
    box = Box(9.0, (True, True, True))
    glass = Configuration(np.zeros((2, 3)), [0, 1], box, mixture=KOB_ANDERSEN)
    assert disk_diameters(glass) == pytest.approx([1.0, 0.88])
    plane = Box([9.0, 9.0], (True, True, False))
    glass = Configuration(np.zeros((3, 2)), [0, 1, 2], plane, mixture=KA2D)
    assert disk_diameters(glass) == pytest.approx([1.0, 0.88, 0.94])


def test_particles_of_an_unknown_mixture_are_drawn_alike():
    """With the mean distance of particles at their density, in space and in a plane."""
    positions = np.random.default_rng(0).random((64, 3)) * 8.0
    glass = configuration(positions, 8.0, species=np.arange(64) % 3)
    assert disk_diameters(glass) == pytest.approx([2.0] * 64)
    flat = configuration(positions * [1, 1, 0], [8.0, 8.0, 1.0])
    assert disk_diameters(flat) == pytest.approx([1.0] * 64)


@pytest.mark.parametrize("height", [0.0, 0.3, -0.5])
def test_of_a_plane_all_particles_are_shown(height):
    """LAMMPS calls its flat direction periodic."""
    positions = np.random.default_rng(0).random((50, 3)) * 7.0
    positions[:, 2] = height
    flat = configuration(positions, [7.0, 7.0, 1.0], origin=(0.0, 0.0, -0.5))
    np.testing.assert_array_equal(in_slice(flat), np.arange(50))
    axes = Figure().subplots()
    disks = draw_slice(axes, flat, in_slice(flat), np.arange(50.0), (0, 50))
    assert set(np.asarray(disks.get_array())) == set(range(50))
    with pytest.raises(ValueError, match="the whole plane is drawn; leave the thickness"):
        in_slice(flat, 1.0)


@pytest.mark.parametrize("words", ["NULL A B", "A NULL B", "A B NULL"])
def test_atoms_that_were_scored_as_null_are_left_out_of_the_mixture(words, tmp_path):
    """Each command draws the dump as it draws that of the other atoms alone."""
    types = np.repeat([1, 2, 3], [60, 30, 30])
    order = [["A", "B", "NULL"].index(word) for word in words.split()]
    kinds = np.argsort(order)[types - 1] + 1  # A, B and NULL have 60, 30 and 30 atoms
    positions = np.random.default_rng(1).random((120, 3)) @ ORTHOGONAL
    values = np.where(types == 3, 0.0, np.arange(1.0, 121) / 100)

    def dump(name, some, numbers):
        text = frame(positions[some], ORTHOGONAL, step=0, types=numbers, columns="id type x y z")
        lines = text.splitlines()
        start = len(lines) - len(numbers)
        lines[start - 1] += "d_propensity"
        of_each = zip(lines[start:], values[some], strict=True)
        lines[start:] = [f"{line}{value:g}" for line, value in of_each]
        return write(tmp_path / name, "\n".join(lines) + "\n")

    whole = dump("whole.dump", np.arange(120), kinds)
    alone = dump("alone.dump", np.flatnonzero(types < 3), types[types < 3])
    mixture = ("--mixture", "kob-andersen")
    for name in ("whole", "alone"):
        run("plot", "map", tmp_path / f"{name}.dump", "-o", tmp_path / f"{name}.png", *mixture)
        run("movie", tmp_path / f"{name}.dump", "-o", tmp_path / f"m-{name}", *mixture)
    for one, other in (
        ("whole.png", "alone.png"),
        ("m-whole/frame-0000.png", "m-alone/frame-0000.png"),
    ):
        with Image.open(tmp_path / one) as first, Image.open(tmp_path / other) as second:
            np.testing.assert_array_equal(np.asarray(first), np.asarray(second))
    (there,), (expected,) = DumpFrames(whole, columns=["d_propensity"]), DumpFrames(alone)
    found = as_mixture(there, KOB_ANDERSEN, "d_propensity")
    np.testing.assert_array_equal(found.positions, expected.positions)
    np.testing.assert_array_equal(found.species, expected.species)


def test_more_scored_types_than_species_are_named_without_another_option(tmp_path):
    dump = scored(tmp_path / "s.dump", [0.5])
    dump.write_text(dump.read_text().replace("\n1 1 ", "\n1 3 ").replace("\n2 2 ", "\n2 1 "))
    for command in (("plot", "map"), ("movie",)):
        picture = ("-o", tmp_path / "x.png", "--mixture", "kob-andersen")
        printed = re.sub(r"\s+", " ", run(*command, dump, *picture, fails=True).output)
        assert "found atoms of type 3, and values in d_propensity for 3 types, but" in printed
        assert "kob-andersen has 2 species: A, B; leave out --mixture, or give" in printed
        assert "--species" not in printed


def test_a_direction_without_images_has_none_in_the_picture():
    positions = np.array([[0.1, 3.5, 4.0], [5.9, 3.5, 4.0], [3.0, 0.1, 4.0]])
    box = Box(np.diagonal(ORTHOGONAL), (False, True, True))
    slab = Configuration(positions, [0, 0, 0], box, mixture=KOB_ANDERSEN)
    disks = draw_slice(Figure().subplots(), slab, np.arange(3), np.arange(3.0), (0, 3))
    assert np.asarray(disks.get_array()).tolist() == [0, 1, 2, 2]


def test_the_mixture_says_which_particles_have_a_rim(tmp_path):
    of_ka = {"step 0 (black rim: B)", r"predicted propensity $/\sigma_{AA}$"}
    dump = scored(tmp_path / "s.dump", [1.0], small=0.7)
    run("plot", "map", dump, "-o", tmp_path / "m.svg")
    assert {"step 0 (black rim: type 1)", "predicted propensity"} <= set(words(tmp_path / "m.svg"))
    run("plot", "map", dump, "-o", tmp_path / "m.svg", "--mixture", "kob-andersen")
    assert of_ka <= set(words(tmp_path / "m.svg"))
    # told by its composition and density
    run("plot", "map", scored(tmp_path / "ka.dump", [1.0]), "-o", tmp_path / "m.svg")
    assert of_ka <= set(words(tmp_path / "m.svg"))
    printed = run("plot", "map", dump, "-o", "x.svg", "--mixture", "ka2d", fails=True).output
    assert "ka2d is two-dimensional: expected all particles in one plane" in printed


def test_the_doubt_of_a_committee_is_not_called_its_prediction(tmp_path):
    dump = scored(tmp_path / "s.dump", [1.0], column="d_propensity_std")
    draw_map(dump, tmp_path / "m.svg", column="d_propensity_std")
    label = "standard deviation of the predicted propensity"
    assert any(text.startswith(label) for text in words(tmp_path / "m.svg"))


def test_a_map_is_drawn_of_the_frame_and_the_column_asked_for(tmp_path):
    rng = np.random.default_rng(4)
    dump = scored(tmp_path / "s.dump", rng.normal(1, 0.2, (3, 200)))
    drawn = {}
    for k in (0, 1, 2, -1):
        run("plot", "map", dump, "-o", tmp_path / f"{k}.png", "--frame", k)
        with Image.open(tmp_path / f"{k}.png") as picture:
            drawn[k] = np.asarray(picture)
    assert drawn[0].shape == (750, 900, 4)
    np.testing.assert_array_equal(drawn[2], drawn[-1])
    assert not np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[1], drawn[2])
    draw_map(dump, tmp_path / "type.pdf", column="type", thickness=2.0)
    assert (tmp_path / "type.pdf").read_bytes().startswith(b"%PDF")


def has_color(path, color):
    """Whether more than the rim of a letter has this color."""
    with Image.open(path) as picture:
        same = (np.asarray(picture.convert("RGB")) == np.array(color)).all(axis=-1)
    return same.sum() > 300


def test_particles_that_were_not_scored_are_grey(tmp_path):
    draw_map(scored(tmp_path / "a.dump", [np.linspace(1, 2, 200)]), tmp_path / "a.png")
    draw_map(scored(tmp_path / "b.dump", [0.0]), tmp_path / "b.png")
    grey = [round(0.85 * 255)] * 3
    assert not has_color(tmp_path / "a.png", grey)
    assert has_color(tmp_path / "b.png", grey)


def test_a_movie_has_each_frame_and_the_same_colors_in_all(tmp_path):
    # each frame has one value only: a scale of its own would draw all frames alike
    dump = scored(tmp_path / "s.dump", [1.0, 2.0, 3.0], cell=TRICLINIC)
    printed = run("movie", dump, "-o", tmp_path / "film").output
    assert f"drew {tmp_path / 'film' / 'movie.gif'}, 3 frames" in printed
    names = [f"frame-{k:04d}.png" for k in range(3)]
    assert sorted(path.name for path in (tmp_path / "film").iterdir()) == [*names, "movie.gif"]
    scale = mpl.colormaps["viridis"]
    for name, place in zip(names, (0.0, 0.5, 1.0), strict=True):
        assert has_color(tmp_path / "film" / name, np.round(np.array(scale(place)[:3]) * 255))
    with Image.open(tmp_path / "film" / "movie.gif") as film:
        assert (film.n_frames, film.info["duration"], film.info["loop"]) == (3, 100, 0)
    run("movie", dump, "-o", tmp_path / "film2", "--every", "2", "--fps", "4")
    with Image.open(tmp_path / "film2" / "movie.gif") as film:
        assert (film.n_frames, film.info["duration"]) == (2, 250)


def test_the_column_of_a_fix_is_found(tmp_path):
    assert find_column(scored(tmp_path / "a.dump", [1.0], column="f_mob")) == "f_mob"
    assert find_column(scored(tmp_path / "b.dump", [1.0])) == "d_propensity"


def test_a_shorter_movie_leaves_nothing_of_a_longer_one(tmp_path):
    dump = scored(tmp_path / "s.dump", [1.0, 2.0, 3.0])
    for every, n_frames in ((1, 3), (2, 2)):
        run("movie", dump, "-o", tmp_path / "film", "--every", every)
        assert len(list((tmp_path / "film").glob("frame-*.png"))) == n_frames


def test_an_interrupted_movie_leaves_nothing_of_the_one_before(tmp_path):
    dump, film = scored(tmp_path / "s.dump", [1.0, 2.0, 3.0]), tmp_path / "film"
    assert list(draw_movie(dump, film))[-1][0] == 3
    (film / "frame-notes.png").write_text("not of the movie")
    drawing = draw_movie(dump, film)
    while next(drawing)[0] < 1:
        pass
    drawing.close()
    assert {path.name for path in film.iterdir()} == {"frame-0000.png", "frame-notes.png"}


def test_a_movie_is_not_drawn_over_its_dump(tmp_path):
    dump = scored(tmp_path / "frame-0001.png", [1.0, 2.0])
    with pytest.raises(ValueError, match=r"frame-0001\.png: is read too"):
        next(draw_movie(dump, tmp_path))
    assert dump.exists()


def test_a_damaged_archive_is_named(tmp_path):
    dump = scored(tmp_path / "s.dump", [1.0])
    whole = gzip.compress(dump.read_bytes())
    for damaged in (whole[:40], b"no archive", whole[:30] + b"xxxxxxxx" + whole[38:]):
        (tmp_path / "d.dump.gz").write_bytes(damaged)
        for command in (("plot", "map"), ("movie",)):
            done = run(*command, tmp_path / "d.dump.gz", "-o", tmp_path / "x.png", fails=True)
            assert "d.dump.gz: " in done.output
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plot", "map", "s.dump", "-o", "m.txt"), "expected a name ending in .png"),
        (("plot", "map", "s.dump", "-o", "m.png", "--thickness", 0), "is not in the range"),
        (("plot", "map", "s.dump", "-o", "m.png", "--thickness", 1e-9), "no particle is in the"),
        (("plot", "map", "plain.dump", "-o", "m.png"), "no column d_propensity in ITEM: ATOMS"),
        (("plot", "map", "no.dump", "-o", "m.png"), "no.dump: no such file"),
        (("plot", "map", "s.dump", "-o", "no/m.png"), "there is no folder no; make it first"),
        (("plot", "map", "s.dump", "-o", "m.png", "--frame", 2), "there is no frame 2; the first"),
        (("plot", "map", "s.dump", "-o", "m.png", "--frame", -3), "there is no frame -3"),
        (
            ("plot", "map", "s.dump", "-o", "m.png", "--column", "q"),
            "frame 0 (step 0): no column q",
        ),
        (("movie", "s.dump", "-o", "film", "--fps", 0), "fps must be positive and at most 50"),
        (("movie", "s.dump", "-o", "film", "--every", 0), "every must be at least 1, found 0"),
        (("movie", "cut.dump", "-o", "film"), "cut.dump: frame 1 (step 10): the file ends before"),
    ],
)
def test_errors_are_messages(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dump = scored(tmp_path / "s.dump", [1.0, 2.0])
    (tmp_path / "cut.dump").write_text(dump.read_text()[:-50])
    positions, types = liquid_frames(1)
    write(tmp_path / "plain.dump", *dump_text(positions, types))
    printed = run(*arguments, fails=True).output
    assert message in re.sub(r"\s+", " ", printed)
    assert not (tmp_path / "m.png").exists()
    assert not list(tmp_path.glob("film/*"))

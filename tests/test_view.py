"""The page of `lammps-botan view`, in a real browser."""

import re

import matplotlib as mpl
import numpy as np
import pytest
from browser import chromium, opened
from dumps import ORTHOGONAL, TRICLINIC, frame, write
from score_runs import run
from test_movie import scored

from lammps_botan.figures.view import draw_view

__all__ = ["chromium"]
VIRIDIS = mpl.colormaps["viridis"]


def hue(color):
    """Shares of red, green and blue, which the shade of a ball leaves as they are."""
    color = np.asarray(color, dtype=float)
    return color / np.maximum(color.sum(axis=-1, keepdims=True), 1e-9)


def n_like(picture, color):
    """How many pixels of the middle of a window are shades of this color."""
    height, width = picture.shape[:2]
    middle = picture[height // 4 : -height // 4, width // 4 : -width // 4]
    return int((abs(hue(middle) - hue(color[:3])).max(axis=-1) < 0.04).sum())


def choose(page, k):
    """Move the slider to frame k, as a user does with the keys."""
    slider = page.locator("#frame")
    slider.focus()
    slider.press("Home")
    for _ in range(k):
        slider.press("ArrowRight")
    page.wait_for_selector(f"body[data-shown='{k}']", state="attached")


@pytest.mark.parametrize("width", [1200, 390])
def test_the_slider_changes_the_frame_and_with_it_the_colors(width, tmp_path, chromium):
    """Of three frames, each with one value for all, the colors are the ends and the middle."""
    dump = scored(tmp_path / "s.dump", [1.0, 2.0, 3.0], n=300)
    printed = run("view", dump, "-o", tmp_path / "v.html").output
    assert re.search(r"drew .*v\.html, 3 frames, \d\.\d MB; open it in a browser", printed)
    with opened(chromium, tmp_path / "v.html", width) as found:
        assert found.page.title() == "lammps-botan view"
        assert "predicted propensity" in found.page.inner_text("#label")
        for k, place in ((0, 0.0), (2, 1.0), (1, 0.5)):
            choose(found.page, k)
            picture = found.picture()
            assert found.page.inner_text("#frames label") == f"step {10 * k}, frame {k + 1} of 3"
            counts = [n_like(picture, VIRIDIS(value)) for value in (0.0, 0.5, 1.0)]
            assert int(np.argmax(counts)) == round(2 * place)
            assert max(counts) > 5 * (sum(counts) - max(counts))
        # nothing of the page lies over another part
        boxes = [found.page.locator(name).bounding_box() for name in ("#frames", ".lil-root")]
        assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
        assert found.errors == []
        page = (tmp_path / "v.html").as_uri()
        assert [url for url in found.requests if url != page and not url.startswith("blob:")] == []


def test_particles_that_were_not_scored_are_grey(tmp_path, chromium):
    run("view", scored(tmp_path / "s.dump", [0.0]), "-o", tmp_path / "v.html")
    with opened(chromium, tmp_path / "v.html") as found:
        assert found.page.locator("#frame").is_hidden()
        picture = found.picture()
        grey = (np.ptp(picture.astype(int), axis=-1) < 6) & (picture.max(axis=-1) < 230)
        assert grey.sum() > 20_000
        assert n_like(picture, VIRIDIS(0.0)) == 0


def test_a_share_of_the_particles_hides_less_of_the_cell(tmp_path, chromium):
    """The fifth of the largest values in full, the others as dots: more of the page is white."""
    dump = scored(tmp_path / "s.dump", [np.linspace(1, 2, 300)], n=300)
    white = {}
    for share in (1, 0.2):
        run("view", dump, "-o", tmp_path / "v.html", "--largest", share)
        with opened(chromium, tmp_path / "v.html") as found:
            white[share] = int((found.picture() == 255).all(axis=-1).sum())
    assert white[0.2] > white[1] + 20_000


@pytest.mark.parametrize("cell", [TRICLINIC, ORTHOGONAL], ids=["triclinic", "plane"])
def test_tilted_cells_and_planes_are_drawn(cell, tmp_path, chromium):
    dump = scored(tmp_path / "s.dump", [np.linspace(1, 2, 200)], cell=cell)
    if cell is ORTHOGONAL:  # all particles at z = 1
        rng = np.random.default_rng(2)
        positions = rng.random((200, 3)) @ cell * [1, 1, 0] + [0, 0, 1]
        write(dump, frame(positions, cell, types=np.ones(200, int), columns="id type x y z"))
    column = "type" if cell is ORTHOGONAL else "d_propensity"
    run("view", dump, "-o", tmp_path / "v.html", "--column", column)
    with opened(chromium, tmp_path / "v.html") as found:
        assert found.errors == []
        colored = np.ptp(found.picture().astype(int), axis=-1) > 60
        assert colored.sum() > 5_000


def test_frames_with_other_particles_are_shown(tmp_path):
    """Their numbers, types and boxes may change from frame to frame."""
    few = scored(tmp_path / "few.dump", [1.0], n=50).read_text()
    many = scored(tmp_path / "many.dump", [2.0], n=80, cell=TRICLINIC).read_text()
    (tmp_path / "s.dump").write_text(few + many)
    assert list(draw_view(tmp_path / "s.dump", tmp_path / "v.html"))[-1] == (2, 1.0)


def test_every_counts_frames(tmp_path):
    dump = scored(tmp_path / "s.dump", [1.0, 2.0, 3.0])
    assert "2 frames" in run("view", dump, "-o", tmp_path / "v.html", "--every", 2).output
    assert '"steps": [0, 20]' in (tmp_path / "v.html").read_text()


def test_the_name_of_a_column_is_no_part_of_the_program(tmp_path):
    name = "</script><script>alert(1)</script>"
    run("view", scored(tmp_path / "s.dump", [1.0], column=name), "-o", tmp_path / "v.html",
        "--column", name)  # fmt: skip
    assert "alert(1)</script>" not in (tmp_path / "v.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("s.dump", "-o", "v.png"), "expected a name ending in .html, found v.png"),
        (("s.dump", "-o", "no/v.html"), "there is no folder no; make it first"),
        (("s.html", "-o", "s.html"), "s.html: is read too; give the output another name"),
        (("s.dump", "-o", "v.html", "--largest", 0), "is not in the range 0<x<=1"),
        (("s.dump", "-o", "v.html", "--column", "q"), "frame 0 (step 0): no column q"),
        (("s.dump", "-o", "v.html", "--every", 0), "every must be at least 1, found 0"),
        (("no.dump", "-o", "v.html"), "no.dump: no such file"),
    ],
)
def test_errors_are_messages(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dump = scored(tmp_path / "s.dump", [1.0])
    (tmp_path / "s.html").write_bytes(dump.read_bytes())
    printed = run("view", *arguments, fails=True).output
    assert message in re.sub(r"\s+", " ", printed)
    assert not (tmp_path / "v.html").exists()
    assert (tmp_path / "s.html").read_bytes() == dump.read_bytes()

"""The site that `make docs` builds: no broken link, nothing loaded from elsewhere, all entries."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import click
import pytest
from browser import chromium

import lammps_botan
from lammps_botan.cli import main

__all__ = ["chromium"]
DOCS = Path(__file__).resolve().parents[1] / "docs"
ROOMS = [p.parent.name for p in Path(lammps_botan.__path__[0]).glob("*/__init__.py")]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("sphinx", "myst_parser", "furo")),
        reason="no Sphinx: pip install '.[docs]'",
    ),
]


class Page(HTMLParser):
    """The anchors of a page, its links, and what a browser loads with it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        address = given.get("src") or given.get("href")
        if address is None:
            return
        (self.links if tag == "a" else self.loaded).append(address)


class Site(NamedTuple):
    folder: Path
    pages: dict[Path, Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Built from a copy of the pages, since the generated ones are written beside the others."""
    folder = tmp_path_factory.mktemp("site")
    source, built = folder / "docs", folder / "html"
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("_build", "api"))
    for beside in DOCS.parent.iterdir():  # where links of the pages lead
        if beside.suffix == ".md":  # pages take these in, whose links start from where they are
            shutil.copy(beside, folder)
        elif not (folder / beside.name).exists():
            (folder / beside.name).symlink_to(beside)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run([*command, source, built], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    paths = [path for path in built.rglob("*.html") if "_static" not in path.parts]
    return Site(built, {path: Page(path) for path in paths})


def broken(site: Site) -> Iterator[str]:
    """Links whose file or anchor is not there."""
    for path, page in site.pages.items():
        for address in page.links + page.loaded:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            where = f"{path.relative_to(site.folder)}: {address}"
            if not target.exists():
                yield where
            if target in site.pages and unquote(parts.fragment) not in site.pages[target].anchors:
                yield where


def test_every_link_leads_to_a_page_and_an_anchor(site):
    assert list(broken(site)) == []


def test_a_broken_link_would_be_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#x">b</a> <a href="#y">y</a> <p id="z">')
    (tmp_path / "b.html").write_text('<a href="a.html#z">a</a> <img src="c.png">')
    pages = {path: Page(path) for path in tmp_path.glob("*.html")}
    assert sorted(broken(Site(tmp_path, pages))) == [
        "a.html: #y",
        "a.html: b.html#x",
        "b.html: c.png",
    ]


def test_nothing_is_loaded_from_another_machine(site):
    loaded = defaultdict(list)
    for path, page in site.pages.items():
        for address in page.loaded:
            if urlsplit(address).netloc:
                loaded[address].append(path.name)
    assert loaded == {}


def test_no_style_loads_a_font_or_a_picture_from_another_machine(site):
    for style in site.folder.rglob("*.css"):
        assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]*\)", style.read_text()) == [], style


def command_names(command: click.Command, name: str) -> Iterator[str]:
    yield name
    if isinstance(command, click.Group):
        for word, one in command.commands.items():
            if not one.hidden:  # as former names are
                yield from command_names(one, f"{name}-{word}")


def test_every_command_has_its_entry(site):
    anchors = site.pages[site.folder / "reference" / "commands.html"].anchors
    assert set(command_names(main, "lammps-botan")) <= anchors


@pytest.mark.parametrize("name", lammps_botan.__all__)
def test_every_name_of_the_front_door_has_its_entry(site, name):
    address = f"lammps_botan.{lammps_botan._ROOMS[name]}"
    page = site.pages[site.folder / "reference" / "api" / f"{address}.html"]
    assert f"{address}.{name}" in page.anchors
    front_door = site.pages[site.folder / "reference" / "api" / "lammps_botan.html"]
    assert f"{address}.html#{address}.{name}" in front_door.links


@pytest.mark.parametrize("room", sorted({*ROOMS} - {"former"}))
def test_every_room_has_its_page(site, room):
    assert site.folder / "reference" / "api" / f"lammps_botan.{room}.html" in site.pages


def test_no_page_has_a_former_address(site):
    assert [path.name for path in site.pages if "former" in path.name] == []


def too_wide(browser: object, paths: Iterable[Path], width: int) -> list[str]:
    """Pages that a reader must push sideways in a window of this width."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    found = []
    for path in paths:
        page.goto(path.as_uri(), wait_until="domcontentloaded")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(path.name)
    page.close()
    return found


def test_pages_fit_into_the_window_of_a_telephone(site, chromium):
    """One page of the Python interface stands for all: they are made alike."""
    api = site.folder / "reference" / "api"
    pages = [path for path in site.pages if path.parent != api]
    assert too_wide(chromium, [*pages, api / "lammps_botan.network.predictor.html"], 400) == []


def test_a_page_that_does_not_fit_would_be_found(tmp_path, chromium):
    for width in (300, 500):
        (tmp_path / f"{width}.html").write_text(f'<div style="width: {width}px">x</div>')
    assert too_wide(chromium, sorted(tmp_path.glob("*.html")), 400) == ["500.html"]


def test_pictures_of_several_panels_stay_readable_on_a_telephone(site, chromium):
    """A map of three panels is drawn wider than the window, and one of one panel is not."""
    page = chromium.new_page(viewport={"width": 400, "height": 900})
    widths = {}
    for name in ("gallery", "tutorials/score_a_run"):
        page.goto((site.folder / f"{name}.html").as_uri())
        widths[name] = page.locator("article img").first.bounding_box()["width"]
    page.close()
    assert widths["gallery"] > 600
    assert widths["tutorials/score_a_run"] < 400

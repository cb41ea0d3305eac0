"""Tables and pictures of pages are those of the models and commands that they speak of."""

import importlib.util
import re
from pathlib import Path

import pytest

from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.shipped import shipped_models

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def rows(page: str) -> dict[str, list[str]]:
    """Cells of the rows that begin with the name of a model."""
    lines = re.findall(r"^\| `(ka-[\w-]+)` \|(.*)\|$", (DOCS / page).read_text(), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in lines}


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)
def test_the_start_page_has_the_correlations_of_each_model_that_ships(model):
    temperature, time, _, *correlations = rows("index.md")[model.name]
    card = model.card["correlations"]
    assert (float(temperature), float(time)) == (
        read_metadata(model.path).temperature,
        *read_metadata(model.path).lag_times,
    )
    means = [card["rho_S_mean"], card["rho_E_mean"]]
    assert [float(rho) for rho in correlations] == [round(mean, 2) for mean in means]


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)
def test_the_page_of_models_has_the_recipe_of_each_model_that_ships(model):
    temperature, time, *_, recipes = rows("reference/models.md")[model.name]
    assert float(temperature) == read_metadata(model.path).temperature
    assert float(time) == read_metadata(model.path).lag_times[0]
    names = re.findall(r"`(configs/\w+\.toml)`", recipes)
    assert names
    assert all((ROOT / name).is_file() for name in names)


def test_the_pages_of_models_name_no_model_that_does_not_ship():
    shipped = {model.name for model in shipped_models()}
    assert set(rows("reference/models.md")) == shipped
    assert set(rows("index.md")) == shipped


def test_each_command_of_the_gallery_draws_a_picture_that_the_page_shows():
    specification = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    gallery = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(gallery)
    drawn = re.findall(r"-o docs/(pictures/gallery/\w+\.png)", "".join(gallery.scripts()))
    shown = re.findall(r"\]\((pictures/gallery/\w+\.png)\)", gallery.PAGE.read_text())
    assert drawn == shown
    assert all((DOCS / picture).is_file() for picture in drawn)

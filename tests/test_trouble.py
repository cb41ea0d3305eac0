"""docs/trouble.md quotes messages that the sources have, for each part of the package."""

import re

import pytest
from messages import HOLE, is_said, messages
from typed import DOCS

PAGE = (DOCS / "trouble.md").read_text()
CELL = re.compile(r"^\| (`[^|]+) \|", re.MULTILINE)  # the first of a row; it may quote several


def quotes_of(page):
    return [quote for cell in CELL.findall(page) for quote in re.findall(r"`([^`]+)`", cell)]


QUOTES = quotes_of(PAGE.split("## The numbers look wrong")[0])


@pytest.fixture(scope="module")
def said():
    return messages()


@pytest.mark.parametrize("quote", QUOTES)
def test_a_message_of_the_page_is_one_of_the_sources(quote, said):
    assert is_said(quote, said)


def test_the_page_quotes_many_messages_and_each_once():
    assert len(QUOTES) > 300
    assert len(set(QUOTES)) == len(QUOTES)
    # a quote that is nothing but holes would be found anywhere
    assert min(len(quote.replace(HOLE, "").strip()) for quote in QUOTES) > 10


def test_a_message_that_nobody_says_is_found_out(said):
    assert is_said("Fix botan: unknown keyword '...'", said)
    assert not is_said("Fix botan: unknown keywords '...'", said)


@pytest.mark.parametrize(
    ("room", "heading"),
    [
        ("plugin", "fix botan"),
        ("structure", "Mixtures"),
        ("files", "Files and trajectories"),
        ("analysis", "Ground truth and observables"),
        ("network", "Model files and checkpoints"),
        ("evaluation", "Evaluation"),
        ("simulation", "Simulation"),
        ("prediction", "Python"),
        ("training", "Training and distillation"),
        ("figures", "Pictures"),
        ("cli", "lammps-botan check"),
    ],
)
def test_each_room_that_refuses_something_has_a_heading(room, heading):
    """Two messages of the room, or more, stand under it."""
    section = re.split(rf"^## {heading}$", PAGE, flags=re.MULTILINE)[1].split("\n## ")[0]
    own = messages(room)
    assert sum(is_said(quote, own) for quote in quotes_of(section)) >= 2

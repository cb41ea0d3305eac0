"""README, CONTRIBUTING, CHANGELOG, the pages of docs/ and docstrings say what is there."""

import contextlib
import copy
import doctest
import importlib
import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from liquids import NO_GLASS

import lammps_botan
from lammps_botan.cli import main
from lammps_botan.evaluation.evaluation_file import Evaluation
from lammps_botan.files.mixture_toml import parse_mixture
from lammps_botan.network.metadata import Metadata
from lammps_botan.structure.mixture import Interactions, Mixture
from lammps_botan.training.config import Config, Data, Inputs, Network, Recipe, Target

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
INDENTED = re.compile(r"(?<=\n\n)(?:    .*\n)+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?<![\w-])lammps-botan ([^\n;|&>#]*)")
IMPORT = re.compile(r"from (lammps_botan[\w.]*) import ([\w, ]+)")
NAME = re.compile(r"(?<![\w/])lammps_botan(?:\.\w+)+")
SOURCE = re.compile(r"(?:lammps_botan|configs|inputs|examples|benchmarks|tests|docs)/[\w./*-]+")
MACHINE = re.compile(r"(?<![\w.}])/(?:work|tmp|home|root|mnt|Users)\b")

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def blocks(text):
    """Code between fences, and indented code after an empty line."""
    return [code for _, code in FENCE.findall(text)] + INDENTED.findall(FENCE.sub("", text))


def spans(text):
    """Code within lines, in one line each."""
    return [" ".join(code.split()) for code in INLINE.findall(FENCE.sub("", text))]


def slug(heading):
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page):
    return {
        slug(h) for h in re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    }


def commands(text):
    """Arguments of each `lammps-botan` command, and whether it can be typed as it stands."""
    for whole, codes in ((True, blocks(text)), (False, spans(text))):
        for code in codes:
            for line in COMMAND.findall(code.replace("\\\n", " ")):
                yield shlex.split(line), whole


def parse(words):
    """Let click judge a command line; no callback opens a file."""
    command, name = main, "lammps-botan"
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, words = words[0], words[1:]
        assert name in command.commands, f"there is no command {name}"
        command = command.commands[name]
    if isinstance(command, click.Group):
        return  # named, not typed
    command, parameters = copy.copy(command), command.params
    command.params = [copy.copy(parameter) for parameter in parameters]
    for parameter in command.params:
        parameter.callback = None
    command.make_context(name, words)


@each_page
def test_links_lead_to_files_and_headings(page):
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file), target


@each_page
def test_commands_have_these_options(page):
    """What stands in a line of prose may leave out the rest of its command."""
    for words, whole in commands(page.read_text()):
        missing = () if whole else (click.MissingParameter,)
        wrong = ""
        try:
            with contextlib.suppress(*missing):
                parse(words)
        except click.UsageError as error:
            wrong = error.format_message()
        assert not wrong, " ".join(words)


@pytest.mark.parametrize(
    "line", ["score a.dump -m a.pt --spices A", "movie", "info a b", "plot maps"]
)
def test_a_command_that_is_not_there_is_found(line):
    with pytest.raises((click.UsageError, AssertionError)):
        parse(line.split())


def options(command):
    if isinstance(command, click.Group):
        return {name for one in command.commands.values() for name in options(one)}
    return {name for parameter in command.params for name in parameter.opts}


@each_page
def test_options_that_are_named_alone_exist(page):
    known = options(main)
    for span in spans(page.read_text()):
        if span.startswith("--"):
            assert re.split(r"[ =]", span)[0] in known, span


@each_page
def test_imports_import(page):
    text = page.read_text()
    for code in [*blocks(text), *spans(text)]:
        for module, names in IMPORT.findall(code):
            for name in names.replace(" ", "").split(","):
                assert hasattr(importlib.import_module(module), name), f"{module}: {name}"


@each_page
def test_names_of_the_package_exist(page):
    if page.name == "CHANGELOG.md":
        pytest.skip("names former addresses")
    for code in spans(page.read_text()):
        for name in NAME.findall(code):
            found = importlib.import_module("lammps_botan")
            for part in name.split(".")[1:]:
                if not hasattr(found, part):
                    with contextlib.suppress(ModuleNotFoundError):
                        importlib.import_module(f"{found.__name__}.{part}")
                assert hasattr(found, part), name
                found = getattr(found, part)


@each_page
def test_paths_of_sources_exist(page):
    for code in spans(page.read_text()):
        if SOURCE.fullmatch(code):
            is_made = "out/" in code or code.startswith("docs/_build/")
            assert list(ROOT.glob(code)) or is_made, code


@each_page
def test_no_path_is_that_of_one_machine(page):
    assert MACHINE.findall(page.read_text()) == []


def keys_of(page):
    """What stands as code in the first column of a table."""
    rows = re.findall(r"^\| ?(`.*?)\|", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    return {re.sub(r"[\[\]]", "", key) for row in rows for key in INLINE.findall(row)}


def test_each_key_of_a_mixture_has_its_line():
    expected = {*Mixture.model_fields, *Interactions.model_fields}
    assert expected <= keys_of("how_to/own_mixture.md")


def test_each_key_of_a_training_run_has_its_line():
    sections = {
        "data": Data,
        "target": Target,
        "inputs": Inputs,
        "network": Network,
        "recipe": Recipe,
    }
    assert {"output", *sections} == set(Config.model_fields)
    expected = {f"{name}.{key}" for name, one in sections.items() for key in one.model_fields}
    assert {"output", *expected} <= keys_of("reference/train.md")


def test_each_key_of_the_metadata_and_of_evaluations_has_its_line():
    assert {*Metadata.model_fields, "format", "format_version"} <= keys_of(
        "reference/model_file.md"
    )
    assert set(Evaluation.model_fields) <= keys_of("reference/evaluate.md")


TOML = [
    pytest.param(tomllib.loads(code), id=f"{page.name}-{k}")
    for page in PAGES
    for k, (language, code) in enumerate(FENCE.findall(page.read_text()))
    if language == "toml"
]


@pytest.mark.parametrize("content", TOML)
def test_toml_files_can_be_read(content):
    """Mixtures and training runs as a whole, and fragments by their keys."""
    if "species" in content:
        assert parse_mixture(content, "the page").name == content["name"]
    elif "output" in content:
        assert Config.model_validate_json(json.dumps(content)).output == content["output"]
    else:
        known = [Mixture, Interactions, Config]
        assert content.keys() <= {key for one in known for key in one.model_fields}


def modules_with_examples():
    """Names of modules with an example that runs; the former addresses have none."""
    folder = Path(lammps_botan.__path__[0])
    for file in sorted(folder.rglob("*.py")):
        lines = file.read_text().splitlines()
        if any(">>> " in line and "+SKIP" not in line for line in lines):
            parts = file.relative_to(folder.parent).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__")


@pytest.mark.filterwarnings(NO_GLASS)
@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_examples_of_docstrings_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert found.failed == 0
    assert found.attempted > 0

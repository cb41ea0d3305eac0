"""The command that judges models."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from lammps_botan.cli.shared import AS_JSON, number, to_json

WIDTH = len("-0.1234 ± 0.123")


@click.command()
# a folder is refused later, with the files that are in it
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    required=True,
    help="A model file, or a name that `lammps-botan models` lists; several are compared.",
)
@click.option("--time-index", type=int, help="Which lag time of .pickle files, from 0.")
@AS_JSON
def evaluate(
    files: Sequence[Path], models: Sequence[str], time_index: int | None, as_json: bool
) -> None:
    """Correlate predictions of models with the isoconfigurational averages of FILES.

    FILES are npz files, or pickle files of Bapst et al. with several lag times.
    """
    from lammps_botan.evaluation.evaluate import evaluate as run

    bar = track(files, "evaluate", console=Console(stderr=True), transient=True)
    found = run(models, bar, time_index=time_index)
    if as_json:
        click.echo(to_json(found))
        return
    for quantity, title in (
        ("S", "rho of the propensity S"),
        ("E", "rho of the changes E of bonds"),
    ):
        if any(model[quantity] for model in found["models"]):
            Console().print(_table(found, quantity, title))
    click.echo("±: standard error, by bootstrap over configurations; ceiling: by split halves")


def _table(found: dict[str, Any], quantity: str, title: str) -> Table:
    """Configurations and what follows from all of them as rows, models and ceiling as columns."""
    models = [model[quantity] for model in found["models"]]
    names = _short([model["model"] for model in found["models"]])
    limit = found["ceiling"] and found["ceiling"][quantity]
    # the first model is compared with each other one before those among themselves are
    differences = [step[quantity] for step in found["differences"][: len(models) - 1]]
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(overflow="fold")
    for name in (*names, "ceiling"):
        table.add_column(Text(name), overflow="fold", min_width=WIDTH)
    for group in next(model for model in models if model):
        columns = [column and column[group] for column in (*models, limit)]
        table.add_row(Text(group, "bold"))
        for k, file in enumerate(_short(found["configurations"])):
            table.add_row(Text(file), *(_cell(c and c["per_configuration"][k]) for c in columns))
        for key in ("rho_mean", "rho_pooled"):
            pairs = (c and (c[key], c[f"{key}_error"]) for c in columns)
            table.add_row(key, *(_cell(*(pair or [None])) for pair in pairs))
        if differences:
            steps = (step and step[group].values() for step in differences)
            label = Text(f"difference to {names[0]}")
            table.add_row(label, "", *(_cell(*(step or [None])) for step in steps))
        table.add_section()
    return table


def _cell(value: float | None, error: float | None = None) -> str:
    if error is None or math.isnan(error):  # as for a single configuration
        return f"{number(value):>7}"
    return f"{number(value):>7} ± {error:.3f}"


def _short(paths: Sequence[str]) -> list[str]:
    """Names without folders and usual endings, where they still differ."""
    names = [re.sub(r"\.(npz|pickle|pt)$", "", Path(path).name) for path in paths]
    return names if len(set(names)) == len(names) else list(paths)

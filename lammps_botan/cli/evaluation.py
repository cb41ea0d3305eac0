"""The command that compares models with isoconfigurational averages."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from lammps_botan.cli.shared import AS_JSON, MIXTURE, TRUST, number, to_json

if TYPE_CHECKING:
    from lammps_botan.structure.mixture import Mixture

WIDTH = len("-0.1234 ± 0.123")
LEVELS = {  # rows of the table, of the quoted species and pair
    "bias": "bias",
    "rmse": "RMSE",
    "variance_ratio": "variance ratio",
    "amplitude_ratio": "amplitude ratio",
    "chi_4_ratio": "chi_4 ratio",
}
TITLES = {"S": "rho of the propensity S", "E": "rho of the changes E of bonds"}


@click.command()
# a folder is refused later, with the files that are in it
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    help="A model file, or a name that `lammps-botan models` lists; several are compared. Without "
    "it the ceilings are printed alone.",
)
@click.option("--time-index", type=int, help="Number of the lag time, from 0.")
@MIXTURE
@click.option(
    "--known",
    is_flag=True,
    help="Take configurations that a model knows from its training into the means.",
)
@AS_JSON
@TRUST
def evaluate(
    files: Sequence[Path],
    models: Sequence[str],
    time_index: int | None,
    mixture: "Mixture | None",
    known: bool,
    as_json: bool,
) -> None:
    """Compare predictions of models with the isoconfigurational averages of FILES.

    FILES are npz files, or pickle files of Bapst et al. with several lag times.
    """
    from lammps_botan.evaluation.evaluate import evaluate as run

    bar = track(files, "evaluate", console=Console(stderr=True), transient=True)
    found = run(models, bar, time_index=time_index, mixture=mixture, known=known)
    if as_json:
        click.echo(to_json(found))
        return
    for quantity in TITLES:
        if any(part[quantity] for part in (*found["models"], found["ceiling"]) if part):
            Console().print(_table(found, quantity))
    for note in _notes(found):
        click.echo(note)


def _table(found: dict[str, Any], quantity: str) -> Table:
    """Table with configurations and means as rows, models and ceiling as columns."""
    models = [model[quantity] for model in found["models"]]
    names = _short([model["model"] for model in found["models"]])
    limit = found["ceiling"] and found["ceiling"][quantity]
    # the first model is compared with each other one before those among themselves are
    differences = [step[quantity] for step in found["differences"][: len(models) - 1]]
    n = len(found["configurations"]) - len(found["left_out"])
    title = TITLES[quantity]
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(overflow="fold")
    for name in (*names, "ceiling"):
        table.add_column(Text(name), overflow="fold", min_width=WIDTH)
    for group in next(part for part in (*models, limit) if part):
        columns = [column and column[group] for column in (*models, limit)]
        table.add_row(Text(group, "bold"))
        for k, file in enumerate(_rows(found)):
            table.add_row(Text(file), *(_cell(c and c["per_configuration"][k]) for c in columns))
        for key in ("rho_mean", "rho_pooled"):
            pairs = (c and (c[key], c[f"{key}_error"]) for c in columns)
            table.add_row(f"{key}, n = {n}", *(_cell(*(pair or [None])) for pair in pairs))
        if differences:
            steps = (step and step[group] for step in differences)
            pairs = (step and (step["difference"], step["error"]) for step in steps)
            label = Text(f"difference to {names[0]}")
            table.add_row(label, "", *(_cell(*(pair or [None])) for pair in pairs))
        if group == found["quoted"][quantity]:
            of_all = (*found["models"], found["ceiling"])
            level = [c and c["levels"][quantity] and c["levels"][quantity][group] for c in of_all]
            for key, row in LEVELS.items():
                pairs = (c and (c[key], c[f"{key}_error"]) for c in level)
                table.add_row(row, *(_level_cell(*(pair or [None])) for pair in pairs))
        table.add_section()
    return table


def _rows(found: dict[str, Any]) -> list[str]:
    """Short names of the files, with their roles for the models that know them."""
    models = found["models"]
    names = _short([model["model"] for model in models])
    rows = []
    for file, short in zip(found["configurations"], _short(found["configurations"]), strict=True):
        roles = {
            name: model["known"][file]
            for name, model in zip(names, models, strict=True)
            if file in model["known"]
        }
        whose = [role if len(models) == 1 else f"{role} of {name}" for name, role in roles.items()]
        rows.append(f"{short} ({', '.join(whose)})" if whose else short)
    return rows


def _notes(found: dict[str, Any]) -> list[str]:
    """Notes that explain the tables."""
    from lammps_botan.evaluation.bootstrap import FEWEST

    n, left_out = len(found["configurations"]), len(found["left_out"])
    names = _short([model["model"] for model in found["models"]])
    notes = [
        f"{name}: {note}"
        for name, model in zip(names, found["models"], strict=True)
        for note in model["notes"]
    ]
    if left_out:
        notes.append(
            f"{left_out} of {n} configurations are known to a model and left out of the means; "
            "--known takes them in"
        )
    elif any(model["known"] for model in found["models"]):
        notes.append("configurations that a model knows are in the means")
    if n - left_out < FEWEST:
        notes.append(f"no errors: they need {FEWEST} configurations or more")
    else:
        notes.append("±: standard error, by bootstrap over the n configurations")
    return [
        *notes,
        "ceiling: of a perfect prediction, by split halves of the runs",
        "ratios: predicted to true, in space and without the noise of the runs "
        "(docs/reference/evaluate.md)",
    ]


def _cell(value: float | None, error: float | None = None) -> str:
    """A number with its error, if there is one; a dash where the number is not defined."""
    value = None if value is None or math.isnan(value) else value
    if error is None or math.isnan(error):
        return f"{number(value):>7}"
    return f"{number(value):>7} ± {error:.3f}"


def _level_cell(value: float | None, error: float | None = None) -> str:
    """The same with three digits, for lengths of any size."""
    if value is None or math.isnan(value):
        return _cell(None)
    if not error or math.isnan(error):  # a perfect prediction has its ratios without error
        return f"{value:>7.3g}"
    return f"{value:>7.3g} ± {error:.2g}"


def _short(paths: Sequence[str]) -> list[str]:
    """Names without folders and usual endings, where they still differ."""
    names = [re.sub(r"\.(npz|pickle|pt)$", "", Path(path).name) for path in paths]
    return names if len(set(names)) == len(names) else list(paths)

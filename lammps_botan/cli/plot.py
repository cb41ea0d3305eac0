"""Commands that draw pictures."""

from pathlib import Path
from typing import Any

import click

from lammps_botan.cli.shared import COLUMN, FILE, THICKNESS, check_picture

PICTURE = click.option(
    "-o", "--output", type=FILE, required=True, callback=check_picture, help="Picture to draw."
)


@click.group()
def plot() -> None:
    """Draw pictures: PNG, PDF or SVG files."""


@plot.command("map")
@click.argument("dump", type=FILE)
@PICTURE
@click.option("--frame", default=0, show_default=True, help="From 0; -1 is the last.")
@click.option("--bonds", type=FILE, help="Dump of bonds, drawn in place of the particles.")
@COLUMN
@THICKNESS
def plot_map(dump: Path, output: Path, **arguments: Any) -> None:
    """Draw a slice through a frame of a scored DUMP, colored by its propensity.

    With --bonds, its bonds are drawn, colored by their predicted change.
    """
    from lammps_botan.movie import draw_map

    draw_map(dump, output, **arguments)
    click.echo(f"drew {output}")

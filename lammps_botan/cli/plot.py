"""Commands that draw pictures."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import track

from lammps_botan.cli.shared import COLUMN, FILE, MIXTURE, THICKNESS, TRUST, check_picture
from lammps_botan.files.whole_file import keep_apart

if TYPE_CHECKING:
    from lammps_botan.structure.mixture import Mixture

FOLDER = click.Path(file_okay=False, path_type=Path)
PICTURE = click.option(
    "-o", "--output", type=FILE, required=True, callback=check_picture, help="Picture to draw."
)
TIME_INDEX = click.option("--time-index", type=int, help="Number of the lag time, from 0.")


@click.group()
def plot() -> None:
    """Draw pictures: PNG, PDF or SVG files."""


@plot.command("learning-curve")
@click.argument("runs", type=FOLDER, nargs=-1, required=True)
@PICTURE
def learning_curve(runs: Sequence[Path], output: Path) -> None:
    """Draw losses and validation of RUNS, output folders of `train`, against the epoch."""
    from lammps_botan.figures.learning_curve import plot_learning_curve

    plot_learning_curve(output, runs)
    click.echo(f"drew {output}")


@plot.command("correlation-vs-time")
@click.argument("evaluations", type=FILE, nargs=-1, required=True)
@PICTURE
@click.option("--published", is_flag=True, help="Draw rho_S of published models too.")
def correlation_vs_time(evaluations: Sequence[Path], output: Path, published: bool) -> None:
    """Draw rho_S and rho_E against the lag time, from EVALUATIONS of `evaluate --json`."""
    from lammps_botan.figures.correlation import plot_correlation

    keep_apart([output], evaluations)
    plot_correlation(output, evaluations, published=published)
    click.echo(f"drew {output}")


@plot.command()
@click.argument("evaluations", type=FILE, nargs=-1, required=True)
@PICTURE
def ablation(evaluations: Sequence[Path], output: Path) -> None:
    """Draw rho_S and rho_E against a quantity of the models, from EVALUATIONS of `evaluate --json`.

    The quantities are the number of rounds n, the weight p, the length of the history and the
    number of training configurations.
    """
    from lammps_botan.figures.ablation import plot_ablation

    keep_apart([output], evaluations)
    plot_ablation(output, evaluations)
    click.echo(f"drew {output}")


@plot.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@PICTURE
@click.option("-m", "--model", help="Draw its predictions too: a file, or a name of `models`.")
@TIME_INDEX
@MIXTURE
@TRUST
def anticorrelation(
    files: Sequence[Path],
    output: Path,
    model: str | None,
    time_index: int | None,
    mixture: "Mixture | None",
) -> None:
    """Draw E_ij(t) against r_ij(0), from isoconfigurational FILES, for each lag time."""
    from lammps_botan.figures.anticorrelation import plot_anticorrelation

    keep_apart([output], [*files, *([model] if model else [])])
    console = Console(stderr=True)
    bar = track(files, "anticorrelation", console=console, transient=True)
    plot_anticorrelation(output, bar, model=model, time_index=time_index, mixture=mixture)
    click.echo(f"drew {output}")


@plot.command("map")
@click.argument("source", type=FILE)
@PICTURE
@click.option("-m", "--model", help="For a configuration: a model file, or a name of `models`.")
@TIME_INDEX
@click.option("--frame", type=int, help="Frame of a dump, from 0; -1 is the last.  [default: 0]")
@click.option("--bonds", is_flag=True, help="With -m: draw bonds in place of particles.")
@click.option("--bond-dump", type=FILE, help="For a dump: draw its bonds, from this dump.")
@COLUMN
@THICKNESS
@MIXTURE
@TRUST
def plot_map(
    source: Path,
    output: Path,
    model: str | None,
    time_index: int | None,
    frame: int | None,
    bonds: bool,
    bond_dump: Path | None,
    column: str | None,
    thickness: float | None,
    mixture: "Mixture | None",
) -> None:
    """Draw a slice through SOURCE: a scored dump, or a configuration whose future is known.

    For a dump, the particles of a frame are colored by the propensity. For a configuration (an npz
    or pickle file), three panels show prediction, truth and error of the model given with -m. Two
    dimensions are drawn as a whole plane.
    """
    keep_apart([output], [path for path in (source, model, bond_dump) if path])
    if model is None:
        from lammps_botan.figures.movie import draw_map

        if source.suffix in {".npz", ".pickle"}:
            raise click.UsageError(f"{source}: expected a model to compare it with; add -m MODEL")
        if time_index is not None:
            raise click.UsageError("--time-index is for files with several lag times; leave it out")
        if bonds:
            raise click.UsageError(
                f"{source}: its bonds are in a dump of their own: --bond-dump BONDS.dump in place "
                "of --bonds, made with `lammps-botan score ... --bonds BONDS.dump`"
            )
        draw_map(
            source,
            output,
            frame=frame or 0,
            column=column,
            thickness=thickness,
            bonds=bond_dump,
            mixture=mixture,
        )
    else:
        from lammps_botan.figures.prediction_map import plot_prediction

        if frame is not None or column is not None:
            raise click.UsageError("--frame and --column are for dumps; leave them out, or -m")
        if bond_dump is not None:
            raise click.UsageError(
                f"with -m the model predicts the bonds: expected --bonds, found --bond-dump "
                f"{bond_dump}"
            )
        if _is_dump(source):
            raise click.UsageError(
                f"{source}: a dump, which holds its own predictions: leave out -m"
            )
        plot_prediction(
            output,
            source,
            model,
            bonds=bonds,
            time_index=time_index,
            mixture=mixture,
            thickness=thickness,
        )
    click.echo(f"drew {output}")


def _is_dump(source: Path) -> bool:
    from lammps_botan.files.lammps_dump import is_dump

    with contextlib.suppress(ValueError):  # what is no text is no dump
        return is_dump(source)
    return False

"""Commands that score trajectories, and show scored dumps as movies and pages."""

import contextlib
import os
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lammps_botan.cli.shared import COLUMN, FILE, MIXTURE, THICKNESS, TRUST, check_folder


class _SpeciesCommand(click.Command):
    """Command that takes `--species A B` as `fix botan` does: all words up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--species" in args:
            start = args.index("--species") + 1
            rest = range(start, len(args))
            end = next((k for k in rest if args[k].startswith("-")), len(args))
            if end > start:
                args = [*args[:start], " ".join(args[start:end]), *args[end:]]
        return super().parse_args(ctx, args)


class _Edge(click.types.FloatParamType):
    """Edge of the box: a single number in place of three would take the next option for an edge."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return float(value)
        except ValueError:
            self.fail(f"expected three lengths, as in --box 15 15 15, found '{value}'")


def _words(ctx: click.Context, parameter: click.Parameter, text: str | None) -> list[str] | None:
    return None if text is None else text.split()


@click.command(cls=_SpeciesCommand)
@click.argument("trajectory", type=FILE)
@click.option("-m", "--model", required=True, help="A model file, or a name of `models`.")
@click.option(
    "--species",
    metavar="A B ...",
    callback=_words,
    help="For each atom type in order a species of the model, or NULL to leave the type out.",
)
@click.option("--every", default=1, show_default=True, help="Score every this many frames.")
@click.option(
    "-o",
    "--out",
    type=FILE,
    default=Path("scored.dump"),
    show_default=True,
    callback=check_folder,
    help="Dump of particles to write; compressed if it ends in .gz.",
)
@click.option(
    "--bonds",
    type=FILE,
    callback=lambda ctx, parameter, path: path and check_folder(ctx, parameter, path),
    help="Dump of bonds to write, pairs closer than the longest bond length of the model.",
)
@click.option(
    "--inherent",
    is_flag=True,
    help="Minimize each frame, for a model that sees inherent structures "
    "(docs/reference/inherent.md).",
)
@click.option("--topology", type=FILE, help="File with the atom types, if TRAJECTORY has none.")
@click.option(
    "--box", type=(_Edge(), _Edge(), _Edge()), help="Edges of the box, if TRAJECTORY has none."
)
@click.option("--units", help="LAMMPS units of an XTC or TRR file, if its topology has none.")
@click.option(
    "--timestep",
    type=float,
    help="Time step of the run, for a model that sees a history and a TRAJECTORY without times.",
)
@click.option("--workers", default=1, show_default=True, help="Processes, for frames in parallel.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@TRUST
def score(trajectory: Path, model: str, out: Path, bonds: Path | None, **arguments: Any) -> None:
    """Score the frames of TRAJECTORY: a LAMMPS dump or data file, XYZ, GSD, DCD, XTC or TRR.

    Writes a LAMMPS dump with the propensity in the column d_propensity. An interrupted command
    leaves the frames scored so far.
    """
    from lammps_botan.prediction.trajectory import score_file

    n_frames = n_left_out = 0
    scores = score_file(trajectory, model, out, bonds_output=bonds, **arguments)
    try:
        with contextlib.closing(scores), _progress() as bar:
            task = bar.add_task("score", total=1.0)
            for progress in scores:
                n_frames, share, n_left_out = progress
                bar.update(task, completed=share, description=f"score, {n_frames} frames")
            bar.update(task, completed=1.0)  # the frames skipped at the end
    except BaseException:
        if n_frames:
            click.echo(f"stopped; {out} holds the {n_frames} frames scored so far", err=True)
        raise
    left_out = f", left out {n_left_out} whose window was not full" if n_left_out else ""
    click.echo(
        f"wrote {out}, {n_frames} frames{left_out}; next: lammps-botan plot map {out} -o map.png",
        err=any(_is_standard_output(path) for path in (out, bonds) if path),
    )


def _is_standard_output(path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(1), path.stat())
    except OSError:  # closed, or removed
        return False


@click.command()
@click.argument("dump", type=FILE)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder; made if it is not there.",
)
@click.option("--every", default=1, show_default=True, help="Draw every this many frames.")
@click.option("--fps", default=10.0, show_default=True, help="Frames per second.")
@COLUMN
@THICKNESS
@MIXTURE
def movie(dump: Path, output: Path, **arguments: Any) -> None:
    """Draw a slice through each frame of a scored DUMP: PNG files and movie.gif in OUTPUT."""
    from lammps_botan.figures.movie import draw_movie

    n_frames = 0
    with _progress() as bar:
        task = bar.add_task("movie", total=1.0)
        for n_frames, share in draw_movie(dump, output, **arguments):
            bar.update(task, completed=share, description=f"movie, {n_frames} frames")
    click.echo(f"drew {output / 'movie.gif'}, {n_frames} frames")


def _check_page(ctx: click.Context, parameter: click.Parameter, path: Path) -> Path:
    if path.suffix not in {".html", ".htm"}:
        raise click.BadParameter(f"expected a name ending in .html, found {path}")
    return check_folder(ctx, parameter, path)


@click.command()
@click.argument("dump", type=FILE)
@click.option(
    "-o", "--output", type=FILE, required=True, callback=_check_page, help="Page to write."
)
@click.option("--every", default=1, show_default=True, help="Show every this many frames.")
@click.option(
    "--largest",
    type=click.FloatRange(min=0, max=1, min_open=True),
    metavar="SHARE",
    help="Draw in full this share of each species, of the largest values; the others are dots.",
)
@COLUMN
@MIXTURE
def view(dump: Path, output: Path, **arguments: Any) -> None:
    """Write a page that shows the particles of a scored DUMP in three dimensions.

    Any browser opens the page, without a network. The mouse turns the particles, a slider changes
    the frame.
    """
    from lammps_botan.figures.view import draw_view

    n_frames = 0
    with _progress() as bar:
        task = bar.add_task("view", total=1.0)
        for n_frames, share in draw_view(dump, output, **arguments):
            bar.update(task, completed=share, description=f"view, {n_frames} frames")
    size = output.stat().st_size / 1e6
    click.echo(f"drew {output}, {n_frames} frames, {size:.1f} MB; open it in a browser")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )

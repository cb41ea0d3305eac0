"""Options, numbers and names that several commands share."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lammps_botan.structure.mixture import Mixture

FILE = click.Path(dir_okay=False, path_type=Path)


def check_folder(ctx: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """Refuse a file in a folder that is not there, before any work is done."""
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}; make it first")
    return path


def check_picture(ctx: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """Refuse a kind of picture that cannot be drawn, before any work is done."""
    if path.suffix not in {".png", ".pdf", ".svg"}:
        raise click.BadParameter(f"expected a name ending in .png, .pdf or .svg, found {path}")
    return check_folder(ctx, parameter, path)


OUTPUT = click.option(
    "-o", "--output", type=FILE, required=True, callback=check_folder, help="File to write."
)
FOLDER = click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder; made if it is not there.",
)
COLUMN = click.option(
    "--column",
    help="Quantity that colors the particles.  [default: the propensity, d_propensity or f_ID]",
)
THICKNESS = click.option(
    "--thickness",
    type=click.FloatRange(min=0, min_open=True),
    help="Thickness of the slice, at half the height of the box.  [default: a particle diameter]",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
DT = click.option(
    "--dt",
    type=click.FloatRange(min=0, min_open=True),
    default=0.001,
    show_default=True,
    help="Time step, for dumps without ITEM: TIME.",
)


def check_mixture(
    ctx: click.Context, parameter: click.Parameter, name: str | None
) -> "Mixture | None":
    """Find the mixture of this name, or of this TOML file."""
    if name is None:
        return None
    from lammps_botan.files.mixture_toml import find_mixture

    return find_mixture(name)


MIXTURE = click.option(
    "--mixture",
    metavar="NAME|FILE.toml",
    callback=check_mixture,
    help="What the particles are (docs/how_to/own_mixture.md).  [default: the mixture of the file, "
    "or the shipped one of their composition]",
)


@contextlib.contextmanager
def signals_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does: whole files stay, the status is 1."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # not under nohup
                before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def trust(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Set the environment variable for this process and its workers."""
    if value:
        os.environ["LAMMPS_BOTAN_TRUST"] = "yes"
        ctx.call_on_close(lambda: os.environ.pop("LAMMPS_BOTAN_TRUST"))


TRUST = click.option(
    "--trust",
    is_flag=True,
    expose_value=False,
    callback=trust,
    help="Run code in model files that may do more than compute (docs/notes/security.md).",
)


def paths_written(paths: Sequence[Path]) -> str:
    """Name one path, or the number of paths with the first and the last one."""
    return str(paths[0]) if len(paths) == 1 else f"{len(paths)} files, {paths[0]} to {paths[-1]}"


def to_json(content: object) -> str:
    """Write JSON text; an undefined correlation, NaN, becomes null."""
    return json.dumps(json.loads(json.dumps(content), parse_constant=lambda _: None))


def number(value: float | None) -> str:
    """Write four decimals, or a dash where there is no number."""
    return "-" if value is None else f"{value:.4f}"

"""What several commands share: options, numbers and names as they are printed."""

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
    "--column", help="Colors the particles; the propensity, d_propensity or f_ID, if not given."
)
THICKNESS = click.option(
    "--thickness",
    type=click.FloatRange(min=0, min_open=True),
    help="Of the slice, which is halfway up the box; the diameter of a particle, if not given.",
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
    """The mixture of this name, or of this TOML file."""
    if name is None:
        return None
    from lammps_botan.files.mixture_toml import find_mixture

    return find_mixture(name)


MIXTURE = click.option(
    "--mixture",
    metavar="NAME|FILE.toml",
    callback=check_mixture,
    help="What the particles are (docs/how_to/own_mixture.md); told by the file or their "
    "composition, if not given.",
)


@contextlib.contextmanager
def signals_as_ctrl_c() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command as Ctrl-C does: with what is whole kept, and status 1."""
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
    """Say so to this process and its workers."""
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
    """One path, or how many from which to which."""
    return str(paths[0]) if len(paths) == 1 else f"{len(paths)} files, {paths[0]} to {paths[-1]}"


def to_json(content: object) -> str:
    """JSON text; JSON has no NaN: an undefined correlation is null."""
    return json.dumps(json.loads(json.dumps(content), parse_constant=lambda _: None))


def number(value: float | None) -> str:
    """Four decimals, or a dash where there is nothing to print."""
    return "-" if value is None else f"{value:.4f}"

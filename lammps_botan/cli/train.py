"""Commands that train networks, and that make pseudo-labels to train on."""

import contextlib
import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import track

from lammps_botan.cli.shared import FILE, MIXTURE, TRUST, paths_written

if TYPE_CHECKING:
    from lammps_botan.structure.mixture import Mixture


@click.command()
@click.argument("config", type=FILE)
@click.option("--init", type=FILE, help="Checkpoint with the weights to start from.")
@click.option(
    "--devices",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="GPUs, or processes on CPUs, that share the graphs of a step; on each machine.",
)
@click.option(
    "--num-nodes", type=click.IntRange(min=1), default=1, show_default=True, help="Machines."
)
def train(config: Path, init: Path | None, devices: int, num_nodes: int) -> None:
    """Train a network with CONFIG, a TOML file; an interrupted training goes on.

    CONFIG is a TOML file (docs/reference/train.md). Several seeds make a
    committee, one network after the other.
    """
    keep_memory()
    from lightning.pytorch.utilities import rank_zero_only

    from lammps_botan.training import train as run
    from lammps_botan.training.config import read_config

    given = read_config(config)
    try:
        paths = run(given, config.parent, init=init, devices=devices, num_nodes=num_nodes)
    except KeyboardInterrupt as interrupt:
        click.echo(f"\n{interrupt or 'stopped'}", err=True)
        raise
    names = " ".join(map(str, paths))
    # with several processes one speaks
    rank_zero_only(click.echo)(f"wrote {names}; next: lammps-botan export {names} -o model.pt")


@click.command()
@click.argument("configurations", type=FILE, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder; made if it is not there.",
)
@click.option(
    "-m",
    "--model",
    help="The teacher: a model file, or a name that `lammps-botan models` lists.  [default: ridge "
    "regression on inherent structures, which learns from the runs of CONFIGURATIONS]",
)
@MIXTURE
@TRUST
def distill(
    configurations: Sequence[Path], output: Path, model: str | None, mixture: "Mixture | None"
) -> None:
    """Write pseudo-labels for CONFIGURATIONS and the ends of their runs.

    CONFIGURATIONS are npz files of `simulate inherent`; or, for a model that sees histories, those
    of `simulate history`, whose copies are labeled too. A second call goes on where an interrupted
    one stopped.
    """
    from lammps_botan.training.pseudo_labels import count_structures
    from lammps_botan.training.pseudo_labels import distill as run

    console = Console(stderr=True)
    total = sum(count_structures(path, model=model) for path in configurations)
    made = run(configurations, output, model=model, mixture=mixture)
    paths = list(track(made, "distill", total=total, console=console, transient=True))
    click.echo(f"wrote {paths_written(paths)}; next: name them in data.train of a recipe")


# the name of the command before, for scripts
teach = click.Command(
    "teach",
    params=distill.params,
    callback=distill.callback,
    help="The former name of distill.",
    hidden=True,
    deprecated="it is now called distill",
)


def keep_memory() -> None:
    """Make glibc keep the pages of large tensors, which are needed again at every step.

    To return the pages and to fault them in again takes a quarter of a step.
    """
    with contextlib.suppress(OSError, AttributeError):
        process = ctypes.CDLL(None)
        process.mallopt(-4, 0)  # M_MMAP_MAX
        process.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD

"""The command that trains networks."""

import contextlib
import ctypes
from pathlib import Path

import click

from lammps_botan.cli.shared import FILE


@click.command()
@click.argument("config", type=FILE)
@click.option("--init", type=FILE, help="Checkpoint whose weights to start from.")
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
    """Train a network as CONFIG (TOML, see docs/train.md) says; started again, it goes on.

    Several seeds make an ensemble, one network after the other.
    """
    keep_memory()
    from lightning.pytorch.utilities import rank_zero_only

    from lammps_botan.training import train as run
    from lammps_botan.training.config import read_config

    paths = run(read_config(config), config.parent, init=init, devices=devices, num_nodes=num_nodes)
    names = " ".join(map(str, paths))
    # with several processes one speaks
    rank_zero_only(click.echo)(f"wrote {names}; next: lammps-botan export {names} -o model.pt")


def keep_memory() -> None:
    """Make glibc keep the pages of large tensors, which come back at every step.

    To return them and to fault them in again takes a quarter of a step.
    """
    with contextlib.suppress(OSError, AttributeError):
        process = ctypes.CDLL(None)
        process.mallopt(-4, 0)  # M_MMAP_MAX
        process.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD

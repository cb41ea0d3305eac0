"""Commands that simulate: `lammps-botan simulate`."""

import contextlib
import math
import shlex
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from lammps_botan.cli.shared import FILE, FOLDER, paths_written


@click.group()
def simulate() -> None:
    """Make the ground truth with LAMMPS: glasses and isoconfigurational ensembles.

    The glass is the Kob-Andersen mixture, or any other with --mixture. All numbers are in the units
    of the mixture. A command that was interrupted goes on when it is started again with the same
    arguments.
    """


MIXTURE = click.option(
    "--mixture",
    metavar="NAME|FILE.toml",
    help="What the particles are, with their interactions.  [default: the shipped mixture of their "
    "composition]",
)
SEED = click.option("--seed", default=1, show_default=True, help="Another seed gives other runs.")
SCHEDULER = click.option(
    "--scheduler", metavar="tcp://HOST:PORT", help="Dask scheduler.  [default: this machine]"
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Runs at a time.  [default: the number of cores]",
)
TIMESTEP = click.option("--timestep", type=float, help="Time step.  [default: that of the mixture]")


@simulate.command()
@FOLDER
@click.option(
    "--mixture",
    metavar="NAME|FILE.toml",
    default="kob-andersen",
    show_default=True,
    help="What the particles are, with their interactions.",
)
@click.option("--temperature", type=float, required=True, help="Temperature of the thermostat.")
@click.option("--time", type=float, help="Time at the temperature.  [default: 40 tau_alpha]")
@click.option("--configurations", default=1, show_default=True, help="Number of configurations.")
@click.option(
    "--spacing",
    type=float,
    help="Time between configurations of one equilibration.  [default: a melt of its own for each]",
)
@click.option("--n", "n_particles", default=4096, show_default=True, help="Number of particles.")
@click.option("--density", type=float, help="Particles per volume.  [default: of the mixture]")
@click.option("--melt-time", type=float, help="Time of the melt.  [default: of the mixture]")
@click.option("--cooling-time", type=float, help="Time of the quench.  [default: of the mixture]")
@TIMESTEP
@SEED
@SCHEDULER
@WORKERS
def equilibrate(output: Path, mixture: str, **arguments: Any) -> None:
    """Equilibrate a mixture; writes OUTPUT/ka-0001.data and so on."""
    from lammps_botan.files.mixture_toml import find_mixture
    from lammps_botan.simulation import equilibrate as run
    from lammps_botan.simulation.protocol import relaxation_time

    paths = run(output, mixture=mixture, **arguments)
    Console().print(_drifts(paths))
    click.echo(f"made {paths_written(paths)}")
    temperature, found = arguments["temperature"], find_mixture(mixture)
    tau = relaxation_time(found, temperature, arguments["density"])
    times = "TIMES" if tau is None else f"{tau:g}"
    given = "" if mixture == "kob-andersen" else f"--mixture {shlex.quote(mixture)} "
    click.echo(
        f"next: lammps-botan simulate isoconfig {shlex.quote(str(output))}/*.data -o ensembles "
        f"{given}--temperature {temperature} --times {times}"
    )


def _drifts(paths: Sequence[Path]) -> Table:
    """Energy and pressure of each equilibration in its middle and its last third."""
    from lammps_botan.simulation.thermo import drift, read_thermo

    table = Table("", title="middle third of the equilibration -> last third")
    table.add_column("energy per particle")
    table.add_column("pressure")
    for path in paths:
        thermo = read_thermo(path.with_suffix(".log"))
        cells = []
        for name in ("PotEng", "Press"):
            d = drift(thermo[name])
            cells.append(
                f"{d.middle:.4f} ± {d.middle_error:.4f} -> {d.last:.4f} ± {d.last_error:.4f}"
                if math.isfinite(d.last_error)
                else "too short to judge"
            )
        table.add_row(path.stem, *cells)
    return table


@simulate.command()
@click.argument("configurations", type=FILE, nargs=-1, required=True)
@FOLDER
@MIXTURE
@click.option("--temperature", type=float, required=True, help="Temperature of the velocities.")
@click.option(
    "--times",
    required=True,
    help="Lag times, as in 0.13,1.3,13; or 'paper' for those of the mixture.",
)
@click.option("--runs", default=32, show_default=True, help="Runs of each configuration.")
@TIMESTEP
@SEED
@SCHEDULER
@WORKERS
def isoconfig(configurations: Sequence[Path], output: Path, **arguments: Any) -> None:
    """Run the isoconfigurational ensembles of CONFIGURATIONS (LAMMPS data files, or npz files).

    Writes OUTPUT/tTIME/NAME.npz for every lag time and configuration.
    """
    from lammps_botan.simulation import isoconfig as run

    with _warnings_as_lines():
        paths = run(configurations, output, **arguments)
    click.echo(f"made {paths_written(paths)}")


@simulate.command()
@click.argument("configurations", type=FILE, nargs=-1, required=True)
@FOLDER
@MIXTURE
@SCHEDULER
@WORKERS
def inherent(configurations: Sequence[Path], output: Path, **arguments: Any) -> None:
    """Minimize CONFIGURATIONS (npz files) and the ends of their runs.

    Writes OUTPUT/NAME.npz with the content of the given file and the inherent structures.
    """
    from lammps_botan.simulation import inherent as run

    with _warnings_as_lines():
        paths = run(configurations, output, **arguments)
    click.echo(f"made {paths_written(paths)}")
    click.echo(f"next: lammps-botan distill {shlex.quote(str(output))}/*.npz -o pseudo_labels")


@simulate.command()
@click.argument("configurations", type=FILE, nargs=-1, required=True)
@FOLDER
@MIXTURE
@click.option("--window", type=float, required=True, help="Length of a history.")
@click.option("--interval", type=float, help="Time between samples.  [default: window / 150]")
@click.option("--velocities", default=1, show_default=True, help="Histories of each structure.")
@click.option("--ends", default=0, show_default=True, help="Runs whose ends get histories too.")
@click.option(
    "--copies",
    default=0,
    show_default=True,
    help="Positions of each run to keep, as further configurations for `lammps-botan distill -m`.",
)
@click.option("--temperature", type=float, help="Temperature, if a file has none.")
@TIMESTEP
@SEED
@SCHEDULER
@WORKERS
def history(configurations: Sequence[Path], output: Path, **arguments: Any) -> None:
    """Run short histories of CONFIGURATIONS (npz files, or LAMMPS data files).

    In equilibrium a run with fresh velocities stands for the past. Writes OUTPUT/NAME.npz with the
    content of the given file and the histories.
    """
    from lammps_botan.simulation import history as run

    with _warnings_as_lines():
        paths = run(configurations, output, **arguments)
    click.echo(f"made {paths_written(paths)}")


@contextlib.contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print the text of a warning alone, without the place in the source."""
    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning, module=r"lammps_botan\.")
        warnings.showwarning = lambda message, *_, **__: click.echo(f"warning: {message}", err=True)
        yield

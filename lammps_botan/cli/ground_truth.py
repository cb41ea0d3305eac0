"""Commands that make the glass and its ground truth."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lammps_botan.cli.shared import FILE, OUTPUT, paths_written


@click.command("data-file")
@click.argument("configuration", type=FILE)
@OUTPUT
def data_file(configuration: Path, output: Path) -> None:
    """Write the initial configuration of an npz file as a LAMMPS data file."""
    from lammps_botan.files.ensemble_npz import read_configuration
    from lammps_botan.files.lammps_data_writer import write_data_file

    content = read_configuration(configuration)
    title = f"Initial configuration of {configuration.name}"
    write_data_file(output, content.initial, content.species, content.cell, title)
    click.echo(f"wrote {output}; in LAMMPS: read_data {output}")


@click.group()
def simulate() -> None:
    """Make the ground truth with LAMMPS: Kob-Andersen glasses and isoconfigurational ensembles.

    Interrupted at any moment and started again with the same arguments, it goes on.
    """


FOLDER = click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder; made if it is not there.",
)
SEED = click.option("--seed", default=1, show_default=True, help="Other seeds, other runs.")
SCHEDULER = click.option(
    "--scheduler", metavar="tcp://HOST:PORT", help="Dask scheduler; else the cores of this machine."
)


@simulate.command()
@FOLDER
@click.option("--temperature", type=float, required=True)
@click.option("--time", type=float, help="At the temperature; 40 tau_alpha if not given.")
@click.option("--configurations", default=1, show_default=True, help="Each from its own melt.")
@click.option("--n", "n_particles", default=4096, show_default=True, help="Particles, 80 % A.")
@click.option("--density", default=1.2, show_default=True, help="N/V.")
@click.option("--melt-time", default=100.0, show_default=True, help="At T = 5; the paper has 1e4.")
@click.option("--cooling-time", default=20.0, show_default=True, help="From T = 5.")
@SEED
@SCHEDULER
def equilibrate(output: Path, **arguments: Any) -> None:
    """Equilibrate Kob-Andersen mixtures; writes OUTPUT/ka-0001.data and so on."""
    from lammps_botan.simulation import PAPER_TIMES
    from lammps_botan.simulation import equilibrate as run
    from lammps_botan.simulation.thermo import drift, read_thermo

    paths = run(output, **arguments)
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
                if np.isfinite(d.last_error)
                else "too short to judge"
            )
        table.add_row(path.stem, *cells)
    Console().print(table)
    temperature = arguments["temperature"]
    times = "paper" if temperature in PAPER_TIMES else "TIMES"
    click.echo(f"made {paths_written(paths)}")
    click.echo(
        f"next: lammps-botan simulate isoconfig {shlex.quote(str(output))}/*.data -o ensembles "
        f"--temperature {temperature} --times {times}"
    )


@simulate.command()
@click.argument("configurations", type=FILE, nargs=-1, required=True)
@FOLDER
@click.option("--temperature", type=float, required=True, help="Of the velocities.")
@click.option(
    "--times", required=True, help="Lag times, as in 0.13,1.3,13, or 'paper' for those of Table I."
)
@click.option("--runs", default=32, show_default=True, help="Per configuration.")
@SEED
@SCHEDULER
def isoconfig(
    configurations: Sequence[Path], output: Path, times: str, temperature: float, **arguments: Any
) -> None:
    """Run the isoconfigurational ensembles of CONFIGURATIONS (LAMMPS data files, or npz files).

    Writes OUTPUT/tTIME/NAME.npz for every lag time and configuration.
    """
    from lammps_botan.simulation import isoconfig as run
    from lammps_botan.simulation import named_times

    paths = run(
        configurations,
        output,
        temperature=temperature,
        times=named_times(times, temperature),
        **arguments,
    )
    click.echo(f"made {paths_written(paths)}")


@simulate.command()
@click.argument("configurations", type=FILE, nargs=-1, required=True)
@FOLDER
@SCHEDULER
def inherent(configurations: Sequence[Path], output: Path, scheduler: str | None) -> None:
    """Minimize CONFIGURATIONS (npz files of Kob-Andersen mixtures) and the ends of their runs.

    Writes OUTPUT/NAME.npz, with the inherent structures beside what the file held.
    """
    from lammps_botan.simulation import inherent as run

    paths = run(configurations, output, scheduler=scheduler)
    click.echo(f"made {paths_written(paths)}")
    click.echo(f"next: lammps-botan teach {shlex.quote(str(output))}/*.npz -o taught")


@click.command()
@click.argument("configurations", type=FILE, nargs=-1, required=True)
@FOLDER
def teach(configurations: Sequence[Path], output: Path) -> None:
    """Write targets for CONFIGURATIONS and the ends of their runs, by ridge regression.

    CONFIGURATIONS are npz files of `simulate inherent`; the regression learns from the runs of all
    of them. Started again, it goes on.
    """
    from lammps_botan.training.distillation import read_structures
    from lammps_botan.training.distillation import teach as run

    console = Console(stderr=True)
    total = sum(len(read_structures(path)) for path in configurations)
    made = run(configurations, output)
    paths = list(track(made, "teach", total=total, console=console, transient=True))
    click.echo(f"wrote {paths_written(paths)}; next: name them in data.train of a recipe")

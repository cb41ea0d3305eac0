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

from lammps_botan.cli.shared import (
    AS_JSON,
    DT,
    FILE,
    check_folder,
    check_picture,
    paths_written,
    to_json,
)


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


@click.command()
@click.argument("dumps", type=FILE, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    callback=check_folder,
    help="npz file to write; {time} in its name stands for the lag time.",
)
@click.option(
    "--time", "times", type=float, multiple=True, help="Lag time; several with {time} in OUTPUT."
)
@DT
def targets(dumps: Sequence[Path], output: Path, times: Sequence[float], dt: float) -> None:
    """Make the ground truth from DUMPS, the isoconfigurational runs of one configuration.

    Their first frame is t = 0. Without --time the last lag time is taken, or all lag times if
    OUTPUT has {time} in its name.
    """
    from lammps_botan.analysis.ground_truth import chosen_frames, write_ground_truth
    from lammps_botan.analysis.runs import open_ensemble

    ensemble = open_ensemble(dumps, dt=dt)
    files = chosen_frames(ensemble, times, str(output))
    for path in files:
        if path.resolve() in {dump.resolve() for dump in dumps}:
            raise ValueError(f"{path}: is one of the dumps; choose another name for the output")
    made = write_ground_truth(ensemble, files)
    console = Console(stderr=True)
    paths = list(track(made, "targets", total=len(files), console=console, transient=True))
    lag_times = ", ".join(f"{ensemble.times()[k]:g}" for k in files.values())
    click.echo(f"wrote {paths_written(paths)}: {len(dumps)} runs, lag time {lag_times}")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-k", default=6.283185307179586, show_default="2 pi", help="Of F_s, 1 / sigma_AA.")
@DT
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=Path("observables.png"),
    show_default=True,
    callback=check_picture,
    help="Picture to draw.",
)
@AS_JSON
def observables(folder: Path, k: float, dt: float, output: Path, as_json: bool) -> None:
    """Print and plot F_s(k, t), mean squared displacements and tau_alpha of a FOLDER of runs.

    FOLDER has npz files of `simulate isoconfig`, or dumps in one sub-folder per configuration, each
    dump starting at its own t = 0.
    """
    from lammps_botan.analysis.observables import find_sources, observe
    from lammps_botan.figures.observables import plot_observables

    sources = find_sources(folder)
    console = Console(stderr=True)
    found = observe(track(sources, "observables", console=console, transient=True), k=k, dt=dt)
    plural = "" if found.n_configurations == 1 else "s"
    about = (
        f"N = {found.n_particles}, {found.n_configurations} configuration{plural}, "
        f"{found.n_runs} runs"
    )
    plot_observables(output, found, about)
    fit = found.relaxation
    if as_json:
        content = {key: getattr(found, key) for key in ("k", "n_particles", "n_configurations")}
        for key in ("times", "scattering", "scattering_error", "msd", "msd_error"):
            content[key] = getattr(found, key).tolist()
        content["n_runs"] = found.n_runs
        content["susceptibility"] = found.susceptibility.tolist()
        content["tau_alpha"] = None if fit is None else fit.tau_alpha
        content["tau_alpha_error"] = found.tau_alpha_error
        click.echo(to_json(content))
        return
    table = Table("t", title=about)
    names = "AB" if found.msd.shape[1] == 2 else [str(n) for n in range(found.msd.shape[1])]
    for name in names:
        table.add_column(f"F_s {name}")
        table.add_column(f"MSD {name}")
    table.add_column("chi_4")
    for t, time in enumerate(found.times):
        cells = []
        for s in range(len(names)):
            cells.append(f"{found.scattering[t, s]:.4f} ± {found.scattering_error[t, s]:.4f}")
            cells.append(f"{found.msd[t, s]:.4g} ± {found.msd_error[t, s]:.2g}")
        table.add_row(f"{time:g}", *cells, f"{found.susceptibility[t]:.3g}")
    Console().print(table)
    if fit is None:
        click.echo(f"no tau_alpha: {found.reason}")
    else:
        click.echo(
            f"tau_alpha = {fit.tau_alpha:.5g} ± {found.tau_alpha_error:.2g} (double stretched "
            f"exponential, F_s of A), beta = {fit.beta:.3f}; F_s = 1/e at t = {fit.one_over_e:.5g}"
        )
    click.echo(f"drew {output}")

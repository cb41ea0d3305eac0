"""Commands for targets and time correlations of the runs of a liquid."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lammps_botan.cli.shared import (
    AS_JSON,
    DT,
    FILE,
    MIXTURE,
    check_folder,
    check_picture,
    paths_written,
    to_json,
)

if TYPE_CHECKING:
    from lammps_botan.analysis.observables import Observables
    from lammps_botan.structure.mixture import Mixture

NO_MIXTURE = (
    "no mixture is known for these particles: cutoffs are in the length unit of the files{}; say "
    "--mixture NAME or FILE.toml (docs/how_to/own_mixture.md)"
)


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
@MIXTURE
def targets(
    dumps: Sequence[Path],
    output: Path,
    times: Sequence[float],
    dt: float,
    mixture: "Mixture | None",
) -> None:
    """Make the ground truth from DUMPS, the isoconfigurational runs of one configuration.

    Their first frame is t = 0. Without --time the last lag time is taken, or all lag times if
    OUTPUT has {time} in its name. Bond lengths and cutoffs are those of the mixture.
    """
    from lammps_botan.analysis.ground_truth import chosen_frames, write_ground_truth
    from lammps_botan.analysis.runs import open_ensemble
    from lammps_botan.files.whole_file import keep_apart

    runs = open_ensemble(dumps, dt=dt, mixture=mixture)
    files = chosen_frames(runs, times, str(output))
    keep_apart(list(files), dumps)
    made = write_ground_truth(runs, files)
    console = Console(stderr=True)
    paths = list(track(made, "targets", total=len(files), console=console, transient=True))
    lag_times = ", ".join(f"{runs.times()[k]:g}" for k in files.values())
    name = "" if runs.mixture is None else f"{runs.mixture.name}, "
    click.echo(f"wrote {paths_written(paths)}: {name}{len(dumps)} runs, lag time {lag_times}")
    if runs.mixture is None:
        click.echo(NO_MIXTURE.format(", and there is no bond_breakage"), err=True)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "-k", type=float, help="Wavenumber of F_s, inverse length unit.  [default: 2 pi / diameter]"
)
@click.option(
    "--time",
    "times",
    metavar="PART=TIME",
    multiple=True,
    help="Lag time of npz files without one, by a PART of their names; may be repeated.",
)
@DT
@MIXTURE
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
def observables(
    folder: Path,
    k: float | None,
    times: Sequence[str],
    dt: float,
    mixture: "Mixture | None",
    output: Path,
    as_json: bool,
) -> None:
    """Print and plot F_s(k, t), displacements, chi_4 and tau_alpha of a FOLDER of runs.

    FOLDER has npz files of `simulate isoconfig`, or dumps in one sub-folder per configuration.
    Dumps that share their first frame are runs from t = 0; a dump of its own is averaged over all
    time origins.
    """
    from lammps_botan.analysis.observables import observe
    from lammps_botan.analysis.sources import find_sources
    from lammps_botan.figures.observables import plot_observables
    from lammps_botan.files.whole_file import keep_apart

    said = _times_by_part(times)
    sources = find_sources(folder)
    keep_apart([output], [file for source in sources for file in source.files])
    console = Console(stderr=True)
    turn = track(sources, "observables", console=console, transient=True)
    found = observe(turn, k=k, dt=dt, mixture=mixture, times=said)
    plural = "" if found.n_configurations == 1 else "s"
    name = "" if found.mixture is None else f"{found.mixture.name}, "
    about = (
        f"{name}N = {found.n_particles}, {found.n_configurations} configuration{plural}, "
        f"{found.n_runs} runs"
    )
    plot_observables(output, found, about)
    if as_json:
        click.echo(to_json(_as_dict(found)))
        return
    _print(found, about)
    click.echo(f"drew {output}")
    if found.mixture is None:
        click.echo(NO_MIXTURE.format(""), err=True)


def _times_by_part(given: Sequence[str]) -> dict[str, float]:
    times = {}
    for text in given:
        part, _, number = text.rpartition("=")
        try:
            time = float(number)
        except ValueError:
            time = float("nan")
        if not part or not 0 < time < float("inf"):
            raise click.BadParameter(
                f"expected a part of a file name and a time, as in tc05=0.1, found '{text}'",
                param_hint="--time",
            )
        times[part] = time
    return times


def _as_dict(found: "Observables") -> dict[str, object]:
    fit = found.relaxation
    content: dict[str, object] = {
        key: getattr(found, key) for key in ("k", "n_particles", "n_configurations", "n_runs")
    }
    content["mixture"] = None if found.mixture is None else found.mixture.name
    content["species"] = found.species
    for key in ("scattering", "msd", "propensity"):
        for name in (key, f"{key}_error"):
            content[name] = getattr(found, name).tolist()
    for key in ("times", "susceptibility"):
        content[key] = getattr(found, key).tolist()
    content["tau_alpha"] = None if fit is None else fit.tau_alpha
    content["tau_alpha_error"] = found.tau_alpha_error
    return content


def _print(found: "Observables", about: str) -> None:
    table = Table(title=about, box=SIMPLE_HEAD)  # other boxes do not fit into 80 columns
    for column in ("t", "", "F_s", "MSD", "mean S", "chi_4"):
        table.add_column(column, no_wrap=True)
    for t, time in enumerate(found.times):
        for s, name in enumerate(found.species):
            table.add_row(
                "" if s else f"{time:g}",
                name,
                f"{found.scattering[t, s]:.4f} ± {found.scattering_error[t, s]:.4f}",
                f"{found.msd[t, s]:.4g} ± {found.msd_error[t, s]:.2g}",
                f"{found.propensity[t, s]:.4g} ± {found.propensity_error[t, s]:.2g}",
                "" if s else f"{found.susceptibility[t]:.3g}",
            )
    Console().print(table)
    fit = found.relaxation
    if fit is None:
        click.echo(f"no tau_alpha: {found.reason}")
        return
    click.echo(
        f"tau_alpha = {fit.tau_alpha:.5g} ± {found.tau_alpha_error:.2g} (double stretched "
        f"exponential, F_s of {found.species[found.reference]}), beta = {fit.beta:.3f}; F_s = 1/e "
        f"at t = {fit.one_over_e:.5g}"
    )
    if found.reason:
        click.echo(f"no error of tau_alpha: {found.reason}")

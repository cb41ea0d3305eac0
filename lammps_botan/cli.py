"""The command `lammps-botan`: thin sub-commands over the modules of this package."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

FILE = click.Path(dir_okay=False, path_type=Path)


class _Commands(click.Group):
    """Errors about the user's files become one message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (OSError, ValueError) as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            extras = {"lightning": "train", "pydantic": "train", "matplotlib": "plot"}
            if error.name not in extras:
                raise
            raise click.ClickException(
                f"{error}: this command needs more packages; in the source folder of "
                f"lammps-botan type pip install '.[{extras[error.name]}]'"
            ) from error


def _check_folder(ctx: click.Context, parameter: click.Parameter, path: Path) -> Path:
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}; make it first")
    return path


OUTPUT = click.option(
    "-o", "--output", type=FILE, required=True, callback=_check_folder, help="File to write."
)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lammps-botan")
def main() -> None:
    """Predict particle mobility in a glass-forming liquid with BOTAN."""


@main.command("import-weights")
@click.argument("weights", type=FILE)
@OUTPUT
@click.option("--lag-time", default=13.0, show_default=True, help="The weights were trained for.")
@click.option("--temperature", default=0.44, show_default=True, help="Of their training data.")
def import_weights(weights: Path, output: Path, lag_time: float, temperature: float) -> None:
    """Turn public weights of BOTAN (.pth) into a checkpoint.

    The defaults describe the pretrained weights of the public implementation.
    """
    from lammps_botan.checkpoint import Physics, import_public_weights, save_checkpoint

    physics = Physics(lag_times=(lag_time,), temperature=temperature)
    save_checkpoint(import_public_weights(weights, physics), output)
    click.echo(f"wrote {output}; next: lammps-botan export {output} -o model.pt")


@main.command()
@click.argument("config", type=FILE)
def train(config: Path) -> None:
    """Train a network as CONFIG (TOML, see configs/botan.toml) says; started again, it goes on."""
    # the large tensors of a step come back at every step: huge pages save most of their page faults
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    from lammps_botan.config import read_config
    from lammps_botan.train import train as run

    path = run(read_config(config), config.parent)
    click.echo(f"wrote {path}; next: lammps-botan export {path} -o model.pt")


@main.command()
@click.argument("checkpoint", type=FILE)
@OUTPUT
def export(checkpoint: Path, output: Path) -> None:
    """Turn a checkpoint into a model file for LAMMPS and Python."""
    from lammps_botan.checkpoint import load_checkpoint
    from lammps_botan.export import export as run

    species = " ".join(run(load_checkpoint(checkpoint), output).species)
    click.echo(f"wrote {output}; in LAMMPS: fix ID all botan 1000 {output} {species}")


@main.command()
@click.argument("model")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(model: str, files: Sequence[Path], as_json: bool) -> None:
    """Score MODEL (a model file or a name) on isoconfigurational FILES (npz)."""
    from lammps_botan.evaluate import evaluate as run

    bar = track(files, "evaluate", console=Console(stderr=True), transient=True)
    scores = run([model], bar)
    if as_json:
        click.echo(_json(scores))
        return
    table = Table("configuration", "rho_S (A)", "rho_E (A-A bonds)", title=model)
    result = scores["models"][0]
    columns = [result["S"], result["E"] or {"per_configuration": [None] * len(files)}]
    for k, file in enumerate(files):
        table.add_row(file.name, *(_number(c["per_configuration"][k]) for c in columns))
    table.add_section()
    for key in ("rho_mean", "rho_pooled"):
        table.add_row(key, *(_number(c.get(key)) for c in columns))
    Console().print(table)


@main.command()
@click.argument("model")
def info(model: str) -> None:
    """Print what MODEL (a model file or a name) says of itself."""
    from lammps_botan.metadata import read_metadata
    from lammps_botan.models import find_model

    path = find_model(model)
    click.echo(f"{path}\n{read_metadata(path).to_json()}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def models(as_json: bool) -> None:
    """List the models that ship; their names do wherever a model is expected."""
    from lammps_botan.metadata import read_metadata
    from lammps_botan.models import shipped_models

    rows = []
    for model in shipped_models():
        metadata = read_metadata(model.path)
        rows.append(
            {
                "name": model.name,
                "path": str(model.path),
                "architecture": metadata.architecture,
                "temperature": metadata.temperature,
                "lag_time": metadata.lag_times[0] if metadata.lag_times else None,
                "scores": model.card["scores"],
            }
        )
    if as_json:
        click.echo(_json(rows))
        return
    table = Table("name", "architecture", "T", "lag time", "rho_S", "rho_E", title="models")
    for row in rows:
        scores = row["scores"]
        table.add_row(
            *(str(row[k]) for k in ("name", "architecture", "temperature", "lag_time")),
            _number(scores["rho_S_mean"]),
            _number(scores["rho_E_mean"]),
        )
    Console().print(table)


@main.command("data-file")
@click.argument("configuration", type=FILE)
@OUTPUT
def data_file(configuration: Path, output: Path) -> None:
    """Write the initial configuration of an npz file as a LAMMPS data file."""
    from lammps_botan.datafile import write_data_file
    from lammps_botan.dataset import read_configuration

    content = read_configuration(configuration)
    title = f"Initial configuration of {configuration.name}"
    write_data_file(output, content.initial, content.species, content.cell, title)
    click.echo(f"wrote {output}; in LAMMPS: read_data {output}")


@main.group()
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
    from lammps_botan.simulate import PAPER_TIMES
    from lammps_botan.simulate import equilibrate as run
    from lammps_botan.thermo import drift, read_thermo

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
            )
        table.add_row(path.stem, *cells)
    Console().print(table)
    temperature = arguments["temperature"]
    times = "paper" if temperature in PAPER_TIMES else "TIMES"
    click.echo(f"wrote {_paths(paths)}")
    click.echo(
        f"next: lammps-botan simulate isoconfig {output}/*.data -o ensembles "
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
    from lammps_botan.simulate import isoconfig as run
    from lammps_botan.simulate import named_times

    paths = run(
        configurations,
        output,
        temperature=temperature,
        times=named_times(times, temperature),
        **arguments,
    )
    click.echo(f"wrote {_paths(paths)}")


DT = click.option(
    "--dt", default=0.001, show_default=True, help="Time step, for dumps without ITEM: TIME."
)


@main.command()
@click.argument("dumps", type=FILE, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    callback=_check_folder,
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
    from lammps_botan.ground_truth import chosen_times, write_ground_truth

    chosen = chosen_times(dumps, times, str(output), dt=dt)
    files = write_ground_truth(dumps, str(output), chosen, dt=dt)
    console = Console(stderr=True)
    paths = list(track(files, "targets", total=len(chosen), console=console, transient=True))
    times_written = ", ".join(f"{time:g}" for time in chosen)
    click.echo(f"wrote {_paths(paths)}: {len(dumps)} runs, lag time {times_written}")


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-k", default=6.283185307179586, show_default="2 pi", help="Of F_s, 1 / sigma_AA.")
@DT
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=Path("observables.png"),
    show_default=True,
    callback=_check_folder,
    help="Picture to draw.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def observables(folder: Path, k: float, dt: float, output: Path, as_json: bool) -> None:
    """Print and plot F_s(k, t), mean squared displacements and tau_alpha of a FOLDER of runs.

    FOLDER has npz files of `simulate isoconfig`, or dumps in one sub-folder per configuration, each
    dump starting at its own t = 0.
    """
    from lammps_botan.observables import find_sources, observe
    from lammps_botan.plot import plot_observables

    sources = find_sources(folder)
    console = Console(stderr=True)
    found = observe(track(sources, "observables", console=console, transient=True), k=k, dt=dt)
    about = f"N = {found.n_particles}, {found.n_configurations} configurations, {found.n_runs} runs"
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
        click.echo(_json(content))
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


@main.command()
def check() -> None:
    """Load the plugin in LAMMPS; print versions, and in words what is wrong."""
    from lammps_botan.check import check as run

    report = run()
    for name, value in report.versions.items():
        click.echo(f"{name:12} {value}")
    for note in report.notes:
        click.echo(f"note: {note}")
    for problem in report.problems:
        click.echo(f"problem: {problem}", err=True)
    if report.problems:
        sys.exit(1)
    click.echo("fix botan is ready")


def _paths(paths: Sequence[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{len(paths)} files, {paths[0]} to {paths[-1]}"


def _json(content: object) -> str:
    # JSON has no NaN: an undefined correlation is null
    return json.dumps(json.loads(json.dumps(content), parse_constant=lambda _: None))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"

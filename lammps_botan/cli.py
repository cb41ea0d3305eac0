"""The command `lammps-botan`: thin sub-commands over the modules of this package."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

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
            if error.name not in {"lightning", "pydantic", "scipy"}:
                raise
            raise click.ClickException(
                f"{error}: training needs more packages; "
                "in the source folder of lammps-botan type pip install '.[train]'"
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


def _json(content: object) -> str:
    # JSON has no NaN: an undefined correlation is null
    return json.dumps(json.loads(json.dumps(content), parse_constant=lambda _: None))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"

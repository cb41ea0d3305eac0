"""Commands that import, export and describe models."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lammps_botan.cli.shared import AS_JSON, FILE, OUTPUT, number, to_json


@click.command("import-weights")
@click.argument("weights", type=FILE)
@OUTPUT
@click.option("--lag-time", type=float, help="The weights were trained for.")
@click.option("--temperature", default=0.44, show_default=True, help="Of their training data.")
def import_weights(weights: Path, output: Path, lag_time: float | None, temperature: float) -> None:
    """Turn public weights into a checkpoint: of BOTAN (.pth), of the NT-GNN of Bapst et al. (.npz).

    The defaults describe the pretrained weights of BOTAN's public implementation (lag time 13) and
    the NT-GNN published for T = 0.44 and F_s = 0.9 (lag time 0.132, at N/V = 1.203).
    """
    from lammps_botan.network.checkpoint import (
        Physics,
        import_nt_gnn_weights,
        import_public_weights,
        save_checkpoint,
    )

    if weights.suffix == ".npz":
        read, usual, density = import_nt_gnn_weights, 0.132, 1.203
    else:
        read, usual, density = import_public_weights, 13.0, 1.2
    lag_times = (usual if lag_time is None else lag_time,)
    physics = Physics(lag_times=lag_times, temperature=temperature, density=density)
    save_checkpoint(read(weights, physics), output)
    click.echo(f"wrote {output}; next: lammps-botan export {output} -o model.pt")


@click.command()
@click.argument("checkpoints", type=FILE, nargs=-1, required=True)
@OUTPUT
def export(checkpoints: Sequence[Path], output: Path) -> None:
    """Turn CHECKPOINTS into a model file for LAMMPS and Python; several make an ensemble.

    An ensemble predicts the mean of its members, and their standard deviation as a second output.
    """
    from lammps_botan.network.checkpoint import load_checkpoint
    from lammps_botan.network.export import export as run

    species = " ".join(run([load_checkpoint(path) for path in checkpoints], output).species)
    click.echo(f"wrote {output}; in LAMMPS: fix ID all botan 1000 {output} {species}")


@click.command()
@click.argument("model")
def info(model: str) -> None:
    """Print what MODEL (a model file or a name) says of itself."""
    from lammps_botan.network.metadata import read_metadata
    from lammps_botan.network.shipped import find_model

    path = find_model(model)
    click.echo(f"{path}\n{read_metadata(path).to_json()}")


@click.command()
@AS_JSON
def models(as_json: bool) -> None:
    """List the models that ship; their names do wherever a model is expected."""
    from lammps_botan.network.metadata import read_metadata
    from lammps_botan.network.shipped import shipped_models

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
        click.echo(to_json(rows))
        return
    table = Table("name", "architecture", "T", "lag time", "rho_S", "rho_E", title="models")
    for row in rows:
        scores = row["scores"]
        table.add_row(
            *(str(row[k]) for k in ("name", "architecture", "temperature", "lag_time")),
            number(scores["rho_S_mean"]),
            number(scores["rho_E_mean"]),
        )
    Console().print(table)

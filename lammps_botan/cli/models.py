"""Commands that import, export and describe models."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Column, Table

from lammps_botan.cli.shared import AS_JSON, FILE, OUTPUT, TRUST, number, to_json

if TYPE_CHECKING:
    from lammps_botan.network.metadata import Metadata


@click.command("import-weights")
@click.argument("weights", type=FILE)
@OUTPUT
@click.option("--lag-time", type=float, help="Lag time of the training.")
@click.option("--temperature", default=0.44, show_default=True, help="Temperature of the training.")
def import_weights(weights: Path, output: Path, lag_time: float | None, temperature: float) -> None:
    """Turn public weights into a checkpoint: of BOTAN (.pth), of the NT-GNN of Bapst et al. (.npz).

    Both are for the Kob-Andersen mixture. The defaults describe the pretrained weights of BOTAN's
    public implementation (lag time 13) and the NT-GNN published for T = 0.44 and F_s = 0.9 (lag
    time 0.132, at N/V = 1.203).
    """
    from lammps_botan.analysis.targets import EDGE_CUTOFF
    from lammps_botan.files.whole_file import keep_apart
    from lammps_botan.network.checkpoint import Physics, save_checkpoint
    from lammps_botan.network.public_weights import import_nt_gnn_weights, import_public_weights
    from lammps_botan.structure.mixture import KOB_ANDERSEN

    keep_apart([output], [weights])
    density = KOB_ANDERSEN.density
    if weights.suffix == ".npz":
        read, usual, density = import_nt_gnn_weights, 0.132, 1.203
    else:
        read, usual = import_public_weights, 13.0
    physics = Physics(
        mixture=KOB_ANDERSEN,
        cutoff=EDGE_CUTOFF * KOB_ANDERSEN.diameter,
        lag_times=(usual if lag_time is None else lag_time,),
        temperature=temperature,
        density=density,
    )
    save_checkpoint(read(weights, physics), output)
    click.echo(f"wrote {output}; next: lammps-botan export {output} -o model.pt")


@click.command()
@click.argument("checkpoints", type=FILE, nargs=-1, required=True)
@OUTPUT
@click.option(
    "--fallback",
    metavar="MODEL",
    help="Model that predicts until the history is full: a model file, or a name of `models`.",
)
@TRUST
def export(checkpoints: Sequence[Path], output: Path, fallback: str | None) -> None:
    """Turn CHECKPOINTS into a model file for LAMMPS and Python; several make a committee.

    A committee predicts the mean of its members, and their standard deviation as a second output.
    A model file of an earlier format may stand in place of a checkpoint, and is written in the
    present format. With --fallback a single model file of any network may stand there too: it gets
    the fallback, and stays the same otherwise.
    """
    from lammps_botan.files.whole_file import keep_apart
    from lammps_botan.network.checkpoint import load_checkpoint
    from lammps_botan.network.export import add_fallback
    from lammps_botan.network.export import export as run
    from lammps_botan.network.model_file import is_model_file, read_checkpoints
    from lammps_botan.network.shipped import find_model

    other = None if fallback is None else find_model(fallback)
    keep_apart([output], [] if other is None else [other])
    if other is not None and len(checkpoints) == 1 and is_model_file(checkpoints[0]):
        # the file may be written again
        metadata = add_fallback(checkpoints[0], other, output)
    else:
        keep_apart([output], checkpoints)
        read = [
            one
            for path in checkpoints
            for one in (read_checkpoints(path) if is_model_file(path) else [load_checkpoint(path)])
        ]
        metadata = run(read, output, other)
    species = " ".join(metadata.species)
    click.echo(f"wrote {output}; in LAMMPS: fix ID all botan 1000 {output} {species}")


@click.command()
@click.argument("model")
@AS_JSON
def info(model: str, as_json: bool) -> None:
    """Print the metadata of MODEL (a model file or a name)."""
    from lammps_botan.network.archive import Archive
    from lammps_botan.network.fallback import read_fallback
    from lammps_botan.network.metadata import read_metadata
    from lammps_botan.network.shipped import find_model

    path = find_model(model)
    metadata = read_metadata(path)
    archive = Archive(path)
    inside = read_fallback(archive, metadata)
    fallback = None if inside is None else read_metadata(inside)
    if as_json:
        content = json.loads(metadata.to_json())
        if fallback is not None:
            content["fallback"] = json.loads(fallback.to_json())
        click.echo(json.dumps(content, indent=2))
        return
    mixture = metadata.mixture
    table = Table(show_header=False, box=None)
    lag_times = ", ".join(f"{time:g}" for time in metadata.lag_times or [])
    for key, value in (
        ("file", str(path)),
        ("checksum", "right" if archive.has_checksum else "none, so that damage goes unseen"),
        ("architecture", metadata.architecture),
        ("rounds, width", f"{metadata.rounds}, {metadata.width}"),
        ("mixture", f"{mixture.name}, {mixture.dimension} dimensions"),
        ("species", f"{' '.join(mixture.species)}, told as {metadata.node_input}"),
        ("sees", metadata.inputs.words),
        *_seen_rows(metadata),
        ("units", metadata.units),
        ("cutoff", f"{metadata.cutoff:g}"),
        ("outputs", " ".join([*metadata.node_outputs, *metadata.edge_outputs])),
        ("lag time", lag_times or "-"),
        ("temperature", "-" if metadata.temperature is None else f"{metadata.temperature:g}"),
        ("density", "-" if metadata.density is None else f"{metadata.density:g}"),
        ("knows", _count_known(metadata.known_configurations.values())),
    ):
        table.add_row(key, value)
    if fallback is not None:
        name = metadata.provenance.get("fallback", "a model")
        table.add_row("fallback", f"{name} ({fallback.architecture}), until the history is full")
    Console().print(table)
    click.echo("lammps-botan info --json prints all of it, with the SHA-256 of what it knows")


def _seen_rows(metadata: "Metadata") -> Iterator[tuple[str, str]]:
    """What a model saw in training, a row for each quantity."""
    seen = metadata.seen
    if seen is None:
        yield "saw", "not recorded: nothing is compared with it"
        return
    for column, quantity in enumerate(metadata.inputs.quantities(metadata.species)):
        of_species = (
            f"{name} {mean[column]:.3g} +- {deviation[column]:.2g}"
            for name, mean, deviation in zip(
                metadata.species, seen.mean, seen.deviation, strict=True
            )
        )
        yield "" if column else "saw", f"{quantity}: {', '.join(of_species)}"


def _count_known(roles: Iterable[str]) -> str:
    """Count the configurations that a model knows in each role, as in 9 training, 1 validation."""
    counts = Counter(roles)
    return ", ".join(f"{n} {role}" for role, n in counts.most_common()) or "not recorded"


@click.command()
@AS_JSON
def models(as_json: bool) -> None:
    """List the models that ship; a name stands for the model wherever a model file is expected."""
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
                "correlations": model.card["correlations"],
            }
        )
    if as_json:
        click.echo(to_json(rows))
        return
    name = Column("name", no_wrap=True)  # users type it
    table = Table(name, "architecture", "T", "lag time", "rho_S", "rho_E", title="models")
    for row in rows:
        found = row["correlations"]
        table.add_row(
            *(str(row[k]) for k in ("name", "architecture", "temperature", "lag_time")),
            number(found["rho_S_mean"]),
            number(found["rho_E_mean"]),
        )
    Console().print(table)

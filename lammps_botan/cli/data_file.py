"""The command that writes LAMMPS data files."""

from pathlib import Path

import click

from lammps_botan.cli.shared import FILE, OUTPUT


@click.command("data-file")
@click.argument("configuration", type=FILE)
@OUTPUT
@click.option("--mixture", help="A name or a TOML file, where CONFIGURATION does not say it.")
def data_file(configuration: Path, output: Path, mixture: str | None) -> None:
    """Write the initial configuration of an npz or pickle file as a LAMMPS data file."""
    from lammps_botan.files.ensemble import read_start
    from lammps_botan.files.lammps_data import write_lammps_data
    from lammps_botan.files.mixture_toml import find_mixture
    from lammps_botan.files.whole_file import keep_apart

    keep_apart([output], [configuration, *([mixture] if mixture else [])])
    start = read_start(configuration, mixture=None if mixture is None else find_mixture(mixture))
    write_lammps_data(output, start, f"Initial configuration of {configuration.name}")
    click.echo(f"wrote {output}; in LAMMPS: read_data {output}")

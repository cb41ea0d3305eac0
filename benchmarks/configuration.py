"""The configuration that is measured on."""

from pathlib import Path

from lammps_botan.files.ensemble import read_start
from lammps_botan.structure.configuration import Configuration

GLASS = Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"


def read(path: Path) -> Configuration:
    """A LAMMPS data file (*.data), or what `lammps-botan evaluate` reads."""
    return read_start(path)

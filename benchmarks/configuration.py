"""The configuration that is measured on."""

from pathlib import Path

import numpy as np

from lammps_botan.files.ensemble_npz import Configuration, read_configuration
from lammps_botan.files.lammps_data import read_data_frame
from lammps_botan.structure.graph import cell_matrix

GLASS = Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"


def read(path: Path) -> Configuration:
    """A LAMMPS data file (*.data), sorted by IDs, or what `lammps-botan evaluate` reads."""
    if path.suffix != ".data":
        return read_configuration(path)
    frame = read_data_frame(path)
    order = np.argsort(np.asarray(frame.ids))
    positions = np.asarray(frame.positions)[order]
    species = np.asarray(frame.types)[order] - 1
    no_future = np.zeros((0, *positions.shape))
    return Configuration(path, species, positions, no_future, cell_matrix(frame.box))

"""LAMMPS data files (atom_style atomic) of configurations."""

from pathlib import Path

import numpy as np

from lammps_botan.structure.graph import Floats, Ints


def write_data_file(path: Path, positions: Floats, species: Ints, cell: Floats, title: str) -> None:
    """Write positions as a LAMMPS data file; atom IDs and types count from 1, masses are 1.

    Parameters
    ----------
    path : Path
        The name appears only when the file is whole.
    positions : [n_particles, 3]
        LJ units; `read_data` wraps them into the box.
    species : int [n_particles]
        From 0: LAMMPS type = species + 1.
    cell : [3, 3]
        Cell vectors as rows, the first along x, the second in the xy plane.
    title : str
        First line of the file: where the configuration comes from.

    Raises
    ------
    ValueError
        If the cell has another orientation.
    """
    if np.any(np.triu(cell, 1)) or np.any(np.diagonal(cell) <= 0):
        raise ValueError(
            "LAMMPS needs the first cell vector along x and the second in the xy plane, "
            f"found {cell.tolist()}"
        )
    n_species = int(species.max()) + 1
    header = [f"{title}, units = lj", ""]
    header += [f"{len(positions)} atoms", f"{n_species} atom types", ""]
    header += [f"0 {cell[k, k]:.15g} {axis}lo {axis}hi" for k, axis in enumerate("xyz")]
    if np.any(np.tril(cell, -1)):
        header.append(f"{cell[1, 0]:.15g} {cell[2, 0]:.15g} {cell[2, 1]:.15g} xy xz yz")
    header += ["", "Masses", "", *(f"{k + 1} 1" for k in range(n_species))]
    header += ["", "Atoms # atomic", ""]
    rows = np.column_stack([np.arange(len(positions)) + 1, species + 1, positions])
    part = path.with_name(path.name + ".part")
    np.savetxt(part, rows, fmt="%d %d %.15g %.15g %.15g", header="\n".join(header), comments="")
    part.replace(path)

"""The configuration of a LAMMPS data file, in float64.

MDAnalysis reads such files in float32, which now and then moves a pair across the cutoff of a graph
and then changes the scores around it.
"""

from pathlib import Path

import numpy as np

from lammps_botan.files.whole_file import whole_file
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration

# columns by atom style, named as MDAnalysis has them
ATOM_STYLES = {
    "atomic": "id type x y z",
    "charge": "id type charge x y z",
    "molecular": "id resid type x y z",
    "bond": "id resid type x y z",
    "angle": "id resid type x y z",
    "full": "id resid type charge x y z",
}


def atom_style(path: Path) -> str | None:
    """The columns of the atoms of a data file, where its line `Atoms # style` tells them.

    Raises
    ------
    ValueError
        If it names a style that is not known here: its columns must not be guessed.
    """
    with path.open(errors="replace") as file:
        for line in file:
            section, _, style = line.partition("#")
            if section.strip() == "Atoms":
                name = style.strip()
                if name and name not in ATOM_STYLES:
                    raise ValueError(
                        f"{path}: atom style {name}, expected one of {', '.join(ATOM_STYLES)}; "
                        "write a dump instead: write_dump all custom run.dump id type x y z"
                    )
                return ATOM_STYLES.get(name)
    return None


def read_lammps_data(path: Path) -> Configuration:
    """The configuration of a data file, in a periodic box.

    Parameters
    ----------
    path : Path

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If box or atoms are missing or damaged, or the atom style cannot be told.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        lines = [line for line in path.read_text().splitlines()[1:] if line.strip()]
        start = next((k for k, line in enumerate(lines) if _section(line) == "Atoms"), len(lines))
        header = _header(lines[:start])
        n_atoms = int(header["atoms"][0])
        low, high = np.array([header[f"{axis}lo {axis}hi"] for axis in "xyz"], dtype=float).T
        xy, xz, yz = map(float, header.get("xy xz yz", "000"))
        if len(lines) < start + 1 + n_atoms:
            raise ValueError(f"the file ends before the {n_atoms} atoms announced")
        rows = np.loadtxt(lines[start + 1 : start + 1 + n_atoms], ndmin=2)
        columns = _columns(path, rows.shape[1])
    except KeyError as error:
        raise ValueError(
            f"{path}: no line '... {error.args[0]}'; expected a LAMMPS data file of a simulation "
            "in a box that is not a general triclinic one"
        ) from error
    except ValueError as error:  # also of bytes that are no text
        text = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path}: {text}") from error
    return Configuration(
        positions=rows[:, [columns.index(axis) for axis in "xyz"]],
        species=rows[:, columns.index("type")].astype(np.int64) - 1,
        box=Box.from_lammps(low, high, (xy, xz, yz), (True, True, True)),
        ids=rows[:, 0].astype(np.int64),
        where=str(path),
    )


def _section(line: str) -> str:
    return line.partition("#")[0].strip()


def _header(lines: list[str]) -> dict[str, list[str]]:
    """The numbers of each line by the words after them."""
    header = {}
    for line in lines:
        words = _section(line).split()
        numbers = [word for word in words if word[0] in "+-.0123456789"]
        header[" ".join(words[len(numbers) :])] = numbers
    return header


def _columns(path: Path, n_columns: int) -> list[str]:
    """Names of the columns, by the style or by their number; image flags may follow them."""
    by_number = {5: "atomic", 8: "atomic", 7: "full", 10: "full"}
    style = atom_style(path) or ATOM_STYLES.get(by_number.get(n_columns, ""))
    if style is None or n_columns - len(style.split()) not in {0, 3}:
        raise ValueError(
            f"{n_columns} columns of atoms; name their style in the file, as in 'Atoms # atomic': "
            f"one of {', '.join(ATOM_STYLES)}"
        )
    return style.split()


def write_lammps_data(path: Path, configuration: Configuration, title: str) -> None:
    """Write a LAMMPS data file of atom style atomic; it appears when it is whole.

    Parameters
    ----------
    path : Path
    configuration : Configuration
        `read_data` wraps the positions into the box. In a box that is not periodic along z the
        atoms of two dimensions lie in the middle of it.
    title : str
        First line of the file: where the configuration comes from.

    Raises
    ------
    ValueError
        If the cell vectors are not as LAMMPS wants them.
    """
    low, high, tilts = configuration.box.lammps_bounds()
    mixture, n_types = configuration.mixture, configuration.n_species
    masses = mixture.masses if mixture else (1.0,) * n_types
    header = [f"{title}, units = {configuration.units or 'lj'}", ""]
    header += [f"{configuration.n_particles} atoms", f"{len(masses)} atom types", ""]
    header += [f"{low[k]:.15g} {high[k]:.15g} {axis}lo {axis}hi" for k, axis in enumerate("xyz")]
    if any(tilts):
        header.append("{:.15g} {:.15g} {:.15g} xy xz yz".format(*tilts))
    header += ["", "Masses", "", *(f"{k + 1} {mass:.15g}" for k, mass in enumerate(masses))]
    header += ["", "Atoms # atomic", ""]
    rows = np.column_stack([configuration.ids, configuration.types, configuration.positions])
    with whole_file(path) as part:
        np.savetxt(part, rows, fmt="%d %d %.15g %.15g %.15g", header="\n".join(header), comments="")

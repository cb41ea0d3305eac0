"""The configuration of a LAMMPS data file, in float64.

MDAnalysis reads such files in float32, which now and then moves a pair across the cutoff of a graph
and then changes the scores around it.
"""

from pathlib import Path

import numpy as np

from lammps_botan.files.lammps_dump import Frame

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


def read_data_frame(path: Path) -> Frame:
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
    x, y, z = high - low
    return Frame(
        positions=rows[:, [columns.index(axis) for axis in "xyz"]],
        box=np.array([[x, 0, 0], [xy, y, 0], [xz, yz, z]]),
        types=rows[:, columns.index("type")].astype(np.int64),
        ids=rows[:, 0].astype(np.int64),
        origin=low,
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

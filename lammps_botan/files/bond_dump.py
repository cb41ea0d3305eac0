"""Dumps of bonds from `lammps-botan score`, or from `dump local` with `fix botan`."""

import io
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lammps_botan.files.text_file import DAMAGE, damage, open_text, skip_blank
from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import MAX_ID

N_COLUMNS = 4  # IDs of center and neighbor, distance, predicted change


@dataclass(frozen=True)
class Bonds:
    """Bonds of one step, each pair twice, once from each end.

    Attributes
    ----------
    center, neighbor : int64 [n_bonds]
        Atom IDs.
    changes : float64 [n_bonds]
        Predicted pair-distance changes, length unit.

    Examples
    --------
    >>> bonds = Bonds(np.array([1, 2]), np.array([2, 1]), np.array([0.1, 0.2]))
    >>> bonds.changes.mean().round(2)
    np.float64(0.15)
    """

    center: Ints
    neighbor: Ints
    changes: Floats


# headers of LAMMPS, by `dump_modify units yes` and `time yes`, each with a line below it
MAY_COME_FIRST = {b"ITEM: UNITS", b"ITEM: TIME"}


def read_bonds(path: Path, step: int, *, index: int = 0, among: int = 1) -> Bonds:
    """Read the bonds of one step, which occurs more than once where a run began anew from 0.

    Parameters
    ----------
    path : Path
        A dump whose first columns are the IDs of center and neighbor, distance and predicted
        change; packed or plain.
    step : int
    index : int
        Number of the frame among those of this step, from 0.
    among : int
        Frames of this step that the dump of particles has.

    Returns
    -------
    Bonds

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no such dump, or has the step not as often as the dump of particles.

    Examples
    --------
    >>> text = '''ITEM: TIMESTEP
    ... 0
    ... ITEM: NUMBER OF BONDS
    ... 1
    ... ITEM: BOX BOUNDS pp pp pp
    ... 0 5
    ... 0 5
    ... 0 5
    ... ITEM: BONDS c_ids[1] c_ids[2] distance change
    ... 7 9 1.1 0.25
    ... '''
    >>> _ = Path("bonds.dump").write_text(text)
    >>> bonds = read_bonds(Path("bonds.dump"), step=0)
    >>> bonds.center, bonds.neighbor, bonds.changes
    (array([7]), array([9]), array([0.25]))
    """
    bonds, count = None, 0
    with open_text(path) as file:
        try:
            while skip_blank(file):
                while (line := file.readline()).strip() in MAY_COME_FIRST:
                    file.readline()
                if line.strip() != b"ITEM: TIMESTEP":
                    raise ValueError(f"expected ITEM: TIMESTEP, found {line[:40]!r}")
                found = int(file.readline())
                title = file.readline()
                if (n_bonds := int(file.readline())) < 0:
                    raise ValueError(f"expected a number of bonds, found {n_bonds}")
                if not title.startswith(b"ITEM: NUMBER OF ") or title.split()[-1] == b"ATOMS":
                    raise ValueError(f"expected ITEM: NUMBER OF BONDS, found {title.decode()!r}")
                columns = [file.readline() for _ in range(5)][-1].split()[2:]
                if len(columns) < N_COLUMNS:
                    raise ValueError(
                        f"expected {N_COLUMNS} columns: IDs of center and neighbor, distance, "
                        f"change; found {b' '.join(columns).decode()}"
                    )
                if found == step and count == index:
                    bonds = _read_rows(file, n_bonds)
                else:
                    for _ in range(n_bonds):
                        file.readline()
                count += found == step
        except (*DAMAGE, ValueError) as error:
            if bonds is None:  # else what follows may still be being written
                said = damage(error) if isinstance(error, DAMAGE) else f"no dump of bonds: {error}"
                raise ValueError(f"{path}: {said}") from error
    if not count:
        raise ValueError(f"{path}: has no bonds of step {step}")
    if count != among or bonds is None:
        raise ValueError(
            f"{path}: has bonds of step {step} {count} times, the dump of particles has this step "
            f"{among} times: which belong together? Take dumps that were written by the same runs, "
            "at the same steps"
        )
    return bonds


def _read_rows(file: io.BufferedReader, n_bonds: int) -> Bonds:
    lines = [line for line in itertools.islice(file, n_bonds) if line.endswith(b"\n")]
    if len(lines) < n_bonds:
        raise ValueError(f"the file ends before the {n_bonds} rows announced")
    words = [line.split()[:N_COLUMNS] for line in lines]
    if short := [line for line, row in zip(lines, words, strict=True) if len(row) < N_COLUMNS]:
        raise ValueError(f"a row has less than {N_COLUMNS} columns: {short[0].decode().strip()}")
    rows = np.array(words, dtype=np.float64).reshape(-1, N_COLUMNS)
    ends = rows[:, :2]
    if np.any(broken := (ends % 1 != 0) | (ends < 1) | (ends > MAX_ID)):
        raise ValueError(f"expected integers from 1 as atom IDs, found {ends[broken][0]:.17g}")
    if not np.isfinite(rows).all():
        row = rows[~np.isfinite(rows).all(axis=1)][0]
        raise ValueError(f"the bond of IDs {row[0]:g} and {row[1]:g} has {row[2:]}, not numbers")
    center, neighbor = ends.astype(np.int64).T
    return Bonds(center, neighbor, rows[:, 3])

"""LAMMPS data files, in float64 and by the grammar of `read_data`.

The first line is a title, in which `write_data` says units and step. A header line begins with its
numbers. A line of words alone begins a section; sections stand in any order. A # begins a comment,
and blank lines count for nothing. MDAnalysis reads such files in float32, which now and then moves
a pair across the cutoff of a graph.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lammps_botan.files.flat_box import flat_box
from lammps_botan.files.text_file import DAMAGE, damage, open_text
from lammps_botan.files.whole_file import whole_file
from lammps_botan.structure.box import Box, Floats, Ints
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import UNITS

# columns by atom style; three image flags may follow them
ATOM_STYLES = {
    "atomic": "id type x y z",
    "charge": "id type charge x y z",
    "molecular": "id molecule type x y z",
    "bond": "id molecule type x y z",
    "angle": "id molecule type x y z",
    "full": "id molecule type charge x y z",
    "sphere": "id type diameter density x y z",
    "dipole": "id type charge x y z mux muy muz",
}
_STYLES = ", ".join(ATOM_STYLES)
_NUMBER = re.compile(r"[-+]?\.?\d")
_INTEGER = re.compile(r"[-+]?\d{1,18}", re.ASCII)  # of 64 bits
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_GENERAL = {"avec", "bvec", "cvec", "abc origin"}  # of a general triclinic box


@dataclass
class _Section:
    comment: str
    rows: list[list[str]] = field(default_factory=list)


def is_lammps_data(path: Path) -> bool:
    r"""Whether the lines at the start of a text file are the header of a LAMMPS data file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Examples
    --------
    >>> _ = Path("run.data").write_text("title\n\n4096 atoms\n")
    >>> is_lammps_data(Path("run.data"))
    True
    """
    with open_text(path) as file:
        try:
            start = file.read(1 << 14).decode(errors="replace")
        except DAMAGE:
            return False
    return re.search(r"^\s*\d+\s+atoms\b", start, re.MULTILINE) is not None


def read_lammps_data(path: str | Path) -> Configuration:
    """Read the configuration of a data file, sorted by atom ID, with units and step of its title.

    Type labels become the names of the species. Positions are those in the box: image flags are
    left out. A data file does not say the boundaries: all directions have periodic images, except z
    where all atoms have the same z (`lammps_botan.files.flat_box`).

    Parameters
    ----------
    path : str or Path
        Packed or plain.

    Returns
    -------
    Configuration

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If box or atoms are missing or damaged, or the file does not tell the atom style.

    Examples
    --------
    >>> box = Box(5.0, (True, True, True))
    >>> one = Configuration(np.ones((1, 3)), [0], box, units="lj")
    >>> write_lammps_data("run.data", one, "an example")
    >>> read_lammps_data("run.data").units
    'lj'
    """
    path = Path(path)
    try:
        with open_text(path) as file:
            lines = file.read().decode().splitlines()
    except DAMAGE as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path}: {damage(error)}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected a LAMMPS data file, which is text: {error}") from error
    try:
        return _configuration(path, lines)
    except KeyError as error:
        raise ValueError(
            f"{path}: no line '... {error.args[0]}'; expected a LAMMPS data file of a simulation "
            "in a box"
        ) from error
    except ValueError as error:
        text = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path}: {text}") from error


def _configuration(path: Path, lines: list[str]) -> Configuration:
    title = lines[0] if lines else ""
    header, sections = _parse(lines[1:])
    n_atoms = _count(header, "atoms")
    if found := _GENERAL & header.keys():
        raise ValueError(
            f"a general triclinic box ({sorted(found)[0]}); write it as a restricted one: "
            "write_data FILE without triclinic/general"
        )
    low, high = np.array([_numbers(header, f"{axis}lo {axis}hi") for axis in "xyz"]).T
    xy, xz, yz = _numbers(header, "xy xz yz") if "xy xz yz" in header else (0.0, 0.0, 0.0)
    box = Box.from_lammps(low, high, (xy, xz, yz), (True, True, True))
    n_types = _count(header, "atom types")
    names = _labels(sections, n_types)
    ids, types, positions = _atoms(sections.get("Atoms", _Section("")), n_atoms, n_types, names)
    units = re.search(r"units = (\w+)", title)
    step = re.search(r"timestep = (\d+)", title)
    order = np.argsort(ids, kind="stable")
    return Configuration(
        positions=positions[order],
        species=types[order] - 1,
        box=flat_box(box, positions),
        ids=ids[order],
        species_names=names,
        units=units[1] if units and units[1] in UNITS else None,
        step=int(step[1]) if step else 0,
        where=str(path),
    )


def _parse(lines: list[str]) -> tuple[dict[str, list[str]], dict[str, _Section]]:
    """Numbers of the header lines by the words after them, and the sections by their titles."""
    header: dict[str, list[str]] = {}
    sections: dict[str, _Section] = {}
    section = None
    for line in lines:
        content, _, comment = line.partition("#")
        words = content.split()
        if not words:
            continue
        if not any(map(_NUMBER.match, words)):
            title = " ".join(words)
            if title in sections:
                raise ValueError(f"two sections {title}, expected one")
            section = sections[title] = _Section(comment.strip())
        elif section is None:
            n = sum(1 for word in words if _NUMBER.match(word))
            header[" ".join(words[n:])] = words[:n]
        else:
            section.rows.append(words)
    return header, sections


def _numbers(header: dict[str, list[str]], name: str) -> list[float]:
    """The numbers of a header line that has one for each of its words."""
    words, n = header[name], len(name.split())
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != n:
        raise ValueError(f"expected {n} numbers before '{name}', found {' '.join(words)}")
    return numbers


def _count(header: dict[str, list[str]], name: str) -> int:
    words = header[name]
    if len(words) != 1 or not _COUNT.fullmatch(words[0]):
        raise ValueError(f"expected one integer before '{name}', found {' '.join(words)}")
    return int(words[0])


def _labels(sections: dict[str, _Section], n_types: int) -> tuple[str, ...]:
    """Names of the types, in order; checks that there are masses for all types, or for none."""
    masses = sections.get("Masses")
    if masses is not None and len(masses.rows) != n_types:
        raise ValueError(f"{n_types} atom types, but {len(masses.rows)} masses")
    if "Atom Type Labels" not in sections:
        return ()
    rows = sections["Atom Type Labels"].rows
    labels = {row[0]: row[1] for row in rows if len(row) == 2}
    types = [str(k + 1) for k in range(len(rows))]
    several = len(rows) == n_types and len(set(labels.values())) == n_types
    if not several or labels.keys() != set(types):
        raise ValueError(
            f"Atom Type Labels must give each of the {n_types} types a label of its own, "
            f"found {', '.join(' '.join(row) for row in rows)}"
        )
    return tuple(labels[number] for number in types)


def _atoms(
    section: _Section, n_atoms: int, n_types: int, names: tuple[str, ...]
) -> tuple[Ints, Ints, Floats]:
    """IDs [n_atoms], types [n_atoms] and positions [n_atoms, 3]."""
    if len(section.rows) < n_atoms:
        raise ValueError(
            f"the file ends before the {n_atoms} atoms announced: Atoms has {len(section.rows)} "
            "rows"
        )
    if len(section.rows) > n_atoms or n_atoms < 1:
        raise ValueError(f"{n_atoms} atoms announced, but Atoms has {len(section.rows)} rows")
    columns = _columns(section)
    for row in section.rows:
        if len(row) != len(section.rows[0]):
            raise ValueError(
                f"a row of Atoms has {len(row)} columns, others {len(section.rows[0])}: "
                f"{' '.join(row)}"
            )
    numbers = {name: str(k + 1) for k, name in enumerate(names)}
    table = {name: [row[k] for row in section.rows] for k, name in enumerate(columns)}
    types = np.array([_integer(numbers.get(word, word)) for word in table["type"]], dtype=np.int64)
    if types.min() < 1 or types.max() > n_types:
        wrong = types[(types < 1) | (types > n_types)][0]
        raise ValueError(f"an atom of type {wrong}, expected 1 to {n_types}, the atom types")
    ids = np.array([_integer(word) for word in table["id"]], dtype=np.int64)
    return ids, types, np.array([table[axis] for axis in "xyz"], dtype=np.float64).T


def _integer(word: str) -> int:
    if not _INTEGER.fullmatch(word):
        raise ValueError(
            f"'{word}' is no atom type and no ID; expected an integer, or a label of the section "
            "Atom Type Labels"
        )
    return int(word)


def _columns(section: _Section) -> list[str]:
    """Names of the columns: of the style in the file, or of atomic where the rows tell it."""
    first, style = section.rows[0], section.comment.split()
    if style:
        if style[0] not in ATOM_STYLES:
            raise ValueError(
                f"atom style {style[0]}, expected one of {_STYLES}; write a dump instead: "
                "write_dump all custom run.dump id type x y z"
            )
        columns = ATOM_STYLES[style[0]].split()
        if len(first) - len(columns) not in {0, 3}:
            raise ValueError(
                f"{len(first)} columns of atoms, which are not those of 'Atoms # {style[0]}': "
                f"{' '.join(columns)}, and three image flags or none"
            )
        return columns
    flags = all(_INTEGER.fullmatch(word) for row in section.rows for word in row[5:])
    places = [word for row in section.rows for word in row[2:5]]
    # other styles with eight columns do not end in three integers after numbers
    atomic = len(first) == 5 or (len(first) == 8 and flags and any("." in p for p in places))
    if not atomic:
        raise ValueError(
            f"{len(first)} columns of atoms; name their style in the file, as in "
            f"'Atoms # atomic': one of {_STYLES}"
        )
    return ATOM_STYLES["atomic"].split()


def read_masses(path: Path) -> tuple[tuple[str, ...], list[float]]:
    """Read the masses of a data file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    names : tuple of str
        Labels of the types; none where the file has no labels.
    masses : list of float
        Of the types in order; none where the file has no masses.

    Raises
    ------
    ValueError
        If there are masses for some types only, or a row is no type and its mass.

    Examples
    --------
    >>> one = Configuration(np.ones((1, 3)), [0], Box(5.0, (True, True, True)))
    >>> write_lammps_data("run.data", one, "an example")
    >>> read_masses(Path("run.data"))
    ((), [1.0])
    """
    with open_text(path) as file:
        header, sections = _parse(file.read().decode().splitlines()[1:])
    names = _labels(sections, _count(header, "atom types"))
    rows = sections["Masses"].rows if "Masses" in sections else []
    try:
        by_type = {row[0]: float(row[1]) for row in rows}
        labels = bool(names) and set(names) <= by_type.keys()
        return names, [by_type[key] for key in (names if labels else sorted(by_type, key=int))]
    except (ValueError, IndexError):
        found = "; ".join(map(" ".join, rows[:5]))
        raise ValueError(
            f"{path}: expected the number of a type and its mass in each row of Masses, found "
            f"{found}"
        ) from None


def write_lammps_data(path: str | Path, configuration: Configuration, title: str) -> None:
    """Write a LAMMPS data file of atom style atomic, which appears when it is whole.

    Parameters
    ----------
    path : str or Path
    configuration : Configuration
        `read_data` wraps the positions into the box. Two dimensions are written as LAMMPS wants
        them: all atoms at z = 0, in the middle of the height of the box.
    title : str
        First line of the file: where the configuration comes from. The units follow the title where
        they are known.

    Raises
    ------
    ValueError
        If the cell vectors are not as LAMMPS wants them.

    Examples
    --------
    >>> one = Configuration(np.ones((1, 3)), [0], Box(5.0, (True, True, True)))
    >>> write_lammps_data("run.data", one, "an example")
    >>> Path("run.data").read_text().splitlines()[2:4]
    ['1 atoms', '1 atom types']
    """
    try:
        low, high, tilts = configuration.box.lammps_bounds()
    except ValueError as error:
        raise ValueError(f"{configuration.where}: {error}") from error
    positions = configuration.positions
    if configuration.dimension == 2:
        half = 0.5 * configuration.box.cell[2, 2]
        low, high = np.array([*low[:2], -half]), np.array([*high[:2], half])
        positions = positions * [1.0, 1.0, 0.0]
    mixture, n_types = configuration.mixture, configuration.n_species
    masses = mixture.masses if mixture else (1.0,) * n_types
    header = [title + (f", units = {configuration.units}" if configuration.units else ""), ""]
    header += [f"{configuration.n_particles} atoms", f"{len(masses)} atom types", ""]
    header += [f"{low[k]:.15g} {high[k]:.15g} {axis}lo {axis}hi" for k, axis in enumerate("xyz")]
    if any(tilts):
        header.append("{:.15g} {:.15g} {:.15g} xy xz yz".format(*tilts))
    header += ["", "Masses", "", *(f"{k + 1} {mass:.15g}" for k, mass in enumerate(masses))]
    header += ["", "Atoms # atomic", ""]
    rows = np.column_stack([configuration.ids, configuration.types, positions])
    with whole_file(path) as part:
        np.savetxt(part, rows, fmt="%d %d %.15g %.15g %.15g", header="\n".join(header), comments="")

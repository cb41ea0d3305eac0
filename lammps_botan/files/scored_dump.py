r"""Scored frames as text of LAMMPS dump files.

Atoms are written as by `dump custom`; the propensity has the name of a column of fix
property/atom::

    ITEM: ATOMS id type x y z d_propensity

Where the model has several outputs, the others follow with d\_ before their names, such as
`d_propensity_std`. Bonds are written as by `dump local` with `dump_modify label BONDS`, each pair
twice, once from each end::

    ITEM: BONDS id_center id_neighbor distance pair_distance_change

Positions are wrapped into the box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lammps_botan.structure.box import Floats, Ints
from lammps_botan.structure.configuration import Configuration

PROPENSITY = "d_propensity"


@dataclass(frozen=True)
class ScoredConfiguration:
    """A configuration with the predictions of a model.

    Attributes
    ----------
    configuration : Configuration
        All particles, also those that the model did not see.
    propensity : float32 [n_particles, n_node_outputs]
        Length unit; 0 for particles of a type mapped to NULL.
    center, neighbor : int64 [n_bonds]
        Atom IDs of each bonded pair; each pair twice, once from each end.
    distances : float64 [n_bonds]
        Length unit.
    changes : float32 [n_bonds, n_edge_outputs]
        Predicted pair-distance changes, length unit.
    node_outputs, edge_outputs : list of str
        Names of the columns of `propensity` and `changes`.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> one = Configuration(np.zeros((1, 3)), [0], Box(5.0, (True, True, True)))
    >>> nothing, bare = np.zeros(0, int), np.zeros((0, 1))
    >>> scored = ScoredConfiguration(
    ...     one, np.array([[0.5]]), nothing, nothing, np.zeros(0), bare, ["propensity"], []
    ... )
    >>> print(atoms_text(scored).decode().splitlines()[-1])
    1 1 0 0 0 0.5
    """

    configuration: Configuration
    propensity: Floats
    center: Ints
    neighbor: Ints
    distances: Floats
    changes: Floats
    node_outputs: list[str]
    edge_outputs: list[str]

    @property
    def ids(self) -> Ints:
        """Atom IDs in the order of `propensity`, int64 [n_particles]."""
        return self.configuration.ids

    @property
    def types(self) -> Ints:
        """LAMMPS types, int64 [n_particles]."""
        return self.configuration.types


def atoms_text(scored: ScoredConfiguration) -> bytes:
    """Write a frame of a dump of atoms.

    Parameters
    ----------
    scored : ScoredConfiguration

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If the cell vectors are not as LAMMPS wants them.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> one = Configuration(np.zeros((1, 3)), [0], Box(5.0, (True, True, True)), step=7)
    >>> nothing, bare = np.zeros(0, int), np.zeros((0, 1))
    >>> scored = ScoredConfiguration(
    ...     one, np.array([[0.5]]), nothing, nothing, np.zeros(0), bare, ["propensity"], []
    ... )
    >>> atoms_text(scored).decode().splitlines()[:2]
    ['ITEM: TIMESTEP', '7']
    """
    n_outputs = scored.propensity.shape[1]
    names = [PROPENSITY, *(f"d_{name}" for name in scored.node_outputs[1:])]
    frame = scored.configuration
    numbers = (frame.ids, frame.types, frame.box.wrap(frame.positions), scored.propensity)
    header = _header(frame, "ATOMS", frame.n_particles, " ".join(["id type x y z", *names]))
    return header + _rows("%d %d %.12g %.12g %.12g" + " %.9g" * n_outputs, numbers)


def bonds_text(scored: ScoredConfiguration) -> bytes:
    """Write a frame of a dump of bonds.

    Parameters
    ----------
    scored : ScoredConfiguration

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If the cell vectors are not as LAMMPS wants them.

    Examples
    --------
    >>> from lammps_botan import Box
    >>> two = Configuration(np.eye(2, 3), [0, 0], Box(5.0, (True, True, True)))
    >>> bond = np.array([1]), np.array([2]), np.array([1.4]), np.array([[0.2]])
    >>> scored = ScoredConfiguration(two, np.zeros((2, 1)), *bond, ["propensity"], ["change"])
    >>> print(bonds_text(scored).decode().splitlines()[-1])
    1 2 1.4 0.2
    """
    n_outputs = scored.changes.shape[1]
    names = ["pair_distance_change", *scored.edge_outputs[1:]][:n_outputs]
    columns = " ".join(["id_center id_neighbor distance", *names])
    header = _header(scored.configuration, "BONDS", len(scored.center), columns)
    numbers = (scored.center, scored.neighbor, scored.distances, scored.changes)
    return header + _rows("%d %d %.9g" + " %.9g" * n_outputs, numbers)


def _rows(line: str, numbers: Sequence[Floats | Ints]) -> bytes:
    rows = np.column_stack(numbers)
    return ((line + "\n") * len(rows) % tuple(rows.ravel().tolist())).encode()


def _header(frame: Configuration, label: str, n_rows: int, columns: str) -> bytes:
    try:
        low, high, tilts = frame.box.lammps_bounds()
    except ValueError as error:
        raise ValueError(f"{frame.where}: {error}") from error
    xy, xz, yz = tilts
    low = low + np.array([min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0])
    high = high + np.array([max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0])
    bounds, words = np.column_stack([low, high]), []
    if any(tilts):
        bounds, words = np.column_stack([bounds, tilts]), ["xy xz yz"]
    words += ["pp" if periodic else "ff" for periodic in frame.box.periodic]
    lines = [
        "ITEM: TIMESTEP",
        str(frame.step),
        f"ITEM: NUMBER OF {label}",
        str(n_rows),
        f"ITEM: BOX BOUNDS {' '.join(words)}",
        *(" ".join(f"{x:.16e}" for x in row) for row in bounds),
        f"ITEM: {label} {columns}",
    ]
    return "".join(f"{line}\n" for line in lines).encode()

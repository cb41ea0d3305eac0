"""Tables that notebooks show for configurations and results."""

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lammps_botan.structure.configuration import Configuration

Rows = list[tuple[str, str]]


def html_table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Write a table of two columns in HTML.

    Parameters
    ----------
    title : str
    rows : iterable of two str
        Name and value; a row without a value is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> html_table("a pair", [("particles", "2"), ("step", "")])
    '<table><caption>a pair</caption><tr><th>particles</th><td>2</td></tr></table>'
    """
    lines = (
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in rows
        if value
    )
    return f"<table><caption>{html.escape(title)}</caption>{''.join(lines)}</table>"


def configuration_rows(configuration: "Configuration") -> Rows:
    """Describe a configuration in rows of a table.

    Parameters
    ----------
    configuration : Configuration

    Returns
    -------
    list of two str
        Name and value; the value is empty where it is not known.

    Examples
    --------
    >>> from lammps_botan import Box, Configuration
    >>> pair = Configuration(np.eye(2, 3), [0, 1], Box(5.0, (True, True, True)))
    >>> configuration_rows(pair)[:2]
    [('particles', '2: 1 of type 1, 1 of type 2'), ('box', '5 x 5 x 5, periodic along x y z')]
    """
    c = configuration
    names = c.species_names or tuple(f"of type {k + 1}" for k in range(c.n_species))
    counts = np.bincount(c.species, minlength=len(names))
    shares = ", ".join(f"{n} {name}" for n, name in zip(counts, names, strict=False) if n)
    edges = " x ".join(f"{x:.6g}" for x in np.linalg.norm(c.box.cell, axis=1))
    axes = " ".join(axis for axis, flag in zip("xyz", c.box.periodic, strict=True) if flag)
    inherent = "positions" * (c.inherent_positions is not None)
    inherent += " and energies" * (c.inherent_energies is not None)
    return [
        ("particles", f"{c.n_particles}: {shares}"),
        ("box", f"{edges}, {f'periodic along {axes}' if axes else 'not periodic'}"),
        ("density", f"{c.density:.6g}"),
        ("mixture", "" if c.mixture is None else c.mixture.name),
        ("units", c.units or ""),
        ("temperature", "" if c.temperature is None else f"{c.temperature:g}"),
        ("step", str(c.step)),
        ("time", "" if c.time is None else f"{c.time:g}"),
        ("history", "" if c.history is None else f"window {c.history.window:g}"),
        ("inherent structure", inherent),
        ("columns", ", ".join(c.columns)),
    ]

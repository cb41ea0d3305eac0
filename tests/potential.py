"""A small many-body potential of a binary alloy, as a file for pair_style eam/alloy."""

from pathlib import Path

import numpy as np

CUTOFF = 6.0  # Angstrom
N = 500
# of A-A, A-B and B-B pairs: nearest distance in Angstrom
DISTANCES = {("A", "A"): 2.9, ("A", "B"): 2.6, ("B", "B"): 2.5}

TOML = """
name = "alloy"
units = "metal"
species = ["A", "B"]
masses = [91.2, 63.5]
fractions = [0.5, 0.5]
diameter = 2.8
density = 0.055
[bond_lengths]
"A-A" = 3.8
"A-B" = 3.4
"B-B" = 3.3
[interactions]
commands = '''
pair_style eam/alloy
pair_coeff * * alloy.eam A B
'''
files = ["alloy.eam"]
timestep = 0.002
damping = 0.2
skin = 1.0
melt_temperature = 2000.0
melt_time = 0.4
cooling_time = 0.4
"""


def write_alloy(folder: Path) -> Path:
    """The potential, and the TOML file of its mixture."""
    _write_potential(folder / "alloy.eam")
    path = folder / "alloy.toml"
    path.write_text(TOML)
    return path


def _write_potential(path: Path) -> None:
    """A second-moment potential: repulsion of pairs, and the root of a density that binds."""
    r = np.arange(N) * CUTOFF / (N - 1)
    rho = np.arange(N) * 60.0 / (N - 1)
    switch = np.where(r < CUTOFF, (1 - (r / CUTOFF) ** 4) ** 3, 0.0)
    lines = ["# made by a test", "#", "#", "2 A B", f"{N} {rho[1]} {N} {r[1]} {CUTOFF}"]
    for name, mass in (("A", 91.2), ("B", 63.5)):
        own = DISTANCES[name, name]
        lines.append(f"1 {mass} {own} fcc")
        lines += _column(-1.2 * np.sqrt(rho))
        lines += _column(np.exp(-4.0 * (r / own - 1)) * switch)
    for distance in (DISTANCES["A", "A"], DISTANCES["A", "B"], DISTANCES["B", "B"]):
        lines += _column(r * 0.2 * np.exp(-10.0 * (r / distance - 1)) * switch)
    path.write_text("\n".join(lines) + "\n")


def _column(values: np.ndarray) -> list[str]:
    return [repr(float(value)) for value in values]

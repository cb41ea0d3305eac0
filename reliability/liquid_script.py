"""A liquid in LAMMPS, what it has scored, and what Python says of the same positions."""

from pathlib import Path

import numpy as np

from lammps_botan.files.trajectory import open_frames
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import find_model

CLOSE = 1e-5  # of the largest output: float32
# 108 particles that move fast; LAMMPS's own forces, whatever they are
LIQUID = """
units lj
atom_modify map yes
{before_box}
lattice fcc 1.2
region box {region}
create_box 2 box
create_atoms 1 box
set group all type/fraction 2 0.2 4321
mass * 1.0
displace_atoms all random 0.12 0.12 0.12 {seed}
pair_style lj/cut 2.5
pair_coeff * * 1.0 1.0
pair_coeff 1 2 1.5 0.8
pair_coeff 2 2 0.5 0.88
neighbor 0.3 bin
velocity all create 1.0 {seed} loop geom
fix integrate all nve/limit 0.05
"""
OUTPUT = """
write_dump all custom scored.dump id type x y z f_g modify sort id format float %.17g
"""


def script(seed: int, *, before_box: str = "", region: str = "block 0 3 0 3 0 3") -> str:
    """The first part of an input script."""
    return LIQUID.format(seed=seed + 1, before_box=before_box, region=region)


def write_model(path: Path, name: str = "ka-t044") -> Path:
    """A model that ships, as a file: its outputs differ from particle to particle."""
    path.write_bytes(find_model(name).read_bytes())
    return path


def deviation(predictor: Predictor, dump: Path) -> float:
    """Largest difference between fix and Python, as a share of the largest output.

    Both start from the positions in the dump.
    """
    *_, frame = open_frames(dump, columns=["f_g"])
    expected = predictor.predict(frame).node[:, 0]
    return float(np.abs(frame.columns["f_g"] - expected).max() / np.abs(expected).max())

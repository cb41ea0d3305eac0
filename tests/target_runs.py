"""The command `lammps-botan targets`, and the file that it writes."""

import subprocess

import numpy as np
from lmp import BIN


def targets(*arguments, cwd=None):
    command = [BIN / "lammps-botan", "targets", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def read(path):
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}

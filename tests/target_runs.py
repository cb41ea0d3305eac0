"""The command `lammps-botan targets`, and the file that it writes."""

import contextlib
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from lammps_botan.cli import main


def targets(*arguments: object, cwd: Path = Path()) -> Result:
    """Run `lammps-botan targets` in this process."""
    with contextlib.chdir(cwd):
        result = CliRunner().invoke(main, ["targets", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def read(path: Path) -> dict[str, np.ndarray]:
    """What an npz file holds."""
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}

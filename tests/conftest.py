"""What several files of tests share: runs that are made once, and only read."""

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let the children of this test answer Ctrl-C.

    A process that was started with SIGINT ignored, as by `nohup make test &` in a script, hands
    that down to its children; a handler of its own it does not.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def glasses(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Data files of two small liquids at T = 1."""
    from simulations import N

    from lammps_botan.simulation import equilibrate

    return equilibrate(
        tmp_path_factory.mktemp("glass"),
        temperature=1.0,
        time=2.0,
        configurations=2,
        n_particles=N,
        melt_time=1.0,
        cooling_time=1.0,
    )


@pytest.fixture(scope="session")
def ensembles(glasses: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two lag times, three runs of each of the two liquids."""
    from lammps_botan.simulation import isoconfig

    folder = tmp_path_factory.mktemp("ensemble")
    return isoconfig(glasses, folder, temperature=1.0, times=[0.05, 0.02], runs=3)


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the lammps module of Debian."""
    from debian_lammps import MODULES, THEIRS

    folder = tmp_path_factory.mktemp("modules")
    for path in (MODULES / "lammps", *THEIRS):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def trajectory(tmp_path: Path) -> tuple[np.ndarray, np.ndarray, Path]:
    """Positions and types of a liquid to score, and its dump."""
    from dumps import write
    from score_runs import dump_text, liquid_frames

    positions, types = liquid_frames()
    return positions, types, write(tmp_path / "run.dump", *dump_text(positions, types))

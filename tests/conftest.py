"""What several files of tests share: runs that are made once, and only read."""

import functools
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

# processes that outnumber the cores must wait asleep: in busy loops they keep each other waiting
os.environ |= {
    "MPIR_CVAR_ENABLE_HEAVY_YIELD": "1",
    "MPIR_CVAR_POLLS_BEFORE_YIELD": "10",
    # by messages: collective operations in shared memory know busy loops only
    "MPIR_CVAR_POSIX_NUM_COLLS_THRESHOLD": "1000000000",
    "OMP_WAIT_POLICY": "passive",
    # as there are as many processes of pytest as cores
    "OMP_NUM_THREADS": "1",
}


class _WithoutTorch:
    """Skips what imports torch or what trains with it, where torch is not installed."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] in {"torch", "lightning", "sklearn", "tensorboard"}:
            pytest.skip("torch is not installed", allow_module_level=True)


if importlib.util.find_spec("torch") is None:
    import vesin  # noqa: F401  it looks for torch, and does without

    sys.meta_path.insert(0, _WithoutTorch())


@pytest.fixture(params=["portable", "avx2", "avx512"])
def instructions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the compiled engine use each set of instructions in turn."""
    from engines import available

    if not available(request.param):
        pytest.skip(f"no {request.param} in this processor")
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", request.param)
    return request.param


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
def scheduler() -> Iterator[str]:
    """The address of a cluster of this machine: to start one for each command takes seconds."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0", memory_limit=0
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="session")
def simulate(scheduler: str) -> SimpleNamespace:
    """The functions of `lammps_botan.simulation`, on that cluster."""
    from lammps_botan.simulation import equilibrate, history, inherent, isoconfig

    functions = {f.__name__: f for f in (equilibrate, history, inherent, isoconfig)}
    return SimpleNamespace(
        **{name: functools.partial(f, scheduler=scheduler) for name, f in functions.items()}
    )


@pytest.fixture(scope="session")
def glasses(simulate: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Data files of two small liquids at T = 1."""
    from simulations import N

    return simulate.equilibrate(
        tmp_path_factory.mktemp("glass"),
        temperature=1.0,
        time=2.0,
        configurations=2,
        n_particles=N,
        melt_time=1.0,
        cooling_time=1.0,
    )


@pytest.fixture(scope="session")
def ensembles(
    simulate: SimpleNamespace, glasses: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Two lag times, three runs of each of the two liquids."""
    folder = tmp_path_factory.mktemp("ensemble")
    return simulate.isoconfig(glasses, folder, temperature=1.0, times=[0.05, 0.02], runs=3)


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


@pytest.fixture(scope="session")
def liquid(simulate: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Kob-Andersen liquid at the temperature of the histories."""
    from simulations import HOT, N

    (path,) = simulate.equilibrate(tmp_path_factory.mktemp("liquid"), n_particles=N, **HOT)
    return path


@pytest.fixture(scope="session")
def runs(simulate: SimpleNamespace, liquid: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs of it."""
    from simulations import SHORT

    folder = tmp_path_factory.mktemp("runs")
    return simulate.isoconfig([liquid], folder, **SHORT)[0]


@pytest.fixture(scope="session")
def histories(
    simulate: SimpleNamespace, runs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two histories of its start and of each of the three ends."""
    from simulations import HISTORIES

    (path,) = simulate.history([runs], tmp_path_factory.mktemp("histories"), **HISTORIES)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the file that takes longest: else one process runs it alone at the end."""
    items.sort(key=lambda item: item.path.name != "test_tutorials.py")

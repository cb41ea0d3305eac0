"""`fix botan` in commands of LAMMPS that run several replicas, each on its own partition."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from fix_toys import save_thermal
from lmp import BIN, liquid

from lammps_botan import Predictor
from lammps_botan.files.trajectory import open_frames

pytestmark = pytest.mark.slow

ROUNDING = 2e-5  # of the largest: one graph, other order of float32 sums
NAMES = ("a", "b")
FIX = """
fix mob all botan 5 m.pt A B
dump d all custom 5 ${name}.dump id type x y z f_mob
dump_modify d sort id format float %.17g
thermo 5
"""


def run_partitions(folder: Path, commands: str, ranks: int, partitions: str) -> str:
    """Output of the first partition and of the universe."""
    save_thermal(folder / "m.pt")
    (folder / "in.test").write_text(commands)
    words = [BIN / "mpirun", "-np", str(ranks), BIN / "lmp", "-partition", partitions]
    finished = subprocess.run(
        [*words, "-in", "in.test", "-log", "log.test"],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    logs = "".join(path.read_text() for path in sorted(folder.glob("log.test*")))
    assert finished.returncode == 0, finished.stdout + finished.stderr + logs
    return logs


def check_frames(dump: Path, model: Path, steps: list[int]) -> None:
    """What the fix gave is what Python gives for the positions of the same frame."""
    predictor = Predictor(model)
    frames = list(open_frames(dump, columns=["f_mob"]))
    assert [frame.step for frame in frames] == steps
    for frame in frames:
        expected = predictor.predict(frame).node[:, 0]
        found = frame.columns["f_mob"]
        np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())
        assert expected.std() > 100 * ROUNDING * np.abs(expected).max()


def start(thermostat: str = "") -> str:
    """A liquid for each replica, with its own temperature and name."""
    return (
        f"variable name world {' '.join(NAMES)}\nvariable t world 1.0 1.1\n"
        f"{liquid(before_box='atom_modify map yes')}{thermostat}{FIX}"
    )


def write_last() -> str:
    """Commands that score once more, into dumps of their own."""
    dump = FIX.replace("fix mob all botan 5 m.pt A B\n", "").replace("${name}", "${name}.last")
    return f"undump d\n{dump}run 0\n"


def check_last(folder: Path) -> None:
    for name in NAMES:
        (last,) = open_frames(folder / f"{name}.last.dump")
        check_frames(folder / f"{name}.last.dump", folder / "m.pt", [last.step])


@pytest.mark.parametrize(("ranks", "partitions"), [(2, "2x1"), (4, "2x2")])
def test_replicas_that_exchange_temperatures_are_scored(tmp_path, ranks, partitions):
    """`temper` runs in pieces, and gives atoms other velocities between them."""
    thermostat = "unfix integrate\nfix integrate all nvt temp $t $t 0.1\nvelocity all scale $t\n"
    commands = start(thermostat) + "temper 30 5 $t integrate 11 22\n"
    run_partitions(tmp_path, commands, ranks, partitions)
    for name in NAMES:
        check_frames(tmp_path / f"{name}.dump", tmp_path / "m.pt", list(range(0, 31, 5)))


def test_replicas_of_parallel_dynamics_are_scored_after_it(tmp_path):
    """`prd` quenches copies and moves atoms between replicas; the next scoring is right."""
    prd = "compute e all event/displace 0.5\nprd 20 5 1 5 5 e 54321\n"
    log = run_partitions(tmp_path, start() + prd + write_last(), 2, "2x1")
    assert "a minimization is not scored" in log
    check_last(tmp_path)


def test_a_path_between_two_states_is_scored_after_it(tmp_path):
    """`neb` minimizes, and so is not scored, as the log says."""
    (tmp_path / "final.coords").write_text("1\n1 0.05 0.05 0.1\n")
    neb = "fix n all neb 1.0\nmin_style quickmin\nneb 0.0 0.1 10 10 5 final final.coords\n"
    log = run_partitions(tmp_path, start() + neb + write_last(), 2, "2x1")
    assert "a minimization is not scored" in log
    check_last(tmp_path)

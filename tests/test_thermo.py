"""Thermo output of real LAMMPS logs, and drifts in it."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from lmp import BIN

from lammps_botan.simulation.thermo import drift, read_thermo

INPUTS = Path(__file__).resolve().parents[1] / "inputs"


def test_columns_of_a_log_in_segments_count_every_step_once(tmp_path):
    command = [BIN / "lmp", "-in", INPUTS / "in.melt", "-log", "none"]
    command += ["-var", "n", "100", "-var", "time", "5", "-var", "checkpoint", "1500"]
    command += ["-var", "mixture", INPUTS / "in.kob-andersen"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    thermo = read_thermo(tmp_path / "melt.data.log")
    steps = thermo["Step"]
    assert np.all(np.diff(steps) > 0)
    assert {0, 1000, 1500, 2000, 3000, 4000, 4500, 5000} <= set(steps.tolist())
    assert len(thermo["PotEng"]) == len(steps)


def test_a_log_without_output_is_refused(tmp_path):
    (tmp_path / "empty.log").write_text("LAMMPS\n")
    with pytest.raises(ValueError, match=r"empty\.log: no thermo output"):
        read_thermo(tmp_path / "empty.log")


def test_a_stationary_series_has_no_drift_beyond_its_errors_and_a_ramp_has():
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 0.1, 900)
    found = drift(noise)
    error = np.hypot(found.middle_error, found.last_error)
    assert abs(found.last - found.middle) < 3 * error
    assert error == pytest.approx(0.1 * np.sqrt(2 / 300), rel=0.6)
    found = drift(noise + np.linspace(0, 1, 900))
    assert found.last - found.middle == pytest.approx(1 / 3, abs=0.05)


def test_errors_of_correlated_rows_are_larger_than_those_of_independent_ones():
    """An autoregressive series with correlation time 10: the naive error is 4 times too small."""
    rng = np.random.default_rng(8)
    values = np.zeros(9000)
    for k in range(1, 9000):
        values[k] = 0.9 * values[k - 1] + rng.normal()
    naive = values[6000:].std() / np.sqrt(3000)
    true = 10 / np.sqrt(3000)  # of the mean: standard deviation of the noise / (1 - 0.9)
    assert drift(values).last_error == pytest.approx(true, rel=0.6)
    assert drift(values).last_error > 2 * naive


def test_a_short_series_has_no_error():
    found = drift(np.arange(6.0))
    assert (found.middle, found.last) == (2.5, 4.5)
    assert np.isnan(found.last_error)

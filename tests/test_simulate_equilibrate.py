"""Glasses from real LAMMPS runs."""

import json
from pathlib import Path

import numpy as np
import pytest
from simulations import N

from lammps_botan.files.ensemble import read_start
from lammps_botan.simulation import equilibrate
from lammps_botan.structure.mixture import KOB_ANDERSEN

pytestmark = pytest.mark.slow
INPUTS = Path(__file__).resolve().parents[1] / "inputs"


def test_equilibrated_glasses_are_the_mixture_and_differ(glasses):
    first, second = (path.read_text() for path in glasses)
    assert [path.name for path in glasses] == ["ka-0001.data", "ka-0002.data"]
    assert f"{N} atoms" in first
    rows = np.array([row.split()[:5] for row in first.splitlines() if len(row.split()) == 8], float)
    assert np.bincount(rows[:, 1].astype(int)).tolist() == [0, 160, 40]
    length = float(first.split(" xlo xhi")[0].split()[-1])
    assert N / length**3 == pytest.approx(1.2)
    assert first.split("Atoms")[1] != second.split("Atoms")[1]


def test_an_equilibration_says_what_was_asked_for_and_keeps_its_log(glasses):
    about = json.loads((glasses[0].parent / "equilibrate.json").read_text())
    assert about["temperature"] == 1.0
    assert len({c["seed"] for c in about["configurations"].values()}) == 2
    assert "lammps" in about["configurations"]["ka-0002"]["versions"]
    assert "Step" in glasses[0].with_suffix(".log").read_text()
    kept = {path.name for path in glasses[0].parent.iterdir() if not path.name.startswith(".")}
    assert kept == {f"ka-000{k}.{s}" for k in (1, 2) for s in ("data", "log")} | {
        "equilibrate.json"
    }


def test_the_same_seed_makes_the_same_glass(simulate, glasses, tmp_path):
    arguments = {"n_particles": N, "melt_time": 1.0, "cooling_time": 1.0, "time": 2.0}
    (again,) = simulate.equilibrate(tmp_path / "a", temperature=1.0, **arguments)
    (other,) = simulate.equilibrate(tmp_path / "b", temperature=1.0, seed=2, **arguments)
    assert again.read_text() == glasses[0].read_text()
    assert other.read_text().split("Atoms")[1] != again.read_text().split("Atoms")[1]


def test_configurations_of_one_liquid_follow_each_other(simulate, tmp_path):
    """The liquid goes on from each of them, also where more are asked for later."""
    arguments = {"temperature": 1.0, "n_particles": N, "melt_time": 1.0, "cooling_time": 1.0}
    arguments |= {"time": 2.0, "spacing": 0.1, "timestep": 0.002}
    at_once = simulate.equilibrate(tmp_path / "three", configurations=3, **arguments)
    # LAMMPS splits lines at blanks
    simulate.equilibrate(tmp_path / "two glasses", configurations=2, **arguments)
    later = simulate.equilibrate(tmp_path / "two glasses", configurations=3, **arguments)
    assert [path.read_bytes() for path in later] == [path.read_bytes() for path in at_once]
    first, second, third = (in_order(path) for path in at_once)
    near, far = (
        np.abs(first.box.minimum_image(x.positions - first.positions)) for x in (second, third)
    )
    # thermal velocities: |v| t is .17 on average and direction
    assert 0.03 < near.mean() < 0.15
    assert near.mean() < far.mean() < 0.3
    log = at_once[1].with_suffix(".log").read_text()
    assert "Loop time" in log
    assert "for 50 steps" in log


def in_order(path):
    start = read_start(path, mixture=KOB_ANDERSEN)
    return start.select(np.argsort(start.ids))


def test_fewer_configurations_later_forget_nothing(simulate, glasses):
    folder = glasses[0].parent
    before = json.loads((folder / "equilibrate.json").read_text())
    arguments = {"n_particles": N, "melt_time": 1.0, "cooling_time": 1.0, "time": 2.0}
    simulate.equilibrate(folder, temperature=1.0, **arguments)
    assert json.loads((folder / "equilibrate.json").read_text()) == before


def test_a_damaged_note_is_named(tmp_path):
    (tmp_path / "equilibrate.json").write_text("{")
    with pytest.raises(ValueError, match=r"equilibrate\.json: damaged"):
        equilibrate(tmp_path, temperature=0.64)


def test_equilibration_time_must_be_known_or_given(tmp_path):
    with pytest.raises(ValueError, match=r"how long is 40 tau_alpha of kob-andersen at T = 0\.6 "):
        equilibrate(tmp_path / "out", temperature=0.6)
    with pytest.raises(ValueError, match="expected 10 particles or more, found 3"):
        equilibrate(tmp_path / "out", temperature=0.64, n_particles=3)
    assert not (tmp_path / "out").exists()

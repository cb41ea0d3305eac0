"""The plain LAMMPS scripts of inputs/, one after the other, on a small liquid."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from lmp import BIN, Finished, read_dump

INPUTS = Path(__file__).resolve().parents[1] / "inputs"


def lmp(script, folder, **variables):
    command = [BIN / "lmp", "-in", INPUTS / script, "-log", "none"]
    for name, value in variables.items():
        command += ["-var", name, str(value)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def box_and_types(path):
    text = path.read_text()
    length = float(re.search(r"^0 (\S+) xlo xhi", text, re.MULTILINE)[1])
    rows = text.split("Atoms # atomic\n\n")[1].split("\n\n")[0].splitlines()
    return length, np.array([int(row.split()[1]) for row in rows])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A melt of 500 particles, quenched and equilibrated for a short while."""
    folder = tmp_path_factory.mktemp("liquid")
    lmp("in.melt", folder, n=500, time=1.0)
    lmp("in.quench", folder, temperature=1.0, time=1.0)
    lmp("in.equilibrate", folder, temperature=1.0, time=2.0)
    return folder


@pytest.mark.parametrize("name", ["melt.data", "quenched.data", "equilibrated.data"])
def test_the_mixture_is_80_to_20_at_density_1_2(folder, name):
    length, types = box_and_types(folder / name)
    assert len(types) / length**3 == pytest.approx(1.2)
    assert np.bincount(types).tolist() == [0, 400, 100]


def test_the_thermostat_holds_the_temperature(folder):
    printed = lmp("in.equilibrate", folder, temperature=1.0, time=10.0, out="longer.data")
    last = [line.split() for line in printed.splitlines() if line.split()[:1] == ["10000"]]
    assert float(last[0][1]) == pytest.approx(1.0, abs=0.15)


def test_an_equilibration_goes_on_from_its_restart_file(folder, tmp_path):
    data = folder / "quenched.data"
    lmp("in.equilibrate", tmp_path, data=data, temperature=1.0, time=21.0)
    restart = tmp_path / "equilibrate.1.restart"
    printed = lmp(
        "in.equilibrate", tmp_path, resume="yes", restart=restart, temperature=1.0, time=22.0
    )
    assert "Loop time of" in printed
    assert "for 2000 steps" in printed


def test_the_shipped_glass_has_the_energy_of_its_temperature(tmp_path):
    """Its energy is that of the equilibration, which no crystal and no gas would have."""
    data = INPUTS / "ka-t064.data"
    printed = lmp("in.equilibrate", tmp_path, data=data, time=0, out="same.data")
    (row,) = Finished(0, printed).thermo()
    assert row["PotEng"] == pytest.approx(-5.81, abs=0.04)
    assert "T = 0.64" in data.read_text().splitlines()[0]


def test_the_shipped_glass_is_the_mixture_of_the_paper():
    length, types = box_and_types(INPUTS / "ka-t064.data")
    assert np.bincount(types).tolist() == [0, 3277, 819]
    assert length == pytest.approx(15.05658, abs=1e-5)


def test_a_liquid_is_scored_while_it_runs(folder):
    variables = {"data": "equilibrated.data", "temperature": 1.0, "time": 0.1, "frames": 3}
    printed = lmp("in.score", folder, **variables)
    frames = read_dump(folder / "score.dump")
    assert [frame.step for frame in frames] == [0, 33, 66, 99]
    thermo = Finished(0, printed).thermo()
    for frame, row in zip(frames, thermo, strict=True):
        assert row["Step"] == frame.step
        assert row["f_mob"] == pytest.approx(frame["f_mob"].mean(), rel=1e-4)
        of_a = frame["f_mob"][frame["type"] == 1]
        assert row["f_mob[1]"] == pytest.approx(of_a.mean(), rel=1e-4)
    bonds = read_dump(folder / "score.bonds")
    assert [frame.step for frame in bonds] == [0, 99]
    assert np.all(bonds[0]["f_mob[3]"] < 1.35)

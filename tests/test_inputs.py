"""The plain LAMMPS scripts of inputs/, one after the other, on a small liquid."""

import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from lmp import BIN, Finished, read_dump
from public_data import CONFIGURATION_401, CONFIGURATION_402, needs_public_data

from lammps_botan.files.ensemble import read_start
from lammps_botan.simulation.liquid import open_liquid
from lammps_botan.simulation.starts import write_start

pytestmark = pytest.mark.slow

INPUTS = Path(__file__).resolve().parents[1] / "inputs"
MIXTURE = INPUTS / "in.kob-andersen"


def lmp(script, folder, **variables):
    command = [BIN / "lmp", "-in", INPUTS / script, "-log", "none", "-var", "mixture", MIXTURE]
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


def test_the_included_file_is_that_of_the_shipped_mixture():
    """Its numbers stand in one place, the TOML file of the mixture."""
    assert MIXTURE.read_text() == open_liquid("kob-andersen").input_text()


def test_from_the_folder_of_the_scripts_no_mixture_is_named(tmp_path):
    command = [BIN / "lmp", "-in", "in.melt", "-log", "none", "-var", "n", "100", "-var", "time"]
    command += ["0.1", "-var", "out", tmp_path / "melt.data"]
    subprocess.run(command, cwd=INPUTS, check=True, capture_output=True)
    assert np.bincount(box_and_types(tmp_path / "melt.data")[1]).tolist() == [0, 80, 20]


@pytest.mark.parametrize("name", ["melt.data", "quenched.data", "equilibrated.data"])
def test_the_mixture_is_80_to_20_at_density_1_2(folder, name):
    length, types = box_and_types(folder / name)
    assert len(types) / length**3 == pytest.approx(1.2)
    assert np.bincount(types).tolist() == [0, 400, 100]


def test_the_thermostat_holds_the_temperature(folder):
    printed = lmp("in.equilibrate", folder, temperature=1.0, time=10.0, out="longer.data")
    last = [line.split() for line in printed.splitlines() if line.split()[:1] == ["10000"]]
    assert float(last[0][1]) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("script", ["in.melt", "in.quench", "in.equilibrate"])
def test_an_interrupted_script_goes_on_from_its_restart_file(folder, tmp_path, script):
    """Killed after its first restart file and run again, it ends where it would have ended."""
    variables = {"temperature": 1.0, "time": 3.0, "checkpoint": 1000, "out": "end.data"}
    data = {
        "in.melt": {"n": 500},
        "in.quench": {"data": folder / "melt.data"},
        "in.equilibrate": {"data": folder / "quenched.data"},
    }[script]
    (tmp_path / "whole").mkdir()
    lmp(script, tmp_path / "whole", **data, **variables)

    command = [BIN / "lmp", "-in", INPUTS / script, "-log", "none", "-screen", "none"]
    command += ["-var", "mixture", MIXTURE]
    for name, value in {**data, **variables}.items():
        command += ["-var", name, str(value)]
    process = subprocess.Popen(command, cwd=tmp_path)
    while not (tmp_path / "end.data.restart").exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (tmp_path / "end.data").exists()
    printed = lmp(script, tmp_path, **data, **variables)
    assert "Reading restart file" in printed
    assert (tmp_path / "end.data").read_text() == (tmp_path / "whole" / "end.data").read_text()
    assert not list(tmp_path.glob("*.restart"))


@pytest.mark.long
@needs_public_data
def test_the_public_configurations_have_the_energies_of_the_paper_s_liquid(tmp_path):
    """T = 0.44: -6.2118 +- .0126 per particle, 3.925 +- .080; inherent -6.8506 and -.583.

    The values are means over 15 public configurations, +- their spread (METHODS 1).
    """
    found = []
    for path in (CONFIGURATION_401, CONFIGURATION_402):
        data = tmp_path / "initial.data"
        write_start(data, read_start(path), path.name)
        printed = lmp("in.inherent", tmp_path, data=data, temperature=0.44)
        pattern = r"^(?:thermal|inherent): energy per particle (\S+) pressure (\S+)"
        found.append(np.array(re.findall(pattern, printed, re.MULTILINE), dtype=float).ravel())
    spread = np.array([0.0126, 0.080, 0.0059, 0.047])
    expected = np.array([-6.2118, 3.925, -6.8506, -0.583])
    assert np.all(np.abs(found - expected) < 3 * spread)


def test_the_shipped_glass_has_the_energy_of_its_temperature(tmp_path):
    """Its energy is that of the equilibration, which no crystal and no gas would have."""
    data = INPUTS / "ka-t064.data"
    printed = lmp("in.equilibrate", tmp_path, data=data, temperature=0.64, time=0, out="same.data")
    (row,) = Finished(0, printed).thermo()
    assert row["PotEng"] == pytest.approx(-5.81, abs=0.04)
    assert "T = 0.64" in data.read_text().splitlines()[0]


def test_the_shipped_glass_is_the_mixture_of_the_paper():
    length, types = box_and_types(INPUTS / "ka-t064.data")
    assert np.bincount(types).tolist() == [0, 3277, 819]
    assert length == pytest.approx(15.05658, abs=1e-5)


def test_a_liquid_is_scored_while_it_runs(folder):
    variables = {"data": "equilibrated.data", "temperature": 1.0, "time": 0.1, "frames": 3}
    printed = lmp("in.score", folder, model="ka-t064", past=0, **variables)
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


def test_a_liquid_runs_until_its_history_is_full(folder):
    """Then the model predicts, from the first frame of the dump on."""
    variables = {"data": "equilibrated.data", "temperature": 1.0, "time": 0.1, "frames": 2}
    printed = lmp("in.score", folder, **variables)
    frames = read_dump(folder / "score.dump")
    assert [frame.step for frame in frames] == [3300, 3350, 3400]
    assert read_dump(folder / "score.bonds")[0].step == 3300
    assert "the history is full" in printed
    rows = {row["Step"]: row for row in Finished(0, printed).thermo()}
    for frame in frames:
        assert rows[frame.step]["f_mob"] == pytest.approx(frame["f_mob"].mean(), rel=1e-4)

"""What `lammps-botan simulate` refuses, and what it says then."""

from pathlib import Path

import distributed
import pytest

from lammps_botan.simulation import isoconfig
from lammps_botan.simulation.jobs import script_path
from lammps_botan.structure.mixture import KOB_ANDERSEN

pytestmark = pytest.mark.slow
INPUTS = Path(__file__).resolve().parents[1] / "inputs"


def test_another_configuration_of_the_same_name_is_refused(glasses, ensembles, tmp_path):
    (tmp_path / "ka-0001.data").write_bytes(glasses[1].read_bytes())
    with pytest.raises(ValueError, match="was begun with ka-0001: sha256 = "):
        isoconfig(
            [tmp_path / "ka-0001.data"],
            ensembles[0].parents[1],
            temperature=1.0,
            times=[0.02, 0.05],
            runs=3,
        )


def test_the_scripts_are_those_of_inputs():
    names = ("in.melt", "in.quench", "in.equilibrate", "in.isoconfig", "in.inherent", "in.history")
    for name in names:
        assert script_path(name).read_text() == (INPUTS / name).read_text()
    with pytest.raises(FileNotFoundError, match=r"in\.other: no such script"):
        script_path("in.other")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": -1.0}, "the temperature must be positive, found -1"),
        ({"runs": 0}, "the number of runs must be positive, found 0"),
        ({"times": []}, "at least one lag time"),
        ({"times": [0.0]}, "a lag time must be positive"),
        ({"times": [0.0015]}, r"multiple of the time step 0\.001, found 0\.0015"),
        ({"times": [float("nan")]}, "a lag time must be positive, found nan"),
        ({"seed": -1}, "the seed must not be negative"),
        ({"timestep": -0.001}, r"the time step must be positive, found -0\.001"),
        ({"timestep": 0.003}, r"multiple of the time step 0\.003, found 0\.01"),
    ],
)
def test_arguments_out_of_range_are_refused_before_anything_is_written(
    glasses, tmp_path, change, message
):
    arguments = {"temperature": 1.0, "times": [0.01], "runs": 1, **change}
    with pytest.raises(ValueError, match=message):
        isoconfig(glasses, tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_two_configurations_of_one_name_are_refused(glasses, tmp_path):
    (tmp_path / "ka-0001.data").write_bytes(glasses[0].read_bytes())
    with pytest.raises(ValueError, match="another configuration is also called ka-0001"):
        isoconfig([glasses[0], tmp_path / "ka-0001.data"], tmp_path, temperature=1.0, times=[0.01])
    with pytest.raises(FileNotFoundError, match="no such file"):
        isoconfig([tmp_path / "none.data"], tmp_path, temperature=1.0, times=[0.01])


def test_a_folder_begun_with_other_arguments_is_refused(ensembles, glasses):
    folder = ensembles[0].parents[1]
    with pytest.raises(ValueError, match=r"was begun with temperature = 1\.0, now temperature = 2"):
        isoconfig(glasses, folder, temperature=2.0, times=[0.02, 0.05], runs=3)


def test_what_lammps_says_against_a_mixture_is_passed_on(simulate, glasses, tmp_path):
    commands = "pair_style lj/cut 2.5\npair_coeff 1 1 1.0 1.0"
    own = KOB_ANDERSEN.interactions.model_copy(update={"commands": commands})
    wrong = KOB_ANDERSEN.model_copy(update={"interactions": own})
    with pytest.raises(ChildProcessError, match="LAMMPS stopped: ERROR: All pair coeffs are not"):
        simulate.isoconfig(
            glasses[:1], tmp_path / "out", temperature=1.0, times=[0.01], mixture=wrong
        )
    assert not list((tmp_path / "out").glob("t*"))


def test_a_scheduler_that_is_not_there_is_named(glasses, tmp_path, monkeypatch):
    # a tenth of the time that a user waits
    client = distributed.Client
    monkeypatch.setattr(distributed, "Client", lambda *a, timeout: client(*a, timeout=timeout / 10))
    address = "tcp://127.0.0.1:1"
    with pytest.raises(ConnectionError, match=f"no Dask scheduler answers at {address}"):
        isoconfig(glasses, tmp_path, temperature=1.0, times=[0.01], scheduler=address)


def test_workers_are_of_this_machine_or_of_a_scheduler(glasses, tmp_path):
    arguments = {"temperature": 1.0, "times": [0.01], "runs": 1}
    with pytest.raises(ValueError, match="leave out one of --workers and --scheduler"):
        isoconfig(glasses, tmp_path / "a", scheduler="tcp://127.0.0.1:1", workers=1, **arguments)
    with pytest.raises(ValueError, match="expected 1 worker or more, found 0"):
        isoconfig(glasses, tmp_path / "b", workers=0, **arguments)

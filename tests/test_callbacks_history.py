"""`attach` of a model that sees a history, kept while LAMMPS runs, on one and two MPI ranks."""

import numpy as np
import pytest
from lmp import liquid, liquid_in_the_plane, read_dump
from python_runs import RANKS, results, run_python
from toy_inputs import HISTORY, save_given_back, save_history

from lammps_botan.files.trajectory import open_frames
from lammps_botan.prediction.trajectory import score

pytest.importorskip("torch")  # toy_inputs.py gives single numbers back with it only
pytestmark = [pytest.mark.slow, pytest.mark.long]

K = 10  # steps from one sample to the next, at the time step .005
PART, FULL = 4, 12  # samples
ROUNDING = 2e-5  # float32
COLUMNS = [
    "d_propensity",
    *(f"d_propensity_{k}" for k in range(2, 11)),
]  # history, that of neighbors
# every sample, by a compute of its own, which the attachment does not know
DUMP = f"""
compute own all pe/atom
dump truth all custom {K} truth.dump id type xsu ysu zsu c_own {" ".join(COLUMNS)}
dump_modify truth format float %.17g sort id
"""


def history(frames):
    """Displacement, variance, energy [n, 5] at the last of these frames, which are all samples.

    By averages in the scaled coordinates of LAMMPS, in the last box.
    """
    frames = frames[len(frames) // PART * PART - FULL :]
    scaled = [np.stack([f[axis] for axis in ("xsu", "ysu", "zsu")], axis=1) for f in frames]
    positions = np.stack(scaled) @ frames[-1].cell
    mean = positions.mean(axis=0)
    variance = ((positions - mean) ** 2).sum(axis=2).mean(axis=0)
    energy = np.mean([f["c_own"] for f in frames], axis=0)
    return np.column_stack([mean - positions[-1], variance, energy])


def outputs(frame):
    return np.column_stack([frame[name] for name in COLUMNS[:5]])


LIQUIDS = {
    "nve": liquid(),
    "a box that npt changes, triclinic": liquid(
        region="prism 0 3 0 3 0 3 0.6 -0.5 0.3",
        after_box="neigh_modify delay 0",
    ).replace(
        "fix integrate all nve/limit 0.05", "fix integrate all npt temp 1 1 1 tri 60 30 2 flip no"
    ),
    "two dimensions": liquid_in_the_plane(8),
}
RUN = """
lmp = start(Path("in.liquid").read_text())
lmp.command("timestep 0.005")
rank = lmp.extract_setting("world_rank")
seen = []

def on_frame(mob):
    n = lmp.extract_global("nlocal")
    forces = lmp.fix_external_get_force("botan_propensity")
    assert not any(forces[i][k] for i in range(n) for k in range(3))
    seen.append([mob.step, float(mob.propensities.sum())])

with attach(lmp, model="m.pt", every=20, species=("A", "B"), on_frame=on_frame) as mob:
    lmp.commands_string(Path("in.dump").read_text())
    out = {"share before": mob.history_share}
    lmp.command("run 70")
    out["share"] = mob.history_share
    out["early"] = fails(lambda: mob.propensities)
    lmp.command("run 0")
    lmp.command("run 95")
    out["share after"] = mob.history_share
    lmp.command("undump truth")
out["left"] = [
    name
    for kind in ("fix", "compute", "variable")
    for name in lmp.available_ids(kind)
    if name.startswith("botan")
]
out["seen"] = seen
Path(f"{rank}.json").write_text(json.dumps(out))
"""


@RANKS
@pytest.mark.parametrize("name", LIQUIDS)
def test_histories_are_averages_over_the_samples_of_a_run(tmp_path, name, ranks):
    """Until the window is full the column is 0, and nothing is scored."""
    (tmp_path / "in.liquid").write_text(LIQUIDS[name])
    (tmp_path / "in.dump").write_text(DUMP)
    flat = {"mixture": {"dimension": 2}} if name == "two dimensions" else {}
    save_history(tmp_path / "m.pt", **flat)
    run_python(RUN, tmp_path, ranks=ranks)
    frames = read_dump(tmp_path / "truth.dump")
    assert [frame.step for frame in frames] == [*range(0, 170, 10)]
    if "npt" in name:
        assert np.abs(frames[-1].cell - frames[0].cell)[1:, :2].min() > 0.01
    for k, frame in enumerate(frames):
        if frame.step in {120, 140, 160}:
            numbers = history(frames[: k + 1])
            assert numbers[:, 3].min() > 0
            np.testing.assert_allclose(outputs(frame), numbers, atol=ROUNDING)
            assert frame["d_propensity"].all()
        else:
            assert not frame["d_propensity"].any()
            assert not outputs(frame).any()
    for out in results(tmp_path, ranks):
        assert out["share before"] == 0
        assert out["share"] == 7 / 12  # at step 60, of the samples 0, 10 ... 60
        assert "the model sees history (t_w = 0.6" in out["early"]
        assert "of which 0.583 is there; run on until history_share is 1" in out["early"]
        assert out["share after"] == 1
        assert out["left"] == []
        assert [step for step, _ in out["seen"]] == [120, 140, 160]


SAME = """
attached, alone = (start(Path("in.liquid").read_text()) for _ in range(2))
with attach(attached, model="m.pt", every=7, species="A B") as mob:
    for lmp in (attached, alone):
        lmp.command("timestep 0.005")
        lmp.command("run 200")
    for one, other in zip(state(attached), state(alone), strict=True):
        np.testing.assert_array_equal(one, other)
    assert mob.history_share == 1
print("the same")
"""
SMOOTH = """
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
fix heat all langevin 1 1 0.1 77
"""


@RANKS
@pytest.mark.parametrize("more", ["", SMOOTH], ids=["lj/cut", "lj/smooth/linear, langevin"])
def test_a_trajectory_is_the_same_to_the_last_bit(tmp_path, more, ranks):
    """Although LAMMPS computes energies of atoms at the samples."""
    (tmp_path / "in.liquid").write_text(liquid() + more)
    save_history(tmp_path / "m.pt")
    assert run_python(SAME, tmp_path, ranks=ranks).count("the same") == ranks


EVENTS = """
import warnings

lmp = start(Path("in.liquid").read_text())
rank = lmp.extract_setting("world_rank")
out, said = {}, []
warnings.showwarning = lambda message, *more: said.append(str(message))
warnings.simplefilter("always")
mob = attach(lmp, model="m.pt", every=5, species="A B")

def shares(name, *commands):
    said.clear()
    for command in commands:
        lmp.command(command)
    out[name] = [round(12 * mob.history_share, 9), list(said)]

shares("run", "timestep 0.005", "run 50")
shares("velocities", "velocity all create 1.0 7", "run 20")
shares("step 30 again", "reset_timestep 30", "run 0")
shares("step 1007, off the samples", "run 5", "reset_timestep 1007", "run 13")
shares("half a time step", "timestep 0.0025", "run 40")
shares("four times that", "run 5", "timestep 0.01", "run 15")
shares("displaced", "displace_atoms all random 0.1 0.1 0.1 8", "run 0")
shares("on after that", "run 20")
shares("box", "change_box all x scale 1.01 boundary p p p", "run 0")
shares("a few samples more", "timestep 0.005", "run 40")
shares("minimized", "minimize 0 0 5 5", "reset_timestep 2001", "run 4")
shares("on", "run 20")
shares("image flags", "set group all image 1 0 0", "run 5")
shares("steps again and again", *["reset_timestep 0", "run 13"] * 3)
Path(f"{rank}.json").write_text(json.dumps(out))
"""


@RANKS
def test_what_a_history_survives_and_what_not(tmp_path, ranks):
    """A time that is renamed, another time step; not what moves atoms without a run."""
    (tmp_path / "in.liquid").write_text(liquid())
    save_history(tmp_path / "m.pt", window=2.0, parts=10)
    code = EVENTS.replace("12 *", "40 *")
    run_python(code, tmp_path, ranks=ranks, PYTHONWARNINGS="")
    first, *others = results(tmp_path, ranks)
    samples = {name: n for name, (n, _) in first.items()}
    assert samples == {
        "run": 6,  # 0, 10, ... 50
        "velocities": 8,
        "step 30 again": 8,  # which is step 70, and has a sample
        "step 1007, off the samples": 10,  # 1010 and 1020
        "half a time step": 12,  # 1040 and 1060
        "four times that": 4,  # 1065, 1070, 1075, 1080: the second gap of another length
        "displaced": 1,
        "on after that": 5,  # every 5 steps
        "box": 1,
        "a few samples more": 5,
        "minimized": 0,
        "on": 2,
        "image flags": 3,
        "steps again and again": 2,  # the second gap of another length, which was told of before
    }
    for name, (_, said) in first.items():
        expected = {
            "box": ["something other than a run has moved the atoms or the box"],
            "displaced": ["something other than a run has moved the atoms or the box"],
            "minimized": ["a minimization moves the atoms"],
            "four times that": ["samples were 0.0125 apart in place of 0.05, more than once"],
        }.get(name, [])
        assert len(said) == len(expected), name
        for text, words in zip(said, expected, strict=True):
            assert words in text
            assert text.endswith("the history that the model sees begins anew")
    for other in others:
        assert {name: n for name, (n, _) in other.items()} == samples
        assert not any(said for _, said in other.values())


ATOMS = """
lmp = start(Path("in.liquid").read_text())
rank = lmp.extract_setting("world_rank")
shares = []
mob = attach(lmp, model="m.pt", every=10, species="A B")
lmp.commands_string(Path("in.dump").read_text())
lmp.command("timestep 0.005")
lmp.command("run 130")
shares.append(mob.history_share)
lmp.command("delete_atoms random fraction 0.1 yes all NULL 77 compress no")
lmp.command("run 20")
shares.append(mob.history_share)
lmp.command("create_atoms 1 single 0.1 0.1 0.1 units box")
lmp.command("run 50")
shares.append(mob.history_share)
lmp.command("run 70")
shares.append(mob.history_share)
Path(f"{rank}.json").write_text(json.dumps(shares))
"""


@RANKS
def test_atoms_are_deleted_and_created(tmp_path, ranks):
    """The window of a new one is its own, from the next sample on; the others keep theirs."""
    (tmp_path / "in.liquid").write_text(liquid(density=0.8))
    (tmp_path / "in.dump").write_text(DUMP)
    save_history(tmp_path / "m.pt")
    run_python(ATOMS, tmp_path, ranks=ranks)
    for shares in results(tmp_path, ranks):
        assert shares == [1, 1, 5 / 12, 1]
    frames = read_dump(tmp_path / "truth.dump")
    deleted = next(frame for frame in frames if frame.step == 150)
    assert len(deleted["id"]) < len(frames[0]["id"])
    assert deleted["d_propensity"].all()
    assert not any(f["d_propensity"].any() for f in frames if 150 < f.step < 260)
    last = frames[-1]
    there = last["id"][:-1]
    same = []
    for frame in frames:
        rows = np.isin(frame["id"], there)
        frame.columns = {name: values[rows] for name, values in frame.columns.items()}
        same.append(frame)
    np.testing.assert_allclose(outputs(last), history(same), atol=ROUNDING)


RERUN = """
lmp = start(Path("in.liquid").read_text())
lmp.command("timestep 0.005")
lmp.command("dump run all custom 5 run.dump id type x y z")
lmp.command("dump_modify run format float %.17g")
with attach(lmp, model="m.pt", every=20, species="A B", column="run") as mob:
    lmp.command("run 200")
    first = mob.propensities
lmp.command("undump run")
with attach(lmp, model="m.pt", every=20, species="A B", column="again") as mob:
    lmp.command("rerun run.dump dump x y z")
    np.testing.assert_allclose(mob.propensities, first, atol=2e-5)
    lmp.command("rerun run.dump first 0 last 60 dump x y z")  # the time goes back
    print(round(12 * mob.history_share))
    lmp.command("rerun run.dump every 20 dump x y z")  # every second sample is missing
    print(round(12 * mob.history_share))
"""


def test_a_rerun_has_the_histories_of_the_run(tmp_path):
    (tmp_path / "in.liquid").write_text(liquid())
    save_history(tmp_path / "m.pt")
    output = run_python(RERUN, tmp_path, PYTHONWARNINGS="ignore")
    assert output.split() == ["7", "1"]


FIX = """
lmp = start(Path("in.liquid").read_text())
lmp.command("timestep 0.005")
with attach(lmp, model="m.pt", every=20, species=("A", "NULL")) as mob:
    lmp.commands_string('''
    fix mob all botan 20 m.pt A NULL
    dump d all custom 20 both.dump id d_propensity* f_mob[*]
    dump_modify d format float %.9g sort id
    compute pe all pe/atom
    dump samples all custom 10 samples.dump id type x y z c_pe
    dump_modify samples format float %.17g time yes
    run 130
    undump samples
    undump d
    reset_timestep 1007
    create_atoms 1 single 0.1 0.1 0.1 units box
    dump d all custom 20 both.dump id d_propensity* f_mob[*]
    dump_modify d format float %.9g sort id append yes
    run 200
    undump d
    ''')
"""


@RANKS
def test_the_fix_attach_and_score_agree(tmp_path, ranks):
    """Also after the step was numbered anew and an atom was created."""
    (tmp_path / "in.liquid").write_text(liquid(density=0.9))
    save_history(tmp_path / "m.pt")
    columns = " ".join([*COLUMNS, *(f"f_mob[{k}]" for k in range(1, 11))])
    run_python(FIX.replace("d_propensity* f_mob[*]", columns), tmp_path, ranks=ranks)
    frames = read_dump(tmp_path / "both.dump")
    scored = [frame.step for frame in frames if frame["d_propensity"].any()]
    assert scored == [120, 1140, 1160, 1180, 1200]
    for frame in frames:
        for k, name in enumerate(COLUMNS, start=1):
            np.testing.assert_allclose(frame[name], frame[f"f_mob[{k}]"], atol=ROUNDING)
    samples = open_frames(tmp_path / "samples.dump", columns=["c_pe"])
    _, second, _ = score(samples, tmp_path / "m.pt", species=["A", "NULL"])
    (frame,) = (frame for frame in frames if frame.step == second.configuration.step)
    numbers = np.column_stack([frame[name] for name in COLUMNS])
    np.testing.assert_allclose(second.propensity, numbers, atol=ROUNDING)


UNLIKE = """
import warnings

lmp = start(Path("in.liquid").read_text())
lmp.command("timestep 0.005")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    with attach(lmp, model="m.pt", every=20, species=("A", "B")) as mob:
        lmp.command("run 200")
        assert mob.step == 200
if lmp.extract_setting("world_rank") == 0:
    Path("0.json").write_text(json.dumps([str(one.message) for one in caught]))
"""


@RANKS
def test_energies_unlike_those_of_the_training_are_told_once(tmp_path, ranks):
    (tmp_path / "in.liquid").write_text(liquid())
    of_species = [0.1, 0.02, 1000.0, 0.8]  # energies that this liquid has not
    saw = {"mean": [of_species] * 2, "deviation": [[10.0, 10.0, 1.0, 10.0]] * 2}
    save_given_back(tmp_path / "m.pt", {"history": HISTORY}, seen=saw)
    run_python(UNLIKE, tmp_path, ranks=ranks)
    (warning,) = results(tmp_path, 1)[0]
    assert "mean energy of A is " in warning
    assert "1000 +- 1 in training; mean energy of B is " in warning

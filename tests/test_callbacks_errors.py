"""What `attach` refuses, and how errors and interruptions end a run on all ranks."""

import pytest
from lmp import liquid
from python_runs import RANKS, results, run_python
from toy_models import Walks, save_model

pytestmark = pytest.mark.slow

ERRORS = """
out = {}
box = Path("in.liquid").read_text()
lmp = start(box)
rank = lmp.extract_setting("world_rank")
good = {"model": "m.pt", "every": 10, "species": ("A", "B")}

def check(name, target=lmp, **changes):
    out[name] = fails(lambda: attach(target, **{**good, **changes}))

check("no model", model="missing.pt")
check("no model file", model="in.liquid")
check("species", species=("A", "C"))
check("all NULL", species="NULL NULL")
check("too few species", species=("A",))
check("too many species", species="A B B")
check("every 0", every=0)
check("every half", every=0.5)
check("no box", start("units lj"))
check("no atoms", start("units lj\\nregion b block 0 9 0 9 0 9\\ncreate_box 2 b"))
check("units", start(box.replace("units lj", "units metal")))
flat = "units lj\\ndimension 2\\nregion b block 0 9 0 9 -0.1 0.1\\ncreate_box 2 b"
check("dimension", start(flat + "\\ncreate_atoms 1 single 1 1 0"))
check("r-RESPA", start(box + "run_style respa 2 2 pair 1"))
check("no IDs", start(box.replace("units lj", "units lj\\natom_modify id no")))
check("column name", column="no-name")
lmp.command("fix own all property/atom d_taken")
check("column", column="taken")
closed = start("units lj")
closed.close()
check("closed", closed)
mob = attach(lmp, **good)
out["early"] = fails(lambda: mob.propensities)
check("twice")
mob.detach()
assert not [name for name in lmp.available_ids("fix") if name.startswith("botan")]
with attach(lmp, **good, on_frame=lambda mob: mob.detach()):
    out["detach in a run"] = fails(lambda: lmp.command("run 20"))
with attach(lmp, **good, on_frame=lambda mob: attach(lmp, **good, column="b")):
    out["attach in a run"] = fails(lambda: lmp.command("run 20"))
lmp.command("run 20")
Path(f"{rank}.json").write_text(json.dumps(out))
"""

MESSAGES = {
    "no model": "FileNotFoundError: missing.pt: no such file, and no model that ships has this",
    "no model file": "in.liquid: not a model file",
    "species": "kob-andersen has no species 'C'; it has A, B (and NULL leaves an atom type out)",
    "all NULL": "no atom type has a species; give one word for each type, at least one of them",
    "too few species": "found 2 atom types, but 1 species: A; give one word for each type",
    "too many species": "found 2 atom types, but 3 species: A B B; give one word for each type",
    "every 0": "every must be a number of steps, 1 or more; found 0",
    "every half": "every must be a number of steps, 1 or more; found 0.5",
    "no box": "LAMMPS has no box yet; define one first, with read_data for example",
    "no atoms": "LAMMPS has no atoms yet; use read_data or create_atoms first",
    "units": "the model is in lj units, but this input uses `units metal`; write `units lj`, or",
    "dimension": "the model is for 3 dimensions (kob-andersen), but this input has `dimension 2`",
    "r-RESPA": "would score no other step; write `run_style verlet`, or use fix botan",
    "no IDs": "atoms need IDs, each its own: remove the line `atom_modify id no`",
    "column name": "no-name",
    "column": "LAMMPS has a per-atom column d_taken already; choose another name with column=",
    "closed": "RuntimeError: attach: this LAMMPS is closed",
    "early": "nothing has been scored yet; run first: lmp.command('run 0')",
    "twice": "LAMMPS has a per-atom column d_propensity already",
    "detach in a run": "RuntimeError: detach: LAMMPS is in a run; wait until it has ended",
    "attach in a run": "RuntimeError: attach: LAMMPS is in a run; wait until it has ended",
}


@RANKS
def test_errors_say_on_every_rank_what_to_type(tmp_path, ranks):
    (tmp_path / "in.liquid").write_text(liquid())
    save_model(tmp_path / "m.pt")
    run_python(ERRORS, tmp_path, ranks=ranks)
    for out in results(tmp_path, ranks):
        assert out.keys() == MESSAGES.keys()
        for case, message in MESSAGES.items():
            assert message in out[case], case


RAISE = """
lmp = start(Path("in.liquid").read_text())
rank = lmp.extract_setting("world_rank")
last = lmp.extract_setting("world_size") - 1
wrong = KeyError("mine")
stop, calls, out = 20, [], {}

def on_frame(mob):
    calls.append(mob.step)
    if mob.step == stop and rank == last:
        raise wrong

def second(mob):
    calls.append("second")

def run(name, action):
    calls.clear()
    out[name] = [fails(action), lmp.extract_global("ntimestep"), list(calls)]

options = {"model": "m.pt", "every": 10, "species": "A B"}
one = attach(lmp, **options, on_frame=on_frame)
two = attach(lmp, **options, on_frame=second, column="second")
run("run", lambda: lmp.command("run 100"))
stop = 40
run("string", lambda: lmp.commands_string("run 15\\nrun 100\\nrun 100"))
stop = 50
run("file", lambda: lmp.file("in.more"))
run("run 0", lambda: lmp.command("run 0"))
run("list", lambda: lmp.commands_list(["run 0", "print after"]))
stop = 60
wrong = KeyboardInterrupt()
run("interrupt", lambda: lmp.command("run 100"))
stop = None
run("afterwards", lambda: lmp.command("run 10"))
run("own error", lambda: lmp.command("bogus"))
Path(f"{rank}.json").write_text(json.dumps(out))
"""


@RANKS
def test_what_on_frame_raises_on_one_rank_stops_the_run_and_comes_out_on_all(tmp_path, ranks):
    (tmp_path / "in.liquid").write_text(liquid())
    (tmp_path / "in.more").write_text("run 100\nrun 100\n")
    save_model(tmp_path / "m.pt")
    run_python(RAISE, tmp_path, ranks=ranks)
    for rank, out in enumerate(results(tmp_path, ranks)):
        other = rank < ranks - 1
        error = "RuntimeError: on MPI rank 1: KeyError: 'mine'" if other else "KeyError: 'mine'"
        assert out["run"] == [error, 20, [0, "second", 10, "second", 20]]
        assert out["string"] == [error, 40, [20, "second", 30, "second", 40]]
        assert out["file"] == [error, 50, [40, "second", 50]]
        assert out["run 0"] == [error, 50, [50]]
        assert out["list"] == [error, 50, [50]]
        assert "KeyboardInterrupt" in out["interrupt"][0]
        assert out["interrupt"][1] == 60
        assert out["afterwards"] == ["nothing was raised", 70, [60, "second", 70, "second"]]
        assert "Unknown command: bogus" in out["own error"][0]


INTERRUPT = """
import os
import signal
import threading

lmp = start(Path("in.liquid").read_text())
before = signal.getsignal(signal.SIGINT)
interrupt = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
with attach(lmp, model="m.pt", every=10, species="A B"):
    lmp.command("run 0")
    interrupt.start()
    print(fails(lambda: lmp.command("run 1000000000")))
    lmp.command("run 10")
assert signal.getsignal(signal.SIGINT) is before
"""


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_ends_the_run_and_is_not_lost(tmp_path):
    (tmp_path / "in.liquid").write_text(liquid())
    save_model(tmp_path / "m.pt")
    output = run_python(INTERRUPT, tmp_path)
    assert output.strip() == "KeyboardInterrupt:"


def test_an_error_of_the_model_reaches_the_caller(tmp_path):
    (tmp_path / "in.liquid").write_text(liquid())
    save_model(tmp_path / "m.pt", Walks(fault="raise"))
    code = """
lmp = start(Path("in.liquid").read_text())
attach(lmp, model="m.pt", every=10, species="A B")
lmp.command("run 10")
"""
    output = run_python(code, tmp_path, succeeds=False)
    assert "this toy is broken on purpose" in output


def test_several_ranks_without_mpi4py_are_an_error_on_each(tmp_path):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('not here')")
    (tmp_path / "in.liquid").write_text(liquid())
    save_model(tmp_path / "m.pt")
    code = """
lmp = start(Path("in.liquid").read_text())
error = fails(lambda: attach(lmp, model="m.pt", every=10, species="A B"))
Path(f"{lmp.extract_setting('world_rank')}.json").write_text(json.dumps(error))
"""
    run_python(code, tmp_path, ranks=2, PYTHONWARNINGS="")
    for error in results(tmp_path, 2):
        assert "LAMMPS runs on 2 MPI ranks, which Python cannot reach without mpi4py" in error
        assert "type pip install mpi4py" in error

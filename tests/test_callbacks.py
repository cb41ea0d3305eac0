"""`attach`: fix external in a LAMMPS that Python drives, on one and two MPI ranks."""

import json
from pathlib import Path

import numpy as np
import pytest
from lmp import all_images, liquid, read_dump
from python_runs import RANKS, needs_mpi4py, results, run_python
from toy_models import Walks, save_model

from lammps_botan.files.lammps_data import read_lammps_data
from lammps_botan.network.predictor import Predictor

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "02_score_from_python.py"
ROUNDING = 2e-5  # one graph, other order of float32 sums
GLASS = f"""
units lj
read_data {Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"}
timestep 0.001
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
velocity all create 0.64 1 loop geom
fix nve all nve
"""
AGREE = """
lmp = start(Path("in.glass").read_text())
rank = lmp.extract_setting("world_rank")
seen = []

def on_frame(mob):
    n = lmp.extract_global("nlocal")
    forces = lmp.fix_external_get_force("botan_propensity")
    assert not any(forces[i][k] for i in range(n) for k in range(3))
    seen.append(mob.step)
    np.savez(
        f"{mob.step}-{rank}.npz",
        ids=mob.ids,
        positions=mob.positions,
        propensities=mob.propensities,
        changes=mob.bond_changes,
        center=mob.ids[mob.graph.center],
        neighbor=mob.ids[mob.graph.neighbor],
        distances=mob.graph.distances,
    )

with attach(lmp, model="ka-t044", every=20, species=("A", "B"), on_frame=on_frame) as mob:
    lmp.commands_string('''
    fix mob all botan 20 ka-t044 A B
    compute column all property/atom d_propensity
    compute largest all reduce max c_column
    thermo_style custom step pe press c_largest
    dump atoms all custom 20 atoms.dump id type xu yu zu d_propensity f_mob
    dump_modify atoms format float %.15g sort id
    dump bonds all local 20 bonds.dump f_mob[1] f_mob[2] f_mob[3] f_mob[4]
    dump_modify bonds format float %.9g
    run 20
    ''')
    largest = lmp.extract_compute("largest", 0, 0)
    assert largest == mob.propensities[:, 0].max(), largest
    attached = state(lmp)
    lmp.commands_string("thermo_style one\\nundump atoms")
assert seen == [0, 20]

alone = start(Path("in.glass").read_text())
alone.command("run 20")
for one, other in zip(attached, state(alone), strict=True):
    np.testing.assert_array_equal(one, other)
"""


@RANKS
def test_attach_gives_what_fix_botan_gives(tmp_path, ranks):
    """Arrays, column, dump and compute reduce, on every rank; and the trajectory is as without."""
    (tmp_path / "in.glass").write_text(GLASS)
    run_python(AGREE, tmp_path, ranks=ranks)
    for atoms, bonds in zip(
        read_dump(tmp_path / "atoms.dump"), read_dump(tmp_path / "bonds.dump"), strict=True
    ):
        arrays = dict(np.load(tmp_path / f"{atoms.step}-0.npz"))
        np.testing.assert_allclose(atoms["d_propensity"], atoms["f_mob"], atol=ROUNDING)
        np.testing.assert_array_equal(
            np.float32(atoms["d_propensity"]), arrays["propensities"][:, 0]
        )
        np.testing.assert_array_equal(atoms["id"], arrays["ids"])
        unwrapped = np.stack([atoms[axis] for axis in ("xu", "yu", "zu")], axis=1)
        np.testing.assert_allclose(arrays["positions"], unwrapped, atol=1e-12)

        rows = np.stack([bonds[f"f_mob[{k}]"] for k in (1, 2, 3, 4)], axis=1)
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
        near = arrays["distances"] < 1.35
        np.testing.assert_array_equal(rows[:, 0], arrays["center"][near])
        np.testing.assert_array_equal(rows[:, 1], arrays["neighbor"][near])
        np.testing.assert_allclose(rows[:, 2], arrays["distances"][near], atol=1e-7)
        np.testing.assert_allclose(rows[:, 3], arrays["changes"][near, 0], atol=ROUNDING)
        for rank in range(1, ranks):
            other = np.load(tmp_path / f"{atoms.step}-{rank}.npz")
            for name, values in arrays.items():
                np.testing.assert_array_equal(other[name], values)


SAME = """
attached, alone = (start(Path("in.liquid").read_text()) for _ in range(2))
seen = []
with attach(attached, model="m.pt", every=7, species="A B", on_frame=lambda mob: seen.append(mob)):
    attached.command("run 200")
    alone.command("run 200")
    for one, other in zip(state(attached), state(alone), strict=True):
        np.testing.assert_array_equal(one, other)
print(f"the same after {len(seen)} scorings")
"""


@RANKS
def test_a_trajectory_is_the_same_to_the_last_bit(tmp_path, ranks):
    """Positions, velocities, forces, energy, pressure, while atoms migrate; also without attach."""
    (tmp_path / "in.liquid").write_text(liquid())
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    output = run_python(SAME, tmp_path, ranks=ranks)
    assert output.count("the same after 29 scorings") == ranks


BOXES = {
    "orthogonal": liquid(),
    "triclinic": liquid(region="prism 0 2 0 2 0 2 0.6 -0.5 0.3"),
    "smaller than a cutoff": liquid("1 1 1"),
    "not periodic": liquid(
        before_box="boundary s f s", after_box="change_box all y delta -1 1", pair_cutoff=2.0
    ),
    "IDs with gaps": liquid() + "delete_atoms random fraction 0.3 yes all NULL 77 compress no",
    "a rank without atoms": liquid(
        "6 2 2",
        before_box="processors 2 1 1",
        after_box="region right block 3 INF INF INF INF INF\ndelete_atoms region right",
    ),
    "two dimensions": liquid(
        before_box="dimension 2",
        region="block 0 6 0 6 -0.1 0.1",
        dz=0.0,
        after_box="fix plane all enforce2d",
    ).replace("lattice fcc", "lattice sq"),
}
COUNT = """
for k, script in enumerate(json.loads(Path("boxes.json").read_text())):
    lmp = start(script)
    flat = lmp.extract_setting("dimension") == 2
    attach(lmp, model="flat.pt" if flat else "m.pt", every=10, species=("A", "B"))
    lmp.command(f"dump d all custom 10 {k}.dump id type x y z d_propensity d_propensity_2")
    lmp.command("dump_modify d format float %.17g")
    lmp.command("run 20")
    lmp.close()
"""


@pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=needs_mpi4py)])
def test_walks_are_exact_in_any_box(tmp_path, ranks):
    """Both outputs of a model, each in its own column."""
    if ranks == 1:
        boxes = {name: box.replace("processors 2 1 1", "") for name, box in BOXES.items()}
    else:
        boxes = {name: box for name, box in BOXES.items() if name != "smaller than a cutoff"}
    (tmp_path / "boxes.json").write_text(json.dumps(list(boxes.values())))
    toy = Walks(rounds=3, node_outputs=2)
    save_model(tmp_path / "m.pt", toy)
    save_model(tmp_path / "flat.pt", toy, mixture={"dimension": 2})
    run_python(COUNT, tmp_path, ranks=ranks)
    for k, name in enumerate(boxes):
        frames = read_dump(tmp_path / f"{k}.dump")
        assert [frame.step for frame in frames] == [0, 10, 20]
        for frame in frames:
            if name == "two dimensions":
                frame.periodic = (True, True, False)
            walks = all_images(frame, 2.0).walks(len(frame["id"]), 3)
            np.testing.assert_array_equal(frame["d_propensity"], walks, err_msg=name)
            np.testing.assert_array_equal(frame["d_propensity_2"], frame["type"] - 1)


LAMMPS_LIST = """
NEIGHMASK = 0x1FFFFFFF
lmp = start(Path("in.liquid").read_text())

def pairs(vectors, center, neighbor):
    rows = np.column_stack([center, neighbor, vectors.round(9)])
    return rows[np.lexsort(rows.T[::-1])]

def on_frame(mob):
    n = lmp.extract_global("nlocal") + lmp.extract_global("nghost")
    x = lmp.numpy.extract_atom("x")[:n]
    ids = lmp.numpy.extract_atom("id")[:n]
    found = []
    half = lmp.numpy.get_neighlist(lmp.find_pair_neighlist("lj/cut"))
    for i, neighbors in half:
        found += [(i, j) for j in neighbors & NEIGHMASK]
    i, j = np.array(found).T
    near = np.linalg.norm(x[i] - x[j], axis=1) < 2.0
    i, j = np.concatenate([i[near], j[near]]), np.concatenate([j[near], i[near]])
    ours = pairs(mob.graph.vectors, mob.ids[mob.graph.center], mob.ids[mob.graph.neighbor])
    np.testing.assert_allclose(ours, pairs(x[i] - x[j], ids[i], ids[j]), atol=2e-9)

attach(lmp, model="m.pt", every=20, species="A B", on_frame=on_frame)
lmp.command("run 60")
"""


def test_the_graph_holds_the_pairs_of_the_neighbor_list_of_lammps(tmp_path):
    (tmp_path / "in.liquid").write_text(liquid())
    save_model(tmp_path / "m.pt")
    run_python(LAMMPS_LIST, tmp_path)


SEVERAL = """
lmp = start(Path("in.liquid").read_text())
rank = lmp.extract_setting("world_rank")
steps = {"one": [], "two": []}
first = attach(
    lmp, model="one.pt", every=10, species=("A", "B"), column="one",
    on_frame=lambda mob: steps["one"].append(mob.step),
)
with attach(
    lmp, model="two.pt", every=4, species=("B", "NULL"), column="two",
    on_frame=lambda mob: steps["two"].append(mob.step),
) as second:
    lmp.command("dump d all custom 20 both.dump id type x y z d_one d_two")
    lmp.command("dump_modify d format float %.17g")
    lmp.command("run 20")
    lmp.command("undump d")
    out = {"ids": second.ids.tolist(), "species": second.graph.species.tolist()}
    out["never"] = fails(lambda: lmp.command("fix x all property/atom d_two"))
assert not second.attached
lmp.command("run 20")
fixes = [name for name in lmp.available_ids("fix") if name.startswith("botan")]
first.detach()
left = [name for name in lmp.available_ids("fix") if name.startswith("botan")]
left += [name for name in lmp.available_ids("variable") if name.startswith("botan")]
lmp.command("run 20")
again = attach(lmp, model="one.pt", every=10, species="A B", column="one")
lmp.command("run 0")
out |= {"steps": steps, "fixes": fixes, "left": left, "again": again.step}
out["twice"] = fails(first.detach)
kept = first.propensities
lmp.command("clear")
again.detach()
third = start(Path("in.liquid").read_text())
with attach(third, model="one.pt", every=10, species="A B"):
    third.close()
assert kept is first.propensities
Path(f"{rank}.json").write_text(json.dumps(out))
"""


@RANKS
def test_several_models_come_and_go(tmp_path, ranks):
    """Types of one model may be NULL; detached, cleared and closed, nothing is left."""
    (tmp_path / "in.liquid").write_text(liquid())
    save_model(tmp_path / "one.pt", Walks(rounds=1))
    save_model(tmp_path / "two.pt", Walks(rounds=2), cutoff=1.5)
    run_python(SEVERAL, tmp_path, ranks=ranks)
    (last,) = [f for f in read_dump(tmp_path / "both.dump") if f.step == 20]
    np.testing.assert_array_equal(last["d_one"], all_images(last, 2.0).walks(len(last["id"]), 1))
    edges = all_images(last, 1.5)
    # the second type is not there: no walk leads through it
    there = last["type"] == 1
    inside = there[edges.center] & there[edges.neighbor]
    walks = there.astype(float)
    for _ in range(2):
        steps = walks[edges.neighbor[inside]]
        walks = np.bincount(edges.center[inside], steps, len(walks))
    np.testing.assert_array_equal(last["d_two"], walks)
    for out in results(tmp_path, ranks):
        assert out["ids"] == last["id"][there].tolist()
        assert set(out["species"]) == {1}
        assert out["steps"]["two"] == [0, 4, 8, 12, 16, 20]
        assert out["steps"]["one"] == [0, 10, 20, 20, 30, 40]
        assert out["fixes"] == ["botan_one_column", "botan_one", "botan_one_stop"]
        assert out["left"] == []
        assert out["again"] == 60
        assert "the model of column d_one is detached" in out["twice"]


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


@RANKS
def test_example_02_reports_each_frame_on_one_rank(tmp_path, ranks):
    output = run_python(
        f"""
import runpy
import sys

sys.argv = ["example", "--steps", "20", "--every", "20"]
runpy.run_path({str(EXAMPLE)!r}, run_name="__main__")
""",
        tmp_path,
        ranks=ranks,
    )
    lines = [line.split(": ")[0].split() for line in output.strip().splitlines()]
    assert lines == [["step", "0"], ["step", "20"]]
    glass = read_lammps_data(EXAMPLE.parents[1] / "inputs" / "ka-t064.data")
    prediction = Predictor("ka-t064").predict(glass)
    most = prediction.node[:, 0].argmax()
    atom = glass.ids[most]
    assert f"largest {prediction.node[most, 0]:.3f} for atom {atom}" in output.splitlines()[0]

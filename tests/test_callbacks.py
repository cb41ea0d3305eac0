"""`attach`: fix external in a LAMMPS that Python drives, on one and two MPI ranks."""

import json
from pathlib import Path

import numpy as np
import pytest
from lmp import GLASS, all_images, liquid, read_dump
from python_runs import RANKS, needs_mpi4py, run_python
from toy_models import Walks, save_model

from lammps_botan.files.lammps_data import read_lammps_data
from lammps_botan.network.predictor import Predictor

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "02_score_from_python.py"
ROUNDING = 2e-5  # one graph, other order of float32 sums


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

with attach(lmp, model="ka-t064", every=20, species=("A", "B"), on_frame=on_frame) as mob:
    lmp.commands_string('''
    fix mob all botan 20 ka-t064 A B
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
    print("compared", mob.step)

attach(lmp, model="m.pt", every=20, species="A B", on_frame=on_frame)
lmp.command("run 60")
"""


def test_the_graph_holds_the_pairs_of_the_neighbor_list_of_lammps(tmp_path):
    (tmp_path / "in.liquid").write_text(liquid())
    save_model(tmp_path / "m.pt")
    output = run_python(LAMMPS_LIST, tmp_path)
    assert output.splitlines() == [f"compared {step}" for step in (0, 20, 40, 60)]


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

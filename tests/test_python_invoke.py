"""`fix python/invoke` gives the numbers of `fix botan`, in the LAMMPS of Debian."""

import subprocess
import sys

import numpy as np
import pytest
from debian_lammps import OUTPUTS, needs_debian_lammps, neighbors, run, score
from fallbacks import save_all
from lmp import BIN, GLASS, all_images, liquid, read_dump, run_lmp
from python_runs import RANKS
from toy_inputs import save_history
from toy_models import Walks, save_model

from lammps_botan.network.predictor import Predictor
from lammps_botan.prediction.callbacks import read_snapshots
from lammps_botan.prediction.trajectory import score_file

ROUNDING = 2e-5  # one graph, other order of float32 sums

pytestmark = [pytest.mark.slow, pytest.mark.long, needs_debian_lammps]


@RANKS
def test_a_glass_is_scored_as_by_fix_botan(tmp_path, modules, ranks):
    """Column, dump, compute reduce and snapshots; `python score invoke` scores the start."""
    script = f"""{GLASS}
    fix columns all property/atom d_propensity
    {score("ka-t064")}
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
    fix mob all botan 20 ka-t064 A B
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
    predictor = Predictor("ka-t064")
    for prediction in (
        predictor.predict_graph(snapshot.graph),
        predictor.predict(snapshot.configuration),
    ):
        np.testing.assert_allclose(frames[1]["d_propensity"], prediction.node[:, 0], atol=1e-6)


ATTACHED = f"""
from lammps import lammps
from lammps_botan.prediction.callbacks import attach

lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
lmp.commands_string({GLASS!r})
with attach(lmp, model="ka-t064", every=20, species=("A", "B")):
    lmp.commands_string('''
    fix mob all botan 20 ka-t064 A B
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
    {score("ka-t064")}
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
    for _ in score_file(tmp_path / "run.dump", "ka-t064", tmp_path / "scored.dump"):
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

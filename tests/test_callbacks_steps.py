"""The column of `attach` belongs to the step at which it is written, or the run ends."""

import json

import numpy as np
import pytest
from lmp import all_images, liquid, read_dump
from python_runs import RANKS, results, run_python
from toy_models import Walks, save_model

pytestmark = pytest.mark.slow

ROUNDS = 2
RUN = """
from lammps_botan.prediction.callbacks.particles import lammps_box

case = json.loads(Path("case.json").read_text())
lmp = start(case["script"])
rank = lmp.extract_setting("world_rank")
seen = []
with attach(
    lmp, model="m.pt", every=10, species="A B", on_frame=lambda mob: seen.append(mob.step)
) as mob:
    lmp.command("dump d all custom 10 d.dump id type x y z d_propensity")
    lmp.command("dump_modify d format float %.17g")
    error = "nothing was raised"
    for command in case["commands"]:
        error = fails(lambda: lmp.commands_string(command))
        if error != "nothing was raised":
            break
    step = lmp.extract_global("ntimestep")
    lmp.command("undump d")
    n = lmp.extract_global("nlocal")
    column = np.abs(lmp.numpy.extract_atom("d_propensity")[:n]).max() if n else 0.0
    again = fails(lambda: lmp.commands_string("run_style verlet\\nrun 10"))
Path(f"{rank}.json").write_text(
    json.dumps({"error": error, "step": step, "seen": seen, "column": column, "again": again})
)
"""


def attached(folder, script, *commands, ranks=1, model=None, **mixture):
    """What happened on each rank, and the dump that was written."""
    save_model(folder / "m.pt", model or Walks(rounds=ROUNDS), mixture=mixture)
    (folder / "case.json").write_text(json.dumps({"script": script, "commands": commands}))
    run_python(RUN, folder, ranks=ranks)
    return results(folder, ranks), read_dump(folder / "d.dump")


def assert_right(frames, flat=False):
    """The walks counted in the dump itself."""
    for frame in frames:
        if flat:
            frame.periodic = (True, True, False)
        walks = all_images(frame, 2.0).walks(len(frame["id"]), ROUNDS)
        np.testing.assert_array_equal(frame["d_propensity"], walks)


RESPA = "run_style respa 2 2 pair 1"


@RANKS
@pytest.mark.parametrize(
    ("commands", "seen", "step"),
    [
        # found in the setup of the run, whose first step is to be scored
        (["run 10", f"{RESPA}\nrun 25"], [0, 10], 20),
        # found at the first step that is to be scored
        (["run 7", f"{RESPA}\nrun 25"], [0], 10),
        ([f"run 30 every 7 '{RESPA}'"], [0], 10),
    ],
)
def test_respa_is_refused(commands, seen, step, ranks, tmp_path):
    """It calls fix external in the setup of a run and at no other step."""
    outs, frames = attached(tmp_path, liquid(), *commands, ranks=ranks)
    for out in outs:
        assert "`run_style respa` calls fix external in the setup of a run only" in out["error"]
        assert (out["seen"][: len(seen)], out["step"]) == (seen, step)
        assert out["again"] == "nothing was raised"
    assert_right(frame for frame in frames if frame.step in seen)
    assert not any(frame["d_propensity"].any() for frame in frames if frame.step not in seen)


def test_a_scoring_that_fails_leaves_zeros(tmp_path):
    (out,), _ = attached(tmp_path, liquid(), "run 10", f"{RESPA}\nrun 0")
    assert "run_style respa" in out["error"]
    assert out["column"] == 0


MOVES = {
    "npt": "unfix integrate\nfix integrate all npt temp 1 1 0.1 aniso 5 5 0.5",
    "npt, triclinic": "change_box all triclinic\nunfix integrate\n"
    "fix integrate all npt temp 1 1 0.1 tri 5 5 0.5",
    "deform at other steps": "fix d all deform 7 x erate 0.5 remap x",
    "move": "unfix integrate\nfix mv all move linear 1 2 3",
    "shrink-wrapped": "change_box all boundary s p p",
}


@pytest.mark.parametrize("case", MOVES)
def test_the_column_belongs_to_positions_and_box_of_its_step(case, tmp_path):
    (out,), frames = attached(tmp_path, liquid() + MOVES[case], "run 15", "run 15")
    assert out["error"] == "nothing was raised"
    assert [frame.step for frame in frames] == [0, 10, 20, 30]
    assert_right(frames)
    assert not np.array_equal(frames[0].positions, frames[3].positions)


@RANKS
@pytest.mark.parametrize(
    "fix",
    [
        "deform 1 x erate 0.5 remap x",
        "deform 5 x erate 0.01 remap v",
        "deform 1 xy erate 0.1 remap v",
        "press/berendsen iso 50 50 0.1",
    ],
)
def test_a_box_that_changes_after_the_scoring_ends_the_run(fix, ranks, tmp_path):
    """Such fixes act at the end of a step, after fix external and before output."""
    tilted = "change_box all triclinic\n" if " xy " in fix else ""
    script = f"{liquid()}{tilted}fix d all {fix}"
    outs, frames = attached(tmp_path, script, "run 30", ranks=ranks)
    for out in outs:
        assert "step 10: the box was changed after the scoring, by a fix" in out["error"]
        assert "use fix botan, defined after that fix" in out["error"]
    assert [frame.step for frame in frames] == [0]
    assert_right(frames)


SWAPS = {
    "fix set": ('variable t atom "1+((id+step)%5==0)"\nfix st all set 5 0 group all type v_t', []),
    "set between runs": ("", ["run 10", "set group all type/fraction 2 0.5 7", "run 20"]),
    "fix atom/swap": ("fix sw all atom/swap 5 20 1 100.0 types 1 2", []),
}


@RANKS
@pytest.mark.parametrize("case", SWAPS)
def test_types_are_those_of_the_step(case, ranks, tmp_path):
    """The toy weighs each walk by the type on which it ends."""
    fixes, commands = SWAPS[case]
    # lists that are rarely rebuilt, so that ghosts keep old types
    rare = "neighbor 0.6 bin\nneigh_modify every 1000 delay 0 check no\n"
    weighted = Walks(rounds=ROUNDS, weights=(1.0, 3.0))
    commands = commands or ["run 30"]
    script = liquid() + rare + fixes
    outs, frames = attached(tmp_path, script, *commands, ranks=ranks, model=weighted)
    assert all(out["error"] == "nothing was raised" for out in outs)
    for frame in frames:
        ends = np.where(frame["type"] == 2, 3.0, 1.0)
        walks = all_images(frame, 2.0).walks(len(frame["id"]), ROUNDS, ends)
        np.testing.assert_array_equal(frame["d_propensity"], walks)
    assert not np.array_equal(frames[0]["type"], frames[-1]["type"])


@pytest.mark.parametrize("relax", ["", "fix br all box/relax iso 5.0 vmax 0.001"])
def test_a_minimization_is_scored_at_its_multiples(relax, tmp_path):
    command = "minimize 1e-3 0 1000 1000"
    (out,), frames = attached(tmp_path, liquid() + relax, command)
    assert out["error"] == "nothing was raised"
    assert_right(frames[:-1])
    # a minimization that converges adds its last step, which is not scored
    assert len(frames) > 2
    assert out["step"] % 10 != 0
    assert frames[-1].step == out["step"]
    assert not frames[-1]["d_propensity"].any()


@RANKS
def test_the_column_is_zero_at_steps_that_are_not_scored(ranks, tmp_path):
    """Also while atoms migrate, and at the start of a run."""
    commands = ("dump_modify d every 1", "run 23", "run 0", "run 4", "run 5 pre no")
    outs, frames = attached(tmp_path, liquid(), *commands, ranks=ranks)
    assert all(out["error"] == "nothing was raised" for out in outs)
    assert [frame.step for frame in frames] == list(range(33))
    for frame in frames:
        if frame.step % 10:
            assert not frame["d_propensity"].any()
        else:
            assert_right([frame])


@RANKS
def test_other_units_are_those_of_the_model(ranks, tmp_path):
    """The same liquid in metal units is scored alike by a model in metal units."""
    metal = liquid().replace("units lj", "units metal")
    outs, frames = attached(tmp_path, metal, "run 10", ranks=ranks, units="metal", name="metallic")
    assert all(out["error"] == "nothing was raised" for out in outs)
    assert_right(frames)

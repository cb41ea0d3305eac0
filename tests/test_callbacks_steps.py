"""The column of `attach` belongs to the step at which it is written, or the run ends."""

import functools
import json

import numpy as np
import pytest
from lmp import all_images, liquid, read_dump
from python_runs import RANKS, run_python
from toy_models import Walks, save_model

pytestmark = pytest.mark.slow

ROUNDS = 2
# all cases one after the other in one process: to start LAMMPS and torch takes seconds
RUN = """
for k, case in enumerate(json.loads(Path("cases.json").read_text())):
    lmp = start(case["script"])
    rank = lmp.extract_setting("world_rank")
    seen = []
    with attach(
        lmp,
        model=case["model"],
        every=10,
        species="A B",
        on_frame=lambda mob, seen=seen: seen.append(mob.step),
    ):
        lmp.command(f"dump d all custom 10 {k}.dump id type x y z d_propensity")
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
    out = {"error": error, "step": step, "seen": seen, "column": column, "again": again}
    Path(f"{k}-{rank}.json").write_text(json.dumps(out))
    lmp.close()
"""

RESPA = "run_style respa 2 2 pair 1"
# the commands, and the steps that were seen and reached
REFUSED = {
    # found in the setup of the run, whose first step is to be scored
    "in the setup": (["run 10", f"{RESPA}\nrun 25"], [0, 10], 20),
    # found at the first step that is to be scored
    "at a step": (["run 7", f"{RESPA}\nrun 25"], [0], 10),
    "between the parts of a run": ([f"run 30 every 7 '{RESPA}'"], [0], 10),
}
MOVES = {
    "npt": "unfix integrate\nfix integrate all npt temp 1 1 0.1 aniso 5 5 0.5",
    "npt, triclinic": "change_box all triclinic\nunfix integrate\n"
    "fix integrate all npt temp 1 1 0.1 tri 5 5 0.5",
    "deform at other steps": "fix d all deform 7 x erate 0.5 remap x",
    "move": "unfix integrate\nfix mv all move linear 1 2 3",
    "shrink-wrapped": "change_box all boundary s p p",
}
CHANGES = [
    "deform 1 x erate 0.5 remap x",
    "deform 5 x erate 0.01 remap v",
    "deform 1 xy erate 0.1 remap v",
    "press/berendsen iso 50 50 0.1",
]
SWAPS = {
    "fix set": ('variable t atom "1+((id+step)%5==0)"\nfix st all set 5 0 group all type v_t', []),
    "set between runs": ("", ["run 10", "set group all type/fraction 2 0.5 7", "run 20"]),
    "fix atom/swap": ("fix sw all atom/swap 5 20 1 100.0 types 1 2", []),
}
RELAX = ["", "fix br all box/relax iso 5.0 vmax 0.001"]


def on_any_ranks():
    """Script, commands and model of each case that is run on one and on two ranks."""
    for name, (commands, _, _) in REFUSED.items():
        yield f"respa {name}", (liquid(), commands, "m.pt")
    for fix in CHANGES:
        tilted = "change_box all triclinic\n" if " xy " in fix else ""
        yield fix, (f"{liquid()}{tilted}fix d all {fix}", ["run 30"], "m.pt")
    # lists that are rarely rebuilt, so that ghosts keep old types
    rare = "neighbor 0.6 bin\nneigh_modify every 1000 delay 0 check no\n"
    for name, (fixes, commands) in SWAPS.items():
        yield name, (liquid() + rare + fixes, commands or ["run 30"], "weighted.pt")
    unscored = ["dump_modify d every 1", "run 23", "run 0", "run 4", "run 5 pre no"]
    yield "unscored steps", (liquid(), unscored, "m.pt")
    yield "metal", (liquid().replace("units lj", "units metal"), ["run 10"], "metal.pt")


def on_one_rank():
    """The same of cases that do not depend on the number of ranks."""
    yield "a scoring that fails", (liquid(), ["run 10", f"{RESPA}\nrun 0"], "m.pt")
    for name, move in MOVES.items():
        yield name, (liquid() + move, ["run 15", "run 15"], "m.pt")
    for relax in RELAX:
        yield f"minimize {relax}", (liquid() + relax, ["minimize 1e-3 0 1000 1000"], "m.pt")


@pytest.fixture(scope="module")
def attached(tmp_path_factory):
    """What happened in a case on each of so many ranks, and the dump that was written."""

    @functools.cache
    def run_all(ranks):
        folder = tmp_path_factory.mktemp(f"ranks_{ranks}")
        # the toy of swaps weighs each walk by the type on which it ends
        save_model(folder / "m.pt", Walks(rounds=ROUNDS))
        save_model(folder / "weighted.pt", Walks(rounds=ROUNDS, weights=(1.0, 3.0)))
        metal = {"units": "metal", "name": "metallic"}
        save_model(folder / "metal.pt", Walks(rounds=ROUNDS), mixture=metal)
        cases = dict(on_any_ranks()) | (dict(on_one_rank()) if ranks == 1 else {})
        keys = ("script", "commands", "model")
        content = [dict(zip(keys, case, strict=True)) for case in cases.values()]
        (folder / "cases.json").write_text(json.dumps(content))
        run_python(RUN, folder, ranks=ranks)
        return {
            name: (
                [json.loads((folder / f"{k}-{rank}.json").read_text()) for rank in range(ranks)],
                folder / f"{k}.dump",
            )
            for k, name in enumerate(cases)
        }

    def of_case(name, ranks=1):
        outs, dump = run_all(ranks)[name]
        return outs, read_dump(dump)

    return of_case


def assert_right(frames):
    """The walks counted in the dump itself."""
    for frame in frames:
        walks = all_images(frame, 2.0).walks(len(frame["id"]), ROUNDS)
        np.testing.assert_array_equal(frame["d_propensity"], walks)


@RANKS
@pytest.mark.parametrize("case", REFUSED)
def test_respa_is_refused(attached, case, ranks):
    """It calls fix external in the setup of a run and at no other step."""
    _, seen, step = REFUSED[case]
    outs, frames = attached(f"respa {case}", ranks)
    for out in outs:
        assert "`run_style respa` calls fix external in the setup of a run only" in out["error"]
        assert (out["seen"][: len(seen)], out["step"]) == (seen, step)
        assert out["again"] == "nothing was raised"
    assert_right(frame for frame in frames if frame.step in seen)
    assert not any(frame["d_propensity"].any() for frame in frames if frame.step not in seen)


def test_a_scoring_that_fails_leaves_zeros(attached):
    (out,), _ = attached("a scoring that fails")
    assert "run_style respa" in out["error"]
    assert out["column"] == 0


@pytest.mark.parametrize("case", MOVES)
def test_the_column_belongs_to_positions_and_box_of_its_step(attached, case):
    (out,), frames = attached(case)
    assert out["error"] == "nothing was raised"
    assert [frame.step for frame in frames] == [0, 10, 20, 30]
    assert_right(frames)
    assert not np.array_equal(frames[0].positions, frames[3].positions)


@RANKS
@pytest.mark.parametrize("fix", CHANGES)
def test_a_box_that_changes_after_the_scoring_ends_the_run(attached, fix, ranks):
    """Such fixes act at the end of a step, after fix external and before output."""
    outs, frames = attached(fix, ranks)
    for out in outs:
        assert "step 10: the box was changed after the scoring, by a fix" in out["error"]
        assert "use fix botan, defined after that fix" in out["error"]
    assert [frame.step for frame in frames] == [0]
    assert_right(frames)


@RANKS
@pytest.mark.parametrize("case", SWAPS)
def test_types_are_those_of_the_step(attached, case, ranks):
    outs, frames = attached(case, ranks)
    assert all(out["error"] == "nothing was raised" for out in outs)
    for frame in frames:
        ends = np.where(frame["type"] == 2, 3.0, 1.0)
        walks = all_images(frame, 2.0).walks(len(frame["id"]), ROUNDS, ends)
        np.testing.assert_array_equal(frame["d_propensity"], walks)
    assert not np.array_equal(frames[0]["type"], frames[-1]["type"])


@pytest.mark.parametrize("relax", RELAX)
def test_a_minimization_is_scored_at_its_multiples(attached, relax):
    (out,), frames = attached(f"minimize {relax}")
    assert out["error"] == "nothing was raised"
    assert_right(frames[:-1])
    # a minimization that converges adds its last step, which is not scored
    assert len(frames) > 2
    assert out["step"] % 10 != 0
    assert frames[-1].step == out["step"]
    assert not frames[-1]["d_propensity"].any()


@RANKS
def test_the_column_is_zero_at_steps_that_are_not_scored(attached, ranks):
    """Also while atoms migrate, and at the start of a run."""
    outs, frames = attached("unscored steps", ranks)
    assert all(out["error"] == "nothing was raised" for out in outs)
    assert [frame.step for frame in frames] == list(range(33))
    for frame in frames:
        if frame.step % 10:
            assert not frame["d_propensity"].any()
        else:
            assert_right([frame])


@RANKS
def test_other_units_are_those_of_the_model(attached, ranks):
    """The same liquid in metal units is scored alike by a model in metal units."""
    outs, frames = attached("metal", ranks)
    assert all(out["error"] == "nothing was raised" for out in outs)
    assert len(frames) == 2
    assert_right(frames)

"""Several models attached to one LAMMPS, detached, and attached again."""

import numpy as np
import pytest
from lmp import all_images, liquid, read_dump
from python_runs import RANKS, results, run_python
from toy_models import Walks, save_model

pytestmark = pytest.mark.slow

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

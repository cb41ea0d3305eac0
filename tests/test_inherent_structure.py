"""Inherent structures of running simulations: of a copy that LAMMPS minimizes, on MPI ranks."""

import pytest
from lmp import liquid, liquid_in_the_plane
from python_runs import needs_mpi4py, results, run_python

pytestmark = [pytest.mark.slow, needs_mpi4py]

FIND = """
from lammps_botan.prediction.callbacks.inherent import add_inherent
from lammps_botan.prediction.callbacks.particles import gather_particles
from lammps_botan.prediction.callbacks.ranks import Ranks

def find(lmp, force):
    # on rank 0; None elsewhere
    ranks = Ranks(lmp)
    return add_inherent(lmp, ranks, gather_particles(lmp, ranks), force, 1.0)
"""


def smooth(script):
    # with forces that do not jump at the cutoff, so that a minimum has none
    return script.replace("pair_style lj/cut", "pair_style lj/smooth/linear")


LIQUIDS = {
    "cube": smooth(liquid("4 4 4")),
    "skewed": smooth(liquid("4 4 4", region="prism 0 4 0 4 0 4 1.5 -1.0 0.7")),
    "plane": smooth(liquid_in_the_plane(12)),
    "walls": smooth(liquid("4 4 4", before_box="boundary p p f")),
    "moving walls": smooth(liquid("4 4 4", before_box="boundary p s m")),
    "other owners": smooth(liquid("4 4 4", after_box="balance 1.0 shift xyz 9 1.01")),
    "tiles": smooth(liquid("4 4 4", after_box="comm_style tiled\nbalance 1.0 rcb")),
}

MINIMIZE = """
lmp = start({script!r})
lmp.command("run 20 post no")
before = gather_particles(lmp, Ranks(lmp))
found = find(lmp, 0.01)
lmp.commands_string('''
unfix integrate
min_style cg
min_modify norm inf
minimize 0 0.01 1000 10000
run 0 post no
''')
after = gather_particles(lmp, Ranks(lmp))
energy = lmp.get_thermo("pe") * lmp.get_natoms()
if found is not None:
    apart = before.box.minimum_image(found.inherent_positions - after.positions)
    moved = found.inherent_positions - before.positions
    summary = {{
        "apart": np.abs(apart).max(),
        "moved": np.sqrt((moved**2).sum(axis=1).mean()),
        "longest": np.abs(moved).max(),
        "energies": [found.inherent_energies.sum(), energy],
    }}
    Path("0.json").write_text(json.dumps(summary))
"""


@pytest.mark.parametrize(
    ("kind", "ranks"), [("cube", 1), ("cube", 4), ("skewed", 4), *((k, 2) for k in LIQUIDS)]
)
def test_the_inherent_structure_is_where_a_minimization_of_the_run_ends(tmp_path, kind, ranks):
    """Positions and energies are those of `minimize` in the simulation itself."""
    run_python(FIND + MINIMIZE.format(script=LIQUIDS[kind]), tmp_path, ranks=ranks)
    (found,) = results(tmp_path, 1)
    assert found["apart"] < 1e-7
    assert found["moved"] > 0.05
    assert found["longest"] < 1.0  # not to an image elsewhere
    assert found["energies"][0] == pytest.approx(found["energies"][1], abs=1e-7)

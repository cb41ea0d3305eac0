"""`fix botan` in runs with the accelerated styles of LAMMPS, by models that ship, on two ranks."""

import subprocess
from functools import cache

import numpy as np
import pytest
from lmp import BIN, GLASS, liquid, read_dump, run_lmp
from model_archives import with_plain_weights
from test_fix_shipped import shorter

from lammps_botan.network.shipped import find_model

pytestmark = pytest.mark.slow

ROUNDING = 2e-5  # the order of sums in float32, of outputs of order 1
STEPS = 50  # until the shorter history is full
OPTIONS = {
    "omp": ["-sf", "omp", "-pk", "omp", "2"],
    "opt": ["-sf", "opt"],
    "kk": ["-k", "on", "-sf", "kk"],
}
PACKAGES = {"omp": "OPENMP", "opt": "OPT", "kk": "KOKKOS"}
LIQUID = liquid("6 6 6").replace("0.12 0.12 0.12", "0.03 0.03 0.03")
SCRIPTS = {
    "lj/smooth/linear": GLASS,
    "lj/cut": LIQUID.replace("nve/limit 0.05", "nve") + "timestep 0.001\n",
}
OUTPUT = f"""
fix mob all botan {STEPS // 2} m.pt A B
dump atoms all custom {STEPS // 2} atoms.dump id f_mob
dump_modify atoms sort id format float %.9g
dump bonds all local {STEPS} bonds.dump f_mob[1] f_mob[2] f_mob[4]
dump_modify bonds format float %.9g
run {STEPS}
info styles pair
"""


@cache
def packages():
    """Those that this LAMMPS was compiled with."""
    help = subprocess.run([BIN / "lmp", "-h"], capture_output=True, text=True, check=True).stdout
    return set(help.partition("Installed packages:")[2].partition("List of")[0].split())


def score(folder, pair_style, options=()):
    """Propensities of the scored steps, bonds and their changes at the last, and the output."""
    done = run_lmp(SCRIPTS[pair_style] + OUTPUT, folder, options=options, ranks=2)
    nodes = [frame["f_mob"] for frame in read_dump(folder / "atoms.dump")]
    pairs = read_dump(folder / "bonds.dump")[-1].columns
    first, second, change = (pairs[f"f_mob[{k}]"] for k in (1, 2, 4))
    order = np.lexsort((change, second, first))
    return np.array(nodes), np.transpose([first, second, change])[order], done.output


@pytest.mark.parametrize("name", ["ka-t064", "ka-t064-history"])
@pytest.mark.parametrize(
    ("suffix", "pair_style"),
    [("omp", "lj/smooth/linear"), ("omp", "lj/cut"), ("opt", "lj/cut"), ("kk", "lj/cut")],
)
def test_accelerated_styles_change_no_score(suffix, pair_style, name, tmp_path):
    """Of positions, and of a history with the energies that these styles tally."""
    if PACKAGES[suffix] not in packages():
        pytest.skip(f"this LAMMPS has no package {PACKAGES[suffix]}")
    with_plain_weights(find_model(name), tmp_path / "m.pt", change_metadata=shorter)
    nodes, bonds, printed = score(tmp_path, pair_style, OPTIONS[suffix])
    assert f"pair {pair_style}/{suffix}" in printed  # a neighbor list of its own
    expected_nodes, expected_bonds, printed = score(tmp_path, pair_style)
    assert f"pair {pair_style}/" not in printed
    assert len(nodes) == 3
    assert np.ptp(nodes[-1]) > 0.05
    np.testing.assert_allclose(nodes, expected_nodes, atol=ROUNDING)
    np.testing.assert_array_equal(bonds[:, :2], expected_bonds[:, :2])
    np.testing.assert_allclose(bonds[:, 2], expected_bonds[:, 2], atol=ROUNDING)

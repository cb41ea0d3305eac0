"""`fix botan` with every model that ships: compiled engine on four ranks, torch on one, Python."""

import numpy as np
import pytest
from fix_toys import needs_torch
from lmp import GLASS, read_dump, run_lmp
from model_archives import with_plain_weights

from lammps_botan.files.lammps_data import read_lammps_data
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import find_model, shipped_models

pytestmark = pytest.mark.slow

ROUNDING = 2e-5  # the order of sums in float32, of outputs of order 1
STEPS, HISTORY = 50, {"window": 0.04, "interval": 0.004, "parts": 10}
NAMES = [model.name for model in shipped_models()]
SCRIPT = (
    GLASS
    + """
fix mob all botan {steps} m.pt A B
dump atoms all custom {steps} atoms.dump id f_mob
dump_modify atoms sort id format float %.9g
dump bonds all local {steps} bonds.dump f_mob[1] f_mob[2] f_mob[4]
dump_modify bonds format float %.9g
run {steps}
"""
)


def shorter(metadata):
    """A history that is full after forty steps."""
    if metadata.get("inputs", {}).get("history"):
        metadata["inputs"]["history"] = HISTORY


def score(folder, name, ranks):
    """Outputs of the last scoring by IDs, and what LAMMPS printed."""
    with_plain_weights(find_model(name), folder / "m.pt", change_metadata=shorter)
    script = SCRIPT.replace("f_mob\n", "f_mob[1]\n" if several(name) else "f_mob\n")
    printed = run_lmp(script.format(steps=STEPS), folder, ranks=ranks).output
    atoms, pairs = (read_dump(folder / name)[-1].columns for name in ("atoms.dump", "bonds.dump"))
    first, second, change = (pairs[f"f_mob[{k}]"] for k in (1, 2, 4))
    order = np.lexsort((second, first))
    bonds = np.transpose([first, second, change])[order]
    assert len(atoms["id"]) == 4096
    return next(v for k, v in atoms.items() if k != "id"), bonds, printed


def several(name):
    return len(Predictor(name).metadata.node_outputs) > 1


@needs_torch
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.long) if "inherent" in n else n for n in NAMES],
)
def test_the_engine_on_several_ranks_gives_what_torch_gives_on_one(name, tmp_path, monkeypatch):
    # another number of ranks finds other inherent structures of some particles
    ranks = 1 if Predictor(name).metadata.inputs.inherent else 4
    nodes, bonds, printed = score(tmp_path, name, ranks)
    assert "(torch)" not in printed
    monkeypatch.setenv("LAMMPS_BOTAN_ENGINE", "torch")
    expected_nodes, expected_bonds, printed = score(tmp_path, name, ranks=1)
    assert "on cpu (torch)" in printed
    assert np.ptp(nodes) > 0.1
    # ranks round forces in other orders, and differences grow with steps
    np.testing.assert_allclose(nodes, expected_nodes, atol=20 * ROUNDING)
    np.testing.assert_array_equal(bonds[:, :2], expected_bonds[:, :2])
    np.testing.assert_allclose(bonds[:, 2], expected_bonds[:, 2], atol=20 * ROUNDING)


@pytest.mark.filterwarnings("ignore:.* is unlike what it saw")  # at another temperature
@pytest.mark.parametrize("name", [n for n in NAMES if not Predictor(n).metadata.inputs.names])
@pytest.mark.parametrize("ranks", [1, 3])
def test_the_fix_gives_what_python_gives(name, ranks, tmp_path):
    """Without torch too: by the compiled engine in both."""
    script = GLASS + (
        f"fix mob all botan 10 {name} A B\ndump d all custom 10 a.dump id f_mob\n"
        "dump_modify d sort id format float %.9g\nrun 0\nwrite_data now.data\n"
    )
    run_lmp(script, tmp_path, ranks=ranks)
    found = read_dump(tmp_path / "a.dump")[-1].columns["f_mob"]
    glass = read_lammps_data(tmp_path / "now.data")
    expected = Predictor(name).predict(glass, ["A", "B"]).node[np.argsort(glass.ids), 0]
    np.testing.assert_allclose(found, expected, atol=ROUNDING)

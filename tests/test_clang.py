"""Plugin and engine, compiled by clang++ for any x86-64, score as those that are installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lmp import GLASS, read_dump, run_lmp
from model_archives import with_plain_weights
from test_fix_shipped import shorter

from lammps_botan.network.shipped import find_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("clang++") is None, reason="no clang++: apt-get install clang"),
]

SOURCE = Path(__file__).resolve().parents[1]
ROUNDING = 2e-5  # the order of sums in float32, and fused products; of outputs of order 1
STEPS = 50  # until the shorter history is full
SCRIPT = (
    GLASS
    + f"""
{{load}}
fix mob all botan {STEPS} m.pt A B
dump atoms all custom {STEPS} atoms.dump id f_mob
dump_modify atoms sort id format float %.9g
run {STEPS}
"""
)
# the processor has no name that CMakeLists.txt knows, so that nothing but portable code is compiled
OPTIONS = {
    "CMAKE_CXX_COMPILER": "clang++",
    "CMAKE_CXX_FLAGS": "-march=x86-64",
    "CMAKE_BUILD_TYPE": "None",  # the engine is optimized all the same
    "CMAKE_SYSTEM_NAME": "Linux",
    "CMAKE_SYSTEM_PROCESSOR": "any",
    "COMPILER_HAS_AVX512_BF16": "0",
    "Python_EXECUTABLE": sys.executable,
}


@pytest.fixture(scope="module")
def by_clang(tmp_path_factory):
    """The plugin."""
    build = tmp_path_factory.mktemp("build")
    options = [f"-D{name}={value}" for name, value in OPTIONS.items()]
    for command in (
        ["cmake", "-S", SOURCE, "-B", build, *options],
        ["cmake", "--build", build, "--target", "botanplugin", "-j", str(os.cpu_count())],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "warning: " not in done.stdout + done.stderr
    return build / "botanplugin.so"


def score(folder, load=""):
    """Propensities after the run, and what LAMMPS printed."""
    output = run_lmp(SCRIPT.format(load=load), folder).output
    return read_dump(folder / "atoms.dump")[-1]["f_mob"], output


@pytest.mark.parametrize("name", ["ka-t064", "ka-t064-history", "ka-t044-history"])
def test_botan_equivariant_and_linear_networks(by_clang, name, tmp_path):
    with_plain_weights(find_model(name), tmp_path / "m.pt", change_metadata=shorter)
    expected, _ = score(tmp_path)
    found, printed = score(tmp_path, f"plugin unload fix botan\nplugin load {by_clang}")
    assert "on cpu (portable)" in printed
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(found, expected, atol=ROUNDING)

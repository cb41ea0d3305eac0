"""What is compiled runs on other machines than the one that compiled it."""

import re
import subprocess
from pathlib import Path

import pytest

from lammps_botan import plugin

SOURCE = Path(__file__).resolve().parents[1]
LIBRARIES = sorted(Path(plugin.folder()).parent.rglob("*.so"))
# of manylinux_2_28, which is AlmaLinux 8: glibc 2.28 and the libraries of gcc 8
NEWEST = {"GLIBC": (2, 28), "GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11), "GCC": (7, 0, 0)}


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_a_library_needs_nothing_newer_than_the_wheel_says(library):
    listing = subprocess.run(["objdump", "-T", library], capture_output=True, text=True, check=True)
    needed = re.findall(r"\((GLIBC|GLIBCXX|CXXABI|GCC)_([\d.]+)\)", listing.stdout)
    assert needed
    for name, version in needed:
        assert tuple(map(int, version.split("."))) <= NEWEST[name], f"{name}_{version}"


def test_the_fix_finds_dlopen_where_older_linux_has_it():
    listing = ["objdump", "-p", Path(plugin.folder()) / "botanplugin.so"]
    printed = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    assert re.search(r"NEEDED +libdl\.so\.2", printed)

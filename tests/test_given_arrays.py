"""Arrays and rows as they were given: not as they become, and not fewer."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from lammps_botan import Box, Configuration
from lammps_botan.files.trajectory import open_dump
from lammps_botan.structure.history import History

SITES = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
SPECIES = np.repeat([0, 1], [100, 25])
HEAD = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n125\nITEM: BOX BOUNDS pp pp pp\n"
HEAD += 3 * "0 4.705\n" + "ITEM: ATOMS id type xu yu zu\n"
ROWS = [
    f"{k + 1} {s + 1} {x:.9g} {y:.9g} {z:.9g}\n"
    for k, (s, (x, y, z)) in enumerate(zip(SPECIES, SITES, strict=True))
]


def test_a_configuration_keeps_the_arrays_of_its_making():
    n = len(SITES)
    past = {"displacement": np.zeros((n, 3)), "variance": np.ones(n), "energy": np.ones(n)}
    given = {
        "positions": SITES.copy(),
        "species": SPECIES.copy(),
        "ids": np.arange(1, n + 1),
        "inherent_positions": SITES.copy(),
        "inherent_energies": np.ones(n),
    }
    column = np.ones(n)
    one = Configuration(
        box=Box(4.705, (True, True, True)),
        history=History(3.0, **past),
        columns={"c_q": column},
        **given,
    )
    before = {name: value.copy() for name, value in (given | past).items()}
    for array in (*given.values(), *past.values(), column):
        array += 1  # as a reader fills its buffer with the next frame
    for name in given:
        np.testing.assert_array_equal(getattr(one, name), before[name])
    for name in past:
        np.testing.assert_array_equal(getattr(one.history, name), before[name])
    np.testing.assert_array_equal(one.columns["c_q"], 1)
    assert set(given) < {field.name for field in fields(one)}


@pytest.mark.parametrize("row", [0, 60, 124])
@pytest.mark.parametrize("blank", ["\n", " \n", "\r\n"])
def test_a_blank_line_in_place_of_an_atom_is_refused(tmp_path, row, blank):
    path = tmp_path / "run.dump"
    path.write_bytes((HEAD + "".join([*ROWS[:row], blank, *ROWS[row + 1 :]])).encode())
    with pytest.raises(ValueError, match=r"frame 0.*expected 125 rows, found 124"):
        open_dump(path)


@pytest.mark.parametrize("pipe", [False, True])
def test_standard_output_holds_the_dump_and_nothing_else(tmp_path, pipe):
    (tmp_path / "run.dump").write_text(HEAD + "".join(ROWS))
    program = str(Path(sys.executable).with_name("lammps-botan"))
    command = [program, "score", "run.dump", "-m", "ka-t044", "--species", "A", "B", "-o"]
    subprocess.run([*command, "file.dump"], cwd=tmp_path, check=True, capture_output=True)
    if pipe:
        done = subprocess.run(
            [*command, "/dev/stdout"], cwd=tmp_path, check=True, capture_output=True
        )
        found, told = done.stdout, done.stderr
    else:
        with (tmp_path / "standard").open("wb") as file:
            done = subprocess.run(
                [*command, "/dev/stdout"],
                cwd=tmp_path,
                check=True,
                stdout=file,
                stderr=subprocess.PIPE,
            )
        found, told = (tmp_path / "standard").read_bytes(), done.stderr
    assert found == (tmp_path / "file.dump").read_bytes()
    assert b"wrote /dev/stdout, 1 frames" in told

"""`fix botan ... verify yes` says how well its predictions agree with what the run then did."""

from pathlib import Path

import numpy as np
import pytest
from lmp import liquid, liquid_in_the_plane, read_dump
from verified import DT, ROUNDING, Dumps, check_rows, unwrapped, verify

pytestmark = pytest.mark.slow
INPUTS = Path(__file__).resolve().parents[1] / "inputs"


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_rho_is_that_of_the_dumps_while_predictions_overlap_and_atoms_migrate(tmp_path, ranks):
    script = liquid("4 3 3").replace("0.05", "0.1")
    rows = verify(tmp_path, script, "run 160", lag_steps=100, ranks=ranks)
    assert len(rows) == 9
    check_rows(rows, tmp_path, lag_steps=100)
    first, *_, last = read_dump(tmp_path / "x.txt")
    assert np.abs(unwrapped(last) - unwrapped(first)).max() > 1.0
    assert all(row["f_g[5]"] > 0 for row in rows)


LAGS = {
    "between two scorings": (20, 47, "run 160"),
    "shorter than N": (50, 13, "run 160"),
    "no whole number of steps": (20, 30.3, "run 100"),
    "of one scoring": (20, 20, "run 100"),
    "with more scorings than can be pending": (2, 60, "run 150"),
}


@pytest.mark.parametrize("case", LAGS)
def test_a_lag_time_may_end_on_any_step(tmp_path, case):
    every, lag_steps, run = LAGS[case]
    rows = verify(tmp_path, liquid(), run, every=every, stride=1, lag_steps=lag_steps)
    check_rows(rows, tmp_path, every=every, lag_steps=lag_steps)


EMPTIED = "region empty block 1.6 INF INF INF INF INF\ndelete_atoms region empty compress no"

SYSTEMS = {
    "tiled, and balanced while it runs": {
        "cells": "4 3 3",
        "after_box": "comm_style tiled\nbalance 1.0 rcb\nfix balance all balance 10 1.0 rcb",
    },
    "ranks without atoms": {
        "cells": "6 2 2",
        "before_box": "processors 4 1 1",
        "after_box": EMPTIED,
    },
    "triclinic": {"region": "prism 0 3 0 3 0 3 0.9 0.4 -0.7"},
    "flat, of legal tilts": {"region": "prism 0 2 0 6 0 1 0 0.5 0.75"},
    "sparse ids": {"after_box": "delete_atoms random fraction 0.3 yes all NULL 77 compress no"},
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_rho_is_that_of_the_dumps_in_any_layout(tmp_path, system):
    ranks = 2 if system in {"triclinic", "sparse ids", "flat, of legal tilts"} else 4
    script = liquid(**SYSTEMS[system])
    rows = verify(tmp_path, script, "run 80", lag_steps=30, stride=10, ranks=ranks)
    check_rows(rows, tmp_path, lag_steps=30)


def test_pairs_that_part_are_followed_to_any_rank(tmp_path):
    """Half of the atoms are carried through the box: their bonds break over many ghost ranges."""
    script = liquid("8 2 2").replace("fix integrate all nve/limit 0.05", "")
    script += """
    group carried id <= 64
    group others subtract all carried
    fix carry carried move linear 12.0 0 0
    fix stay others nve/limit 0.01
    """
    rows = verify(tmp_path, script, "run 80", lag_steps=60, ranks=2)
    check_rows(rows, tmp_path, lag_steps=60)


def test_only_the_reference_species_in_the_group_counts(tmp_path):
    script = liquid() + "group some id 1:60\n"
    run = "run 100"
    rows = verify(tmp_path, script, run, lag_steps=40, ranks=2, group="some", species="A NULL")
    check_rows(rows, tmp_path, lag_steps=40, inside=range(1, 61))


def test_the_second_type_may_be_the_first_species(tmp_path):
    script = liquid("4 4 4", after_box="set group all type/fraction 1 0.5 11")
    (tmp_path / "swapped").mkdir()
    rows = verify(tmp_path, script, "run 60", species="A B", lag_steps=40)
    swapped = verify(tmp_path / "swapped", script, "run 60", species="B A", lag_steps=40)
    assert rows[-1]["f_g[8]"] == swapped[-1]["f_g[8]"] == 2
    assert rows[-1]["f_g[6]"] != pytest.approx(swapped[-1]["f_g[6]"], abs=1e-3)


def test_the_reference_species_and_its_bonds_are_those_of_the_mixture(tmp_path):
    script = liquid("4 3 3", after_box="set group all type/fraction 2 0.5 11")
    other = {"reference_species": "B", "bond_lengths": [[1.1, 1.2], [1.2, 1.5]]}
    rows = verify(tmp_path, script, "run 80", lag_steps=40, ranks=2, mixture=other)
    check_rows(rows, tmp_path, lag_steps=40, kind=2, bond_length=1.5)


@pytest.mark.parametrize("ranks", [1, 2])
def test_rho_is_that_of_the_dumps_in_two_dimensions(tmp_path, ranks):
    script = liquid_in_the_plane(8)
    rows = verify(tmp_path, script, "run 80", lag_steps=40, ranks=ranks, mixture={"dimension": 2})
    check_rows(rows, tmp_path, lag_steps=40)


def test_atoms_that_were_deleted_meanwhile_leave_their_pairs_out(tmp_path):
    """Also where the atoms that are left get new ids."""
    found = {}
    for compress in ("no", "yes"):
        folder = tmp_path / compress
        folder.mkdir()
        run = (
            f"run 20\ndelete_atoms random fraction 0.3 yes all NULL 77 compress {compress}\nrun 20"
        )
        rows = verify(folder, liquid(), run, lag_steps=40, ranks=2)
        assert rows[-1]["f_g[8]"] == 1
        found[compress] = rows[-1]["f_g[6]"], rows[-1]["f_g[7]"]
    dumps = Dumps(tmp_path / "no")
    assert len(dumps.atoms[40]["id"]) < len(dumps.atoms[0]["id"])
    assert found["no"] == pytest.approx(dumps.rho(0, 40), abs=ROUNDING)
    assert found["yes"] == pytest.approx(found["no"], abs=ROUNDING)


def test_the_shipped_glass_agrees_with_its_dumps(tmp_path):
    script = f"""
    units lj
    read_data {INPUTS / "ka-t064.data"}
    timestep {DT}
    pair_style lj/smooth/linear 2.5
    pair_coeff 1 1 1.0 1.0  2.5
    pair_coeff 1 2 1.5 0.8  2.0
    pair_coeff 2 2 0.5 0.88 2.2
    velocity all create 0.64 1 mom yes rot no dist gaussian
    fix nve all nve
    """
    rows = verify(tmp_path, script, "run 60", lag_steps=40, ranks=2)
    check_rows(rows, tmp_path, lag_steps=40)
    # walks count neighbors, and a particle with many of them has less room
    assert -0.5 < rows[-1]["f_g[6]"] < -0.01

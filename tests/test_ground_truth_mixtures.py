"""Targets of other mixtures and boxes."""

import numpy as np
import pytest
from dumps import frame, write
from target_runs import read, targets

from lammps_botan.analysis.sample import read_sample
from lammps_botan.files.ensemble import read_ensemble

pytestmark = pytest.mark.slow

TERNARY = """
name = "ternary"
units = "lj"
species = ["X", "Y", "Z"]
masses = [1.0, 1.0, 1.0]
fractions = [0.34, 0.33, 0.33]
diameter = 1.0
[bond_lengths]
"X-X" = 1.35
"X-Y" = 1.2
"X-Z" = 1.1
"Y-Y" = 1.0
"Y-Z" = 0.9
"Z-Z" = 0.8
"""


def test_three_species_have_bonds_where_their_mixture_is_said(tmp_path):
    rng = np.random.default_rng(1)
    initial = rng.random((90, 3)) * 6
    final = initial + rng.normal(0, 0.4, (90, 3))
    types = np.arange(90) % 3 + 1
    frames = [frame(x, np.eye(3) * 6, step=k, types=types) for k, x in enumerate((initial, final))]
    path = write(tmp_path / "run.dump", *frames)
    done = targets(path, "-o", tmp_path / "without.npz")
    assert done.exit_code == 0, done.stderr
    assert "no mixture is known for these particles" in done.stderr
    assert "no bond_breakage; say --mixture NAME or FILE.toml" in done.stderr.replace("\n", " ")
    assert "bond_breakage" not in read(tmp_path / "without.npz")

    (tmp_path / "ternary.toml").write_text(TERNARY)
    done = targets(path, "-o", tmp_path / "with.npz", "--mixture", tmp_path / "ternary.toml")
    assert done.exit_code == 0, done.stderr
    lengths = np.array([[1.35, 1.2, 1.1], [1.2, 1.0, 0.9], [1.1, 0.9, 0.8]])

    def apart(positions):
        between = positions[:, None] - positions
        return np.linalg.norm(between - 6 * np.rint(between / 6), axis=2)

    limit = lengths[(types - 1)[:, None], types - 1]
    bonds = (apart(initial) < limit) & ~np.eye(90, dtype=bool)
    broken = bonds & (apart(final) > 1.7 / 1.35 * limit)
    expected = np.full(90, np.nan)
    some = bonds.any(axis=1)
    expected[some] = broken[some].sum(axis=1) / bonds[some].sum(axis=1)
    assert 0 < np.nanmean(expected) < 1
    found = read(tmp_path / "with.npz")["bond_breakage"]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    written = read_ensemble(tmp_path / "with.npz").configuration.mixture
    assert written is not None
    assert written.name == "ternary"


def test_a_system_that_is_no_known_mixture_is_not_taken_for_one(tmp_path):
    """80 of 100 particles of type 1, as in the Kob-Andersen mixture, but in Angstrom."""
    rng = np.random.default_rng(1)
    positions = rng.random((100, 3)) * 12
    types = np.repeat([1, 2], [80, 20])
    frames = [frame(positions, np.eye(3) * 12, step=k, types=types) for k in (0, 1)]
    path = write(tmp_path / "run.dump", *frames)
    done = targets(path, "-o", tmp_path / "t.npz")
    assert "no mixture is known" in done.stderr
    assert read_ensemble(tmp_path / "t.npz").configuration.mixture is None


def test_a_plane_of_the_composition_of_a_three_dimensional_mixture_is_read_back(tmp_path):
    rng = np.random.default_rng(1)
    positions = np.column_stack([rng.random((100, 2)) * 10, np.full(100, 0.1)])
    types = np.repeat([1, 2], [80, 20])
    cell = np.diag([10.0, 10.0, 0.5])
    moved = positions + np.array([0.1, 0, 0])
    frames = [frame(x, cell, step=k, types=types) for k, x in enumerate((positions, moved))]
    path = write(tmp_path / "run.dump", *frames)
    done = targets(path, "-o", tmp_path / "t.npz")
    assert done.exit_code == 0, done.stderr
    sample = read_sample(tmp_path / "t.npz")
    assert sample.configuration.mixture is None
    assert sample.configuration.box.periodic == (True, True, False)
    np.testing.assert_allclose(sample.propensity, 0.1)
    np.testing.assert_array_equal(sample.graph.center, read(tmp_path / "t.npz")["center"])


def test_a_wall_along_z_has_no_images_behind_it(tmp_path):
    """Two particles at two walls of `boundary p p f` are no neighbors, but they are along x."""
    positions = np.array([[0.2, 4, 0.2], [0.2, 4, 7.8], [7.8, 4, 0.2], [4, 4, 4]])
    frames = [frame(positions, np.eye(3) * 8, step=k, boundary="pp pp ff") for k in (0, 1)]
    path = write(tmp_path / "run.dump", *frames)
    done = targets(path, "-o", tmp_path / "t.npz")
    assert done.exit_code == 0, done.stderr
    found = read(tmp_path / "t.npz")
    assert list(zip(found["center"], found["neighbor"], strict=True)) == [(0, 2), (2, 0)]
    assert found["periodic"].tolist() == [True, True, False]


@pytest.mark.parametrize("box", [[3.4, 3.4, 3.4], [20.0, 20.0, 1.0]])
def test_a_box_smaller_than_two_cutoffs_is_refused(tmp_path, box):
    """Also the thin box of a two-dimensional run, where particles would see their own images."""
    rng = np.random.default_rng(1)
    positions = rng.random((30, 3)) * box
    frames = [frame(positions, np.diag(box), step=k) for k in (0, 1)]
    path = write(tmp_path / "run.dump", *frames)
    done = targets(path, "-o", tmp_path / "targets.npz")
    assert done.exit_code == 1
    assert "run.dump: frame 0: the box is smaller than two cutoffs" in done.stderr
    assert not (tmp_path / "targets.npz").exists()

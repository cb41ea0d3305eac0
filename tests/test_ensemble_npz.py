"""Ensembles as npz files: what is written comes back, and the files of GlassBench are read."""

import numpy as np
import pytest
from public_data import ka2d, needs_ka2d

from lammps_botan.files.ensemble import read_ensemble, read_start, same_time
from lammps_botan.files.ensemble_npz import write_ensemble
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN, Mixture

RNG = np.random.default_rng(7)
SKEWED = np.array([[5.0, 0, 0], [1.5, 4.0, 0], [-1.0, 0.5, 6.0]])
OWN = Mixture(
    name="own",
    units="metal",
    species=("Cu", "Zr", "Al"),
    masses=(63.5, 91.2, 27.0),
    fractions=(0.5, 0.25, 0.25),
    bond_lengths=((3.3, 3.5, 3.4), (3.5, 4.0, 3.7), (3.4, 3.7, 3.6)),
    diameter=2.6,
)
BOXES = {
    "orthogonal": Box([4.0, 5.0, 6.0], (True, True, True)),
    "slab": Box([4.0, 5.0, 6.0], (True, True, False)),
    "slab from -3 to 3": Box([4.0, 5.0, 6.0], (True, True, False), [0.0, 0.0, -3.0]),
    "triclinic": Box(SKEWED, (True, True, True)),
    "plane": Box([4.0, 5.0], (True, True, False)),
}
SPECIES = [0, 0, 0, 0, 1, 1, 2, 2]


def configuration(name, mixture=OWN, **known):
    dimension = 2 if name == "plane" else 3
    if dimension == 2 and mixture is not None:
        mixture = mixture.model_copy(update={"dimension": 2})
    positions = RNG.random((8, dimension)) * 4
    return Configuration(
        positions=positions, species=SPECIES, box=BOXES[name], mixture=mixture, **known
    )


@pytest.mark.parametrize("name", BOXES)
def test_runs_and_all_that_is_known_come_back(name, tmp_path):
    start = configuration(name, temperature=900.0, inherent_energies=RNG.random(8))
    start = Configuration(**(vars(start) | {"inherent_positions": start.positions + 0.1}))
    final = start.positions + RNG.normal(0, 0.3, (5, 8, 3)) * [1, 1, name != "plane"]
    written = Ensemble(configuration=start, final=final, lag_time=12.5)
    write_ensemble(tmp_path / "e.npz", written, seed=4711)
    back = read_ensemble(tmp_path / "e.npz")
    for one, other in ((back.configuration, start), (read_start(tmp_path / "e.npz"), start)):
        for key in ("positions", "species", "inherent_positions", "inherent_energies"):
            np.testing.assert_array_equal(getattr(one, key), getattr(other, key))
        assert one.mixture == other.mixture
        assert (one.units, one.temperature, one.dimension) == ("metal", 900.0, other.dimension)
        np.testing.assert_array_equal(one.box.cell, other.box.cell)
        assert one.box.periodic == other.box.periodic
        np.testing.assert_array_equal(one.box.origin, other.box.origin)
        assert one.sha256 == other.sha256
    np.testing.assert_array_equal(back.final, final)
    assert (back.lag_time, back.propensity, back.path) == (12.5, None, tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz") as arrays:
        assert arrays["seed"] == 4711
        assert {"types", "initial_positions", "positions", "box", "time", "mixture"} <= set(arrays)


def test_an_origin_of_another_shape_is_refused(tmp_path):
    arrays = {"box": 5.0, "types": [0, 1], "initial_positions": np.eye(2, 3), "propensity": [1, 2]}
    np.savez(tmp_path / "e.npz", **arrays, origin=[0.0, 1.0])
    with pytest.raises(ValueError, match=r"e\.npz: origin must have shape \[3\], found \[2\]"):
        read_ensemble(tmp_path / "e.npz")


def test_targets_come_back_in_place_of_runs(tmp_path):
    start = configuration("orthogonal")
    written = Ensemble(
        configuration=start,
        final=np.zeros((0, 8, 3)),
        propensity=np.arange(8) / 4,
        pair_distance_change=np.arange(6) / 8,
    )
    write_ensemble(tmp_path / "e.npz", written)
    back = read_ensemble(tmp_path / "e.npz")
    assert back.n_runs == 0
    assert back.lag_time is None
    np.testing.assert_array_equal(back.propensity, written.propensity)
    np.testing.assert_array_equal(back.pair_distance_change, written.pair_distance_change)


@pytest.mark.parametrize("species", [[1, 2], [1, 1], [2, 2], [0, 2], [2, 1]])
def test_species_are_the_same_where_the_first_is_absent(tmp_path, species):
    """As in targets of a group of atoms; types of other files that begin with 1 are LAMMPS's."""
    box = Box(9.0, (True, True, False))
    start = Configuration(np.eye(2, 3), species, box, mixture=KA2D)
    write_ensemble(tmp_path / "e.npz", Ensemble(start, np.eye(2, 3)[None]))
    assert read_ensemble(tmp_path / "e.npz").species.tolist() == species
    content = dict(np.load(tmp_path / "e.npz"))
    content.pop("first_type", None)
    if species == [1, 2]:
        np.savez(tmp_path / "foreign.npz", **content)
        assert read_ensemble(tmp_path / "foreign.npz").species.tolist() == [0, 1]
    np.savez(tmp_path / "wrong.npz", **content, first_type=1)
    with pytest.raises(ValueError, match="first_type must be 0, or left out, found 1"):
        read_ensemble(tmp_path / "wrong.npz")


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    ensemble = Ensemble(configuration=configuration("slab"), final=np.zeros((1, 8, 3)))
    (tmp_path / "e.npz").write_text("before")
    with pytest.raises(ValueError, match="setting an array element"):
        write_ensemble(tmp_path / "e.npz", ensemble, ragged=[[1], [1, 2]])
    assert (tmp_path / "e.npz").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["e.npz"]
    with pytest.raises(OSError, match=r"no/e\.npz"):
        write_ensemble(tmp_path / "no" / "e.npz", ensemble)


def test_the_mixture_of_the_file_must_be_the_one_that_is_expected(tmp_path):
    ensemble = Ensemble(configuration=configuration("slab"), final=np.zeros((1, 8, 3)))
    write_ensemble(tmp_path / "e.npz", ensemble)
    assert read_start(tmp_path / "e.npz", mixture=OWN).mixture == OWN
    with pytest.raises(
        ValueError, match=r"holds the mixture own, expected kob-andersen; they differ"
    ):
        read_start(tmp_path / "e.npz", mixture=KOB_ANDERSEN)


def test_without_a_mixture_the_composition_tells_a_shipped_one(tmp_path):
    for species, expected in (
        ([0] * 8 + [1] * 2, KOB_ANDERSEN),
        ([1] * 8 + [2] * 2, KOB_ANDERSEN),
        ([0] * 7 + [1] * 3, None),
    ):
        np.savez(
            tmp_path / "e.npz",
            types=species,
            initial_positions=RNG.random((10, 3)),
            positions=RNG.random((1, 10, 3)),
            box=3.0,
        )
        assert read_start(tmp_path / "e.npz").mixture is expected


def test_model_files_of_glassbench_are_read_as_they_are(tmp_path):
    """Their keys, temperatures as text, types from 1 and two components."""
    n, times = 43, 3
    initial = RNG.random((n, 2)) * 6
    md_prop = RNG.random((times, n))
    path = tmp_path / "model.npz"
    np.savez(
        path,
        types=np.array([1] * 20 + [2] * 11 + [3] * 12),
        initial_positions=initial,
        initial_positions_inherent=initial + 0.05,
        initial_positions_cage=initial - 0.05,
        md_prop=md_prop,
        bb_prop=RNG.random((times, n)),
        box=6.0,
        temperature="0.23",
    )
    for k in range(times):
        read = read_ensemble(path, time_index=k)
        np.testing.assert_array_equal(read.propensity, md_prop[k])
        assert read.n_runs == 0
    start = read.configuration
    assert start.mixture is KA2D
    assert (start.dimension, start.temperature) == (2, 0.23)
    assert np.bincount(start.species).tolist() == [20, 11, 12]
    np.testing.assert_array_equal(start.inherent_positions[:, :2], initial + 0.05)
    assert start.box.periodic == (True, True, False)
    for bad in (None, 3, -1):
        with pytest.raises(ValueError, match=r"holds 3 lag times; choose one .*--time-index"):
            read_ensemble(path, time_index=bad)


@needs_ka2d
@pytest.mark.parametrize(
    ("time", "mean"),
    [
        *[(5, 0.053), (10, 0.122), (15, 0.126), (20, 0.132)],
        *[(25, 0.130), (30, 0.134), (35, 0.191), (40, 0.626)],
    ],
)
def test_ka2d_files_are_read_as_they_are(time, mean):
    """The golden mean propensity of species 1, from displacements in the plane."""
    ensemble = read_ensemble(ka2d(time))
    start = ensemble.configuration
    assert start.mixture is KA2D
    assert np.bincount(start.species).tolist() == [600, 330, 360]
    assert ensemble.final.shape == (20, 1290, 3)
    assert not ensemble.final[:, :, 2].any()
    moved = np.linalg.norm(ensemble.final - ensemble.initial, axis=2).mean(axis=0)
    assert moved[start.species == 0].mean() == pytest.approx(mean, abs=5e-4)
    assert start.density == pytest.approx(KA2D.density, rel=1e-3)
    inherent = start.box.minimum_image(start.inherent_positions - start.positions)
    assert np.sqrt((inherent**2).sum(axis=1).mean()) == pytest.approx(0.101, abs=5e-4)


def test_lag_times_are_the_same_up_to_one_percent():
    assert same_time(4120.0, 4100.0)
    assert not same_time(4120.0, 4000.0)
    assert same_time(None, 4000.0)


def test_a_folder_says_what_to_type(tmp_path):
    with pytest.raises(ValueError, match="found a folder without any"):
        read_ensemble(tmp_path)
    (tmp_path / "a.npz").touch()
    with pytest.raises(ValueError, match=r"found a folder; type .*/\*\.npz"):
        read_ensemble(tmp_path)

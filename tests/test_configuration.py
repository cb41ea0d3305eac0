"""Configurations: checked once, when they are made."""

import hashlib
import struct

import numpy as np
import pytest

from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.ensemble import Ensemble
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

CUBE = Box(5.0, (True, True, True))
FLAT = Box([5.0, 5.0], (True, True, False))
PAIR = [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]


def pair(**changes):
    return Configuration(**({"positions": PAIR, "species": [0, 1], "box": CUBE} | changes))


def test_arrays_become_float64_and_int64_and_ids_count_from_1():
    made = pair(positions=np.array(PAIR, np.float32), species=np.array([0.0, 1.0]))
    assert (made.positions.dtype, made.species.dtype) == (np.float64, np.int64)
    assert made.ids.tolist() == [1, 2]
    assert made.types.tolist() == [1, 2]
    assert (made.n_particles, made.n_species, made.dimension) == (2, 2, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.zeros(3)}, r"positions must have shape \[n_particles, 3\], found \[3\]"),
        ({"positions": np.zeros((2, 4))}, r"positions must have shape .* found \[2, 4\]"),
        ({"positions": [["x"] * 3] * 2}, "positions must be numbers, found the type <U1"),
        ({"positions": np.zeros((2, 2))}, "two components, so that the box must not be periodic"),
        ({"positions": [[0, 0, 0], [0, np.nan, 0]]}, "must be finite, found .* for particle 1"),
        ({"species": [0]}, r"species must have shape \[2\], one per position, found \[1\]"),
        ({"species": [0, -1]}, r"species must be integers from 0, found \[-1  0\]"),
        ({"species": [0, 0.5]}, "species must be integers from 0"),
        ({"species": ["A", "B"]}, "species must be integers from 0"),
        ({"ids": [0, 1]}, "ids must be integers from 1"),
        ({"ids": [7, 7]}, "atom ID 7 appears twice"),
        ({"inherent_positions": np.zeros((3, 3))}, r"inherent_positions must have shape \[2, 3\]"),
        ({"inherent_positions": [[0, 0, 0], [np.inf, 0, 0]]}, "inherent_positions must be finite"),
        (
            {"inherent_energies": [1.0]},
            r"inherent_energies must be 2 finite numbers, .*\[1\]",
        ),
        ({"species": [0, 2], "mixture": KOB_ANDERSEN}, "species number 2, but kob-andersen has 2"),
        ({"units": "metal", "mixture": KOB_ANDERSEN}, "in metal units, but kob-andersen in lj"),
        ({"mixture": KA2D}, "ka2d is two-dimensional: .* in one plane, found z from 0 to 3"),
        (
            {"positions": np.eye(3)[:2], "box": FLAT, "mixture": KOB_ANDERSEN},
            "kob-andersen is three-dimensional, but all particles lie in one plane",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=rf"^run\.dump: .*{message}"):
        pair(where="run.dump", **changes)


def test_a_mixture_gives_names_units_and_dimension():
    made = pair(mixture=KOB_ANDERSEN)
    assert (made.species_names, made.units, made.dimension) == (("A", "B"), "lj", 3)


def test_two_components_are_a_plane_and_its_density_is_by_area():
    made = pair(positions=[[0.0, 1.0], [2.0, 3.0]], box=FLAT)
    assert made.positions.tolist() == [[0, 1, 0], [2, 3, 0]]
    assert (made.dimension, made.density) == (2, 2 / 25)
    assert pair().density == pytest.approx(2 / 125, rel=1e-12)


def test_a_two_dimensional_mixture_takes_the_images_along_z_away():
    made = pair(positions=[[0.0, 0, 1], [1.0, 1, 1]], box=Box([5, 5, 1], (True,) * 3), mixture=KA2D)
    assert made.box.periodic == (True, True, False)
    assert made.density == 2 / 25


def test_the_hash_is_that_of_the_positions_to_six_decimals():
    made = pair(positions=[[0.1234564, -0.0000001, 2.0], [1.0, 2.0, 3.0]])
    text = struct.pack("<6d", 0.123456, 0.0, 2.0, 1.0, 2.0, 3.0)
    assert made.sha256 == hashlib.sha256(text).hexdigest()
    assert made.sha256 == pair(positions=made.positions + 3e-8, species=[1, 0]).sha256
    assert made.sha256 != pair(positions=made.positions + 1e-5).sha256


def test_selected_particles_keep_what_is_known_of_them():
    made = pair(
        ids=[8, 5],
        columns={"charge": [0.5, -0.5]},
        inherent_positions=np.ones((2, 3)),
        inherent_energies=[-1.0, -2.0],
    )
    second = made.select(np.array([False, True]))
    assert second.ids.tolist() == [5]
    assert second.positions.tolist() == [PAIR[1]]
    assert second.columns["charge"].tolist() == [-0.5]
    assert second.inherent_energies.tolist() == [-2.0]


def test_types_are_mapped_by_words_and_null_is_left_out():
    three = Configuration(positions=np.eye(3), species=[2, 0, 1], box=CUBE, ids=[4, 5, 6])
    mapped, inside = three.as_mixture(KOB_ANDERSEN, ["B", "NULL", "A"])
    assert mapped.species.tolist() == [0, 1]
    assert mapped.ids.tolist() == [4, 5]
    assert inside.tolist() == [0, 1]
    assert mapped.mixture is KOB_ANDERSEN


def test_names_of_the_file_count_before_numbers():
    mapped, _ = pair(species_names=("B", "A")).as_mixture(KOB_ANDERSEN)
    assert mapped.species.tolist() == [1, 0]
    mapped, _ = pair().as_mixture(KOB_ANDERSEN)
    assert mapped.species.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changes", "words", "message"),
    [
        ({"species": [0, 2]}, None, "atoms of type 3, but species for 2 types: A B"),
        ({}, ["A"], "atoms of type 2, but species for 1 types: A"),
        ({}, ["A", "C"], "kob-andersen has no species 'C'"),
        ({}, ["NULL", "NULL"], "no atom type has a species"),
        ({"species_names": ("Cu", "Zr")}, None, "kob-andersen has no species 'Cu'"),
        ({"units": "real"}, None, "in real units, but kob-andersen in lj units"),
    ],
)
def test_particles_that_are_not_of_the_mixture_are_refused(changes, words, message):
    with pytest.raises(ValueError, match=message):
        pair(**changes).as_mixture(KOB_ANDERSEN, words)


def test_an_ensemble_has_runs_of_the_same_particles():
    start = pair(positions=[[0.0, 1.0], [2.0, 3.0]], box=FLAT)
    runs = Ensemble(configuration=start, final=np.ones((4, 2, 2)), lag_time=1.0)
    assert runs.final.shape == (4, 2, 3)
    assert not runs.final[:, :, 2].any()
    assert runs.n_runs == 4
    for change, message in (
        ({"final": np.ones((4, 3, 3))}, r"must have shape \[n_runs, 2, 3\], found \[4, 3, 3\]"),
        ({"final": np.full((1, 2, 3), np.nan)}, "final holds values that are not finite"),
        ({"propensity": np.ones(3)}, r"propensity must have shape \[2\], found \[3\]"),
        ({"pair_distance_change": np.ones((2, 2))}, r"must have shape \[n_edges\], found \[2, 2\]"),
    ):
        with pytest.raises(ValueError, match=message):
            Ensemble(**({"configuration": start, "final": np.zeros((0, 2, 3))} | change))

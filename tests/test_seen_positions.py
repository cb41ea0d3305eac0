"""Models that see positions alone know one density and one composition, and tell of others."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from engines import network, physics
from public_data import CONFIGURATION_401, CONFIGURATION_402, needs_public_data
from scipy.spatial import cKDTree

from lammps_botan import Box, Configuration, Predictor
from lammps_botan.files.ensemble import read_start
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.input_quantities import input_quantities
from lammps_botan.network.input_statistics import InputStatistics
from lammps_botan.network.inputs import Inputs
from lammps_botan.network.metadata import read_metadata
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN

THERMAL = ["ka-t044", "ka-t044-equivariant"]


def told(predictor, configuration, species=None):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predictor.predict(configuration, species)
    return [str(one.message) for one in caught]


def larger(glass, factor):
    """The same in a box whose edges are longer by this factor."""
    box = Box(factor * glass.box.cell, glass.box.periodic, factor * glass.box.origin)
    return replace(glass, box=box, positions=factor * glass.positions)


def with_a(glass, n):
    """The same with n particles of A: others of them are called B."""
    species = glass.species.copy()
    (a,) = np.nonzero(species == 0)
    species[np.random.default_rng(0).permutation(a)[n:]] = 1
    return replace(glass, species=species)


@needs_public_data
@pytest.mark.parametrize("name", THERMAL)
@pytest.mark.parametrize("path", [CONFIGURATION_401, CONFIGURATION_402], ids=["401", "402"])
def test_configurations_that_are_right_are_scored_in_silence(name, path):
    assert told(Predictor(name), read_start(path)) == []


WRONG = {
    "swapped": lambda glass: replace(glass, species=1 - glass.species),
    "all are A": lambda glass: replace(glass, species=0 * glass.species),
    "A and B at random": lambda glass: replace(
        glass, species=np.random.default_rng(1).permutation(glass.species)
    ),
    "three quarters of A": lambda glass: with_a(glass, 3072),
    "density 0.90": lambda glass: larger(glass, 1.1),
    "density 1.13": lambda glass: larger(glass, 1.02),
    "density 1.27": lambda glass: larger(glass, 0.98),
}


@needs_public_data
@pytest.mark.parametrize(
    ("name", "wrong"),
    [*((THERMAL[0], wrong) for wrong in WRONG), (THERMAL[1], "all are A")],
)
def test_another_composition_or_density_is_told(name, wrong):
    """Predictions for them look like predictions, and are wrong by up to 90 %."""
    predictor = Predictor(name)
    glass = read_start(CONFIGURATION_401)
    (warning,) = told(predictor, WRONG[wrong](glass))
    assert f"{name}.pt sees is unlike what it saw in training: " in warning
    assert "Are species, composition, density and temperature those of the training?" in warning
    # and anew after one that is right
    assert told(predictor, glass) == []
    assert len(told(predictor, WRONG[wrong](glass))) == 1


@needs_public_data
def test_species_in_another_order_are_told_with_their_numbers():
    """B has 8.6 neighbors of its kind and 34.6 of A, counted by a tree of another library."""
    glass = read_start(CONFIGURATION_401)
    (warning,) = told(Predictor("ka-t044"), glass, ["B", "A"])
    edge = glass.box.cell[0, 0]
    tree = cKDTree((glass.positions - glass.box.origin) % edge, boxsize=edge)
    near = tree.query_pairs(2.0, output_type="ndarray")
    near = np.concatenate([near, near[:, ::-1]])
    a_of_b = np.bincount(near[glass.species[near[:, 1]] == 0, 0], minlength=4096)
    expected = a_of_b[glass.species == 1].mean()
    # what is B is called A, and what is A is called B
    found = re.search(r"number of B neighbors of A is (\S+) on average, 8\.66\d* \+- ", warning)
    assert float(found[1]) == pytest.approx(expected, rel=1e-3)


def test_neighbors_are_counted_and_the_nearest_is_measured_in_bond_lengths():
    """Four particles in a row, of which the last one is alone."""
    row = Configuration(
        positions=[[0.0, 0, 0], [1.0, 0, 0], [1.9, 0, 0], [9.0, 0, 0]],
        species=[0, 1, 0, 0],
        box=Box(20.0, (False, False, False)),
    )
    nothing = np.zeros((4, 0, 3), np.float32), np.zeros((4, 0), np.float32)
    found = input_quantities(build_graph(row, 1.95), *nothing, KOB_ANDERSEN)
    np.testing.assert_allclose(
        found,
        [
            [1, 1, 1.0 / 1.08],  # the B is nearer than the A 1.9 away
            [2, 0, 0.9 / 1.08],
            [1, 1, 0.9 / 1.08],
            [0, 0, np.nan],
        ],
    )
    assert Inputs().quantities(["A", "B"]) == [
        "number of A neighbors",
        "number of B neighbors",
        "distance to the nearest neighbor (in bond lengths)",
    ]


def test_a_thermal_network_keeps_what_it_saw(tmp_path):
    saw = InputStatistics(mean=[[32.0, 8.0, 0.75]] * 2, deviation=[[2.0, 2.0, 0.02]] * 2)
    export(Checkpoint(network(), physics(), {}, saw), tmp_path / "m.pt")
    assert read_metadata(tmp_path / "m.pt").seen == saw
    with pytest.raises(ValueError, match=r"expected 2 species with 3 quantities \(number of A nei"):
        Checkpoint(
            network(), physics(), {}, InputStatistics(mean=[[1.0]] * 2, deviation=[[1.0]] * 2)
        )

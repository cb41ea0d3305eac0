"""A density that differs by 2 % is told, and one that is not that of the liquid is not compared."""

from dataclasses import replace

import numpy as np
import pytest
from public_data import CONFIGURATION_401, CONFIGURATION_402, needs_public_data
from test_seen_positions import larger, told

from lammps_botan import Box, Configuration, Predictor
from lammps_botan.files.ensemble import read_ensemble, read_start
from lammps_botan.network.number_density import unlike_density

OTHER_DENSITY = "number density is"


def longer_by(glass, share, axis=0):
    """The same particles where they are, in a box with one edge longer by this share."""
    factors = np.ones(3)
    factors[axis] += share
    box = replace(glass.box, cell=glass.box.cell * factors)
    return replace(glass, box=box, positions=glass.box.wrap(glass.positions))


@needs_public_data
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_edge_that_is_2_percent_too_long_is_told(axis):
    """It makes the mean propensity of A 0.654 in place of 0.526."""
    glass = read_start(CONFIGURATION_401)
    (warning,) = told(Predictor("ka-t044"), longer_by(glass, 0.02, axis))
    assert "number density is 1.176, 1.2 in training" in warning
    assert "number of A neighbors of A is" in warning


@needs_public_data
@pytest.mark.parametrize("density", [1.16, 1.18, 1.22])
@pytest.mark.parametrize("name", ["ka-t044", "ka-t044-equivariant"])
def test_densities_near_that_of_the_training_are_told(name, density):
    glass = larger(read_start(CONFIGURATION_402), (1.2 / density) ** (1 / 3))
    (warning,) = told(Predictor(name), glass)
    assert f"number density is {density:g}, 1.2 in training" in warning


@needs_public_data
def test_the_temperature_of_another_shipped_model_is_told():
    """The nearest neighbor of a particle is closer by half a deviation in the warmer liquid."""
    (warning,) = told(Predictor("ka-t064"), read_start(CONFIGURATION_401))
    assert "distance to the nearest neighbor (in bond lengths) of A is" in warning
    assert OTHER_DENSITY not in warning


@needs_public_data
@pytest.mark.parametrize("path", [CONFIGURATION_401, CONFIGURATION_402], ids=["401", "402"])
def test_runs_from_a_configuration_are_scored_in_silence(path):
    """Equilibrium at the same temperature and density, one relaxation time later."""
    runs = read_ensemble(path)
    predictor = Predictor("ka-t044")
    for final in runs.final[:6]:
        assert told(predictor, Configuration(final, runs.species, runs.box)) == []


@needs_public_data
@pytest.mark.parametrize("change", ["free surface", "slab", "others are left out"])
def test_a_density_that_is_not_that_of_the_liquid_is_not_compared(change):
    glass = read_start(CONFIGURATION_401)
    words = None
    if change == "free surface":
        box = replace(longer_by(glass, 0.1).box, periodic=(False, True, True))
        glass = replace(glass, box=box)
    elif change == "slab":
        glass = longer_by(glass, 0.2)  # 3 long
    else:
        species = glass.species.copy()
        species[::20] = 2
        glass, words = Configuration(glass.positions, species, glass.box), ["A", "B", "NULL"]
    assert all(OTHER_DENSITY not in one for one in told(Predictor("ka-t044"), glass, words))


def gas(n, density, *, dimension=3, **changes):
    """Particles anywhere."""
    edge = (n / density) ** (1 / dimension)
    positions = np.random.default_rng(3).random((n, 3)) * edge
    if dimension == 2:
        positions[:, 2] = 0.0
    box = Box(edge if dimension == 3 else [edge, edge], (True, True, dimension == 3))
    return replace(Configuration(positions, np.zeros(n, np.int64), box), **changes)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize(("n", "largest"), [(10_000, 0.008), (2500, 0.011), (900, 0.015)])
def test_a_density_may_differ_by_half_a_percent_and_three_deviations_in_a_barostat(
    n, largest, dimension
):
    """In two dimensions it is that of the area."""
    for sign in (-1, 1):
        for more, is_unlike in ((-0.0002, False), (0.0002, True)):
            found = gas(n, 3.0 * (1 + sign * (largest + more)), dimension=dimension)
            assert bool(unlike_density(found, 3.0, 1.0)) == is_unlike


def test_a_layer_as_thick_as_the_gap_is_vacuum_and_less_than_half_of_it_is_none():
    """Wherever it lies, and in a skewed box."""
    skewed = np.array([[9.0, 0, 0], [3.0, 9, 0], [-2.0, 4, 9]])
    for cell in (np.diag([9.0, 9.0, 9.9]), skewed):
        box = Box(cell, (True, True, True))
        places = np.random.default_rng(5).random((3000, 3))
        for axis in range(3):
            height = box.heights[axis]
            for thick, is_vacuum in ((2.02, True), (0.85, False)):
                for begin in np.linspace(0, 1, 21):
                    inside = places.copy()
                    share = 1 - thick / height
                    inside[:, axis] = begin + share * inside[:, axis]
                    one = Configuration(inside @ box.cell, np.zeros(3000, np.int64), box)
                    assert (unlike_density(one, 1.0, 2.0) == []) == is_vacuum


def test_nothing_is_compared_where_the_density_of_the_training_is_not_known():
    assert unlike_density(gas(500, 1.0), None, 1.0) == []
    assert unlike_density(gas(500, 1.0).select([]), 2.0, 1.0) == []
    # a file may say anything that is a number
    for nonsense in (0.0, -1.0, 1e308):
        assert len(unlike_density(gas(500, 1.0), nonsense, 1.0)) == 1


def test_a_huge_box_takes_no_memory_of_its_size():
    far = gas(10, 1.0, box=Box(1e15, (True, True, True)))
    assert unlike_density(far, 1.0, 1e-3) == []

"""Targets: against the public implementation, against loops, and exact cases."""

import importlib
import sys

import numpy as np
import pytest
from public_data import CONFIGURATION_401, FOLDER, needs_public_data, reference_graph

from lammps_botan.analysis.sample import read_sample
from lammps_botan.analysis.targets import (
    AVERAGE_CUTOFF,
    RELATIVE_CUTOFF,
    bond_breakage,
    bonded,
    neighbor_averaged_displacement,
    pair_distance_change,
    propensity,
    relative_displacement,
)
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

ROUNDING = 1e-10  # of quantities that are zero, after displacements of up to 1000
BOXES = {
    "orthogonal": np.diag([5.5, 6.0, 6.5]),
    "triclinic": np.array([[6.0, 0, 0], [1.2, 5.8, 0], [-0.8, 0.6, 6.2]]),
}


PERIODIC = (True, True, True)
# one species, whose bonds form below 1.35 and break beyond 1.7
EQUAL = Mixture(
    name="equal",
    units="lj",
    species=("A",),
    masses=(1.0,),
    fractions=(1.0,),
    bond_lengths=((1.35,),),
    diameter=1.0,
)


def graph_of(positions, box, species=None, *, cutoff=2.0):
    species = np.zeros(len(positions), int) if species is None else species
    return build_graph(Configuration(np.asarray(positions), species, box), cutoff)


@pytest.fixture(params=BOXES)
def liquid(request):
    rng = np.random.default_rng(7)
    box = Box(BOXES[request.param], PERIODIC)
    initial = rng.random((60, 3)) @ box.cell
    return initial, box, graph_of(initial, box, rng.integers(2, size=60)), rng


@needs_public_data
def test_targets_of_configuration_401_are_the_public_ones():
    reference = reference_graph()
    sample = read_sample(CONFIGURATION_401)
    np.testing.assert_allclose(sample.propensity, reference["propensity"], atol=1e-5)
    np.testing.assert_allclose(
        sample.pair_distance_change, reference["pair_distance_change"], atol=1e-5
    )
    species = sample.graph.species
    np.testing.assert_array_equal(species == 0, reference["mask_node"])
    bonds = bonded(sample.graph, KOB_ANDERSEN)
    of_a = (species[bonds.center] == 0) & (species[bonds.neighbor] == 0)
    mask = reference["mask_edge"]
    np.testing.assert_array_equal(bonds.center[of_a], reference["center"][mask])
    np.testing.assert_array_equal(bonds.neighbor[of_a], reference["neighbor"][mask])


def test_targets_are_those_of_loops(liquid):
    initial, box, graph, rng = liquid
    final = (
        initial + rng.normal(0, 0.3, (4, *initial.shape)) + rng.integers(-1, 2, (60, 3)) @ box.cell
    )
    expected_s = [
        np.mean([np.linalg.norm(run[i] - initial[i]) for run in final]) for i in range(60)
    ]
    np.testing.assert_allclose(propensity(initial, final), expected_s, rtol=1e-12)

    shifts = np.array(np.meshgrid(*[range(-3, 4)] * 3)).reshape(3, -1).T @ box.cell
    expected_e = []
    for i, j, distance in zip(graph.center, graph.neighbor, graph.distances, strict=True):
        runs = [np.linalg.norm(run[i] - run[j] + shifts, axis=1).min() for run in final]
        expected_e.append(np.mean(runs) - distance)
    change = pair_distance_change(initial, final, graph, box)
    np.testing.assert_allclose(change, expected_e, atol=1e-12)


@pytest.mark.parametrize("cutoff", [RELATIVE_CUTOFF, 1.2])
def test_relative_displacements_are_those_of_loops(liquid, cutoff):
    """Equations of R, D and C with least squares, particle by particle and run by run.

    With the shorter cutoff many particles have fewer than three neighbors, some none.
    """
    initial, _, graph, rng = liquid
    near = graph.within(cutoff)
    final = initial + rng.normal(0, 0.3, (4, 60, 3))
    expected = np.full((3, 60), np.nan)
    for i in range(60):
        mine = near.center == i
        v = near.vectors[mine]
        runs = []
        for run in final if len(v) else []:
            change = (run - initial)[i] - (run - initial)[near.neighbor[mine]]
            strain = np.linalg.lstsq(v, change, rcond=None)[0].T
            y = v + change - v @ (np.eye(3) + strain).T
            r = np.linalg.norm(y.mean(axis=0))
            d = np.sqrt((y**2).sum(axis=1).mean())
            runs.append((r, d, np.linalg.norm(change.mean(axis=0))))
        if runs:
            expected[:, i] = np.mean(runs, axis=0)
    found = relative_displacement(initial, final, near)
    np.testing.assert_allclose([found.r, found.d, found.c], expected, atol=ROUNDING)


def test_averaged_displacements_are_those_of_loops(liquid):
    initial, _, graph, rng = liquid
    near = graph.within(AVERAGE_CUTOFF)
    final = initial + rng.normal(0, 0.3, (4, 60, 3))
    expected = [
        np.mean(
            [(run - initial)[[i, *near.neighbor[near.center == i]]].mean(0) for run in final], 0
        )
        for i in range(60)
    ]
    found = neighbor_averaged_displacement(initial, final, near)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_broken_bonds_are_those_of_loops(liquid):
    initial, box, graph, rng = liquid
    final = (
        initial + rng.normal(0, 0.3, (4, *initial.shape)) + rng.integers(-1, 2, (60, 3)) @ box.cell
    )
    shifts = np.array(np.meshgrid(*[range(-3, 4)] * 3)).reshape(3, -1).T @ box.cell
    sigma = {(0, 0): 1.0, (0, 1): 0.8, (1, 0): 0.8, (1, 1): 0.88}
    expected = np.full(60, np.nan)
    for i in range(60):
        fates = []
        for j in set(range(60)) - {i}:
            length = sigma[graph.species[i], graph.species[j]]
            if np.linalg.norm(initial[i] - initial[j] + shifts, axis=1).min() < 1.35 * length:
                ends = [np.linalg.norm(run[i] - run[j] + shifts, axis=1).min() for run in final]
                fates.append(np.mean(np.array(ends) > 1.7 * length))
        if fates:
            expected[i] = np.mean(fates)
    bonds = bonded(graph, KOB_ANDERSEN)
    found = bond_breakage(initial, final, bonds, box, KOB_ANDERSEN)
    assert np.isnan(expected).any()
    assert 0 < np.nanmean(expected) < 1
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_uniform_translation_leaves_every_particle_with_its_neighbors(liquid):
    initial, box, graph, _ = liquid
    shift = np.array([300.0, -400.0, 1200.0])
    final = np.stack([initial + shift])
    near = graph.within(1.2)
    found = relative_displacement(initial, final, near)
    counted = np.bincount(near.center, minlength=60) > 0
    assert set(counted) == {True, False}
    for values in (found.r, found.d, found.c):
        np.testing.assert_allclose(values[counted], 0, atol=ROUNDING)
        assert np.isnan(values[~counted]).all()
    averaged = neighbor_averaged_displacement(initial, final, graph.within(AVERAGE_CUTOFF))
    np.testing.assert_allclose(averaged, np.broadcast_to(shift, (60, 3)))
    broken = bond_breakage(initial, final, bonded(graph, KOB_ANDERSEN), box, KOB_ANDERSEN)
    np.testing.assert_array_equal(broken[np.isfinite(broken)], 0)


@pytest.mark.parametrize("size", [1e-3, 0.2])
def test_a_uniform_strain_is_taken_out_of_r_and_d_but_not_of_c(size):
    """A cluster in the middle of a large box, sheared, stretched and turned."""
    rng = np.random.default_rng(11)
    initial = 30 + rng.uniform(-2, 2, (80, 3))
    strains = rng.uniform(-size, size, (3, 3, 3))
    final = np.stack([initial + (initial - 30) @ strain.T for strain in strains])
    graph = graph_of(initial, Box(60.0, PERIODIC), cutoff=RELATIVE_CUTOFF)
    found = relative_displacement(initial, final, graph)
    np.testing.assert_allclose(found.r, 0, atol=ROUNDING)
    np.testing.assert_allclose(found.d, 0, atol=ROUNDING)
    assert found.c.min() > 1e-3 * size


def test_three_neighbors_can_go_anywhere_by_a_strain():
    """Three independent directions determine the strain, and leave nothing over."""
    initial = 5 + np.array([[0.0, 0, 0], [1, 0, 0], [0, 1.1, 0], [0, 0.2, 1]])
    final = initial + np.random.default_rng(2).normal(0, 0.3, (5, 4, 3))
    graph = graph_of(initial, Box(10.0, PERIODIC), cutoff=1.2)
    found = relative_displacement(initial, final, graph)
    assert np.bincount(graph.center)[0] == 3
    np.testing.assert_allclose([found.r[0], found.d[0]], 0, atol=ROUNDING)
    assert found.c[0] > 0.1


def test_two_dimensions_have_a_strain_in_the_plane():
    rng = np.random.default_rng(12)
    initial = np.column_stack([rng.uniform(10, 14, (60, 2)), np.zeros(60)])
    strain = np.array([[0.1, 0.05, 0], [-0.02, -0.1, 0], [0, 0, 0]])
    flat = graph_of(initial, Box([30, 30, 1], (True, True, False)), cutoff=1.6)
    found = relative_displacement(initial, (initial + initial @ strain.T)[None], flat)
    np.testing.assert_allclose([found.r, found.d], 0, atol=ROUNDING)
    assert found.c.min() > 1e-4


def test_a_uniform_translation_moves_all_and_changes_no_distance(liquid):
    initial, box, graph, _ = liquid
    shift = np.array([0.3, -0.4, 1.2])
    final = np.stack([initial + shift, initial - shift])
    np.testing.assert_allclose(propensity(initial, final), 1.3)
    np.testing.assert_allclose(pair_distance_change(initial, final, graph, box), 0, atol=1e-12)


def test_one_moved_particle_changes_its_own_pairs_alone(liquid):
    initial, box, graph, _ = liquid
    final = initial[None].copy()
    final[0, 5] += [0.0, 0.1, 0.0]
    moved = propensity(initial, final)
    assert np.flatnonzero(moved).tolist() == [5]
    assert moved[5] == pytest.approx(0.1)
    change = pair_distance_change(initial, final, graph, box)
    touched = (graph.center == 5) | (graph.neighbor == 5)
    assert np.all(np.abs(change[~touched]) < 1e-12)
    assert np.all(np.abs(change[touched]) > 0)


def test_one_moved_particle_is_seen_by_its_neighbors(liquid):
    initial, box, graph, _ = liquid
    moved = np.array([0.03, -0.04, 0.12])  # |moved| = 0.13
    final = initial[None].copy()
    final[0, 5] += moved
    near = graph.within(RELATIVE_CUTOFF)
    counts = np.bincount(near.center, minlength=60)
    others = near.neighbor[near.center == 5]
    assert len(others) > 0
    expected = np.where(counts > 0, 0, np.nan)
    expected[5] = 0.13
    expected[others] = 0.13 / counts[others]
    found = relative_displacement(initial, final, near)
    np.testing.assert_allclose(found.c, expected, atol=1e-12)
    expected_average = np.zeros((60, 3))
    for i in (5, *others):
        expected_average[i] = moved / (1 + counts[i])
    averaged = neighbor_averaged_displacement(initial, final, near)
    np.testing.assert_allclose(averaged, expected_average, atol=1e-12)
    change = pair_distance_change(initial, final, graph, box)
    away = graph.center == 5
    expected_change = np.linalg.norm(graph.vectors[away] + moved, axis=1) - graph.distances[away]
    np.testing.assert_allclose(change[away], expected_change, atol=1e-12)


def test_a_bond_is_broken_beyond_the_second_threshold():
    """Bonds 1-0 and 1-2 of 1.2: one is drawn to 1.6, one to 1.8, the latter in one run of two."""
    initial = np.array([[2.0, 5, 5], [3.2, 5, 5], [4.4, 5, 5], [8.0, 5, 5]])
    final = np.stack([initial, initial])
    final[:, 0, 0] -= 0.4
    final[0, 2, 0] += 0.6
    box = Box(10.0, PERIODIC)
    found = bond_breakage(initial, final, bonded(graph_of(initial, box), EQUAL), box, EQUAL)
    np.testing.assert_allclose(found, [0.0, 0.25, 0.5, np.nan])


def test_bonds_of_one_length_are_the_graph_of_that_cutoff(liquid):
    initial, box, _, _ = liquid
    expected = graph_of(initial, box, cutoff=1.35)
    found = bonded(graph_of(initial, box), EQUAL)
    np.testing.assert_array_equal(found.center, expected.center)
    np.testing.assert_array_equal(found.neighbor, expected.neighbor)
    np.testing.assert_array_equal(found.vectors, expected.vectors)


def test_no_particle_has_no_targets():
    nothing = np.zeros((0, 3))
    box = Box(5.0, PERIODIC)
    graph = graph_of(nothing, box)
    assert relative_displacement(nothing, nothing[None], graph).d.shape == (0,)
    assert neighbor_averaged_displacement(nothing, nothing[None], graph).shape == (0, 3)
    assert bond_breakage(nothing, nothing[None], graph, box, EQUAL).shape == (0,)


@needs_public_data
def test_mean_propensities_of_the_public_configurations():
    """Means over the 15 that the published values come from; 12 of them are public here.

    The means over 12 and over 15 differ by about .13 of the spread between configurations, which is
    .094 for A and .16 for B.
    """
    means = []
    for path in sorted(FOLDER.glob("T0.44/*/*.npz")):
        configuration = read_ensemble(path)
        s = propensity(configuration.initial, configuration.final)
        means.append([s[configuration.species == k].mean() for k in (0, 1)])
    assert len(means) == 12
    s_a, s_b = np.mean(means, axis=0)
    assert s_a == pytest.approx(0.511, abs=2 * 0.13 * 0.094)
    assert s_b == pytest.approx(0.942, abs=2 * 0.13 * 0.16)


def test_both_directions_of_a_pair_change_alike(liquid):
    initial, box, graph, rng = liquid
    change = pair_distance_change(initial, initial + rng.normal(0, 0.2, (3, 60, 3)), graph, box)
    by_pair = dict(zip(zip(graph.center, graph.neighbor, strict=True), change, strict=True))
    assert all(by_pair[j, i] == pytest.approx(value) for (i, j), value in by_pair.items())


def test_shapes_that_do_not_fit_are_refused(liquid):
    initial, box, graph, _ = liquid
    final = np.zeros((2, 59, 3))
    for call in (
        lambda: propensity(initial, final),
        lambda: pair_distance_change(initial, final, graph, box),
        lambda: relative_displacement(initial, final, graph),
        lambda: neighbor_averaged_displacement(initial, final, graph),
        lambda: bond_breakage(initial, final, graph, box, EQUAL),
    ):
        with pytest.raises(ValueError, match=r"found \[2, 59, 3\] and \[60, 3\]"):
            call()


def test_species_beyond_the_mixture_have_no_bond_lengths():
    graph = graph_of([[1.0, 1, 1], [2.0, 1, 1]], Box(9.0, PERIODIC), [0, 2])
    with pytest.raises(
        ValueError, match=r"kob-andersen has the species numbers 0 to 1, found \[0 2"
    ):
        bonded(graph, KOB_ANDERSEN)


def test_a_graph_that_lacks_bonds_is_refused():
    graph = graph_of([[1.0, 1, 1], [2.0, 1, 1]], Box(9.0, PERIODIC), cutoff=1.2)
    with pytest.raises(ValueError, match=r"cutoff 1.2, but bonds of kob-andersen are up to 1.35"):
        bonded(graph, KOB_ANDERSEN)


def test_a_ternary_liquid_in_other_lengths_has_the_same_targets_scaled(liquid):
    """Every length three times as long, bond lengths included: E too, and the same bonds break."""
    initial, box, _, rng = liquid
    species = rng.integers(3, size=60)
    final = initial + rng.normal(0, 0.3, (4, 60, 3))
    lengths = np.array([[1.35, 1.1, 1.2], [1.1, 1.3, 1.0], [1.2, 1.0, 1.5]])

    def mixture(scale):
        return Mixture(
            name="ternary",
            units="lj",
            species=("X", "Y", "Z"),
            masses=(1.0, 2.0, 3.0),
            fractions=(0.4, 0.3, 0.3),
            bond_lengths=tuple(map(tuple, scale * lengths)),
            diameter=scale,
        )

    def of(scale):
        own, cell = mixture(scale), Box(scale * box.cell, PERIODIC)
        graph = graph_of(scale * initial, cell, species, cutoff=2 * scale)
        bonds = bonded(graph, own)
        broken = bond_breakage(scale * initial, scale * final, bonds, cell, own)
        change = pair_distance_change(scale * initial, scale * final, graph, cell)
        return broken, change / scale

    for one, three in zip(of(1.0), of(3.0), strict=True):
        np.testing.assert_allclose(three, one, atol=1e-12)


def test_a_bond_in_the_plane_has_no_image_across_it():
    """Two particles in a box 1 thick: one bond for each, not one for each image along z."""
    initial = np.array([[2.0, 5, 0], [3.2, 5, 0]])
    flat = Box([10.0, 10.0, 1.0], (True, True, False))
    bonds = bonded(graph_of(initial, flat), EQUAL)
    assert bonds.n_edges == 2
    final = np.array([[[2.0, 5, 0], [3.8, 5, 0]]])
    assert bond_breakage(initial, final, bonds, flat, EQUAL).tolist() == [1, 1]


def test_the_former_address_goes_on_with_a_warning(liquid):
    initial, box, graph, rng = liquid
    final = initial + rng.normal(0, 0.2, (3, 60, 3))
    sys.modules.pop("lammps_botan.targets", None)
    with pytest.warns(DeprecationWarning, match=r"is now lammps_botan.analysis.targets"):
        former = importlib.import_module("lammps_botan.targets")
    np.testing.assert_array_equal(
        former.pair_distance_change(initial, final, graph, box.cell),
        pair_distance_change(initial, final, graph, box),
    )
    assert former.bonds(graph, 1.35).n_edges == graph.within(1.35).n_edges

"""Pearson's rho: the particles and bonds that it is taken over, and how high it can be."""

import numpy as np
import pytest

from lammps_botan.evaluation.pearson import (
    ceiling,
    correlation,
    edge_mask,
    halves_moments,
    lengthening,
    moments,
    node_mask,
    pearson,
    pool,
    random_halves,
    rho_pooled,
)
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

ROUNDING = 1e-12


def test_rho_is_pearsons():
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    assert pearson(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1], rel=ROUNDING)
    assert pearson(x, 3 - 2 * x) == pytest.approx(-1)


def test_rho_of_a_constant_or_of_nothing_is_nan():
    assert np.isnan(pearson(np.full(7, 0.1), np.arange(7.0)))
    assert np.isnan(pearson(np.full(7, 0.1, dtype=np.float32), np.arange(7.0)))
    assert np.isnan(pearson(np.zeros(0), np.zeros(0)))
    assert np.isnan(pearson(np.ones(1), np.ones(1)))


def test_rounding_has_no_rho():
    """As the displacements in runs that never moved, which have no mean to compare with."""
    noise = np.random.default_rng(0).normal(0, 1e-15, size=(2, 50))
    assert np.isnan(pearson(*noise))
    assert np.isnan(pearson(noise[0], np.arange(50.0)))
    assert pearson(noise[0] * 1e6, noise[0] * 1e7) == pytest.approx(1)


def test_a_constant_in_all_configurations_is_still_constant():
    sums = [moments(np.full(n, 0.1), np.arange(n)) for n in (3, 7, 11)]
    assert np.isnan(rho_pooled(np.stack(sums)))


def test_pooled_rho_counts_the_spread_between_configurations():
    x = np.arange(5.0)
    sums = np.stack([moments(x, x), moments(x, x + 100)])
    assert correlation(sums) == pytest.approx(1)
    assert rho_pooled(sums) < 0.1


def test_moments_of_parts_are_those_of_the_whole():
    x, y = np.random.default_rng(0).normal(1e3, 1, size=(2, 60))
    y[:20] += 5
    parts = [moments(x[part], y[part]) for part in np.split(np.arange(60), [20, 20, 45])]
    np.testing.assert_allclose(pool(np.stack(parts)), moments(x, y), rtol=1e-11)
    assert rho_pooled(np.stack(parts)) == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-10)


def test_the_least_spread_is_measured_in_the_unit_of_the_numbers():
    """Displacements of atoms in SI units are 1e-11, and far from constant."""
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    in_meters = pearson(1e-11 * x, 1e-11 * y, unit=3e-10)
    assert in_meters == pytest.approx(np.corrcoef(x, y)[0, 1], rel=ROUNDING)
    assert np.isnan(pearson(1e-25 * x, 1e-25 * y, unit=3e-10))


def graph_of(positions, species):
    configuration = Configuration(
        positions=positions, species=species, box=Box(9.0, (True, True, True))
    )
    return build_graph(configuration, cutoff=2.0)


def test_rho_is_taken_over_a_particles_and_a_a_bonds():
    positions = [[0.0, 0, 0], [1.2, 0, 0], [0, 1.4, 0], [0, 0, 1.0]]
    graph = graph_of(positions, [0, 0, 0, 1])
    assert node_mask(graph, KOB_ANDERSEN).tolist() == [True, True, True, False]
    masked = edge_mask(graph, KOB_ANDERSEN)
    pairs = set(zip(graph.center[masked], graph.neighbor[masked], strict=True))
    assert pairs == {(0, 1), (1, 0)}


@pytest.mark.parametrize(
    ("species", "length"), [((0, 0), 1.35), ((0, 1), 1.08), ((1, 0), 1.08), ((1, 1), 1.188)]
)
def test_bonds_of_each_pair_of_species_have_their_length(species, length):
    for distance, n_edges in ((length - 1e-6, 2), (length + 1e-6, 0)):
        graph = graph_of([[0.0, 0, 0], [distance, 0, 0]], species)
        assert np.count_nonzero(edge_mask(graph, KOB_ANDERSEN, species)) == n_edges
        others = [pair for pair in ((0, 0), (0, 1), (1, 1)) if set(pair) != set(species)]
        assert not any(edge_mask(graph, KOB_ANDERSEN, pair).any() for pair in others)


def test_the_mixture_says_how_long_bonds_are_and_which_species_is_quoted():
    """A row of particles 1.0 apart, in two alternating species and one that stands apart."""
    mixture = Mixture(
        name="row",
        units="lj",
        species=["P", "Q", "R"],
        masses=[1.0, 1.0, 1.0],
        fractions=[0.4, 0.4, 0.2],
        bond_lengths=[[1.9, 1.1, 0.9], [1.1, 2.0, 0.9], [0.9, 0.9, 5.0]],
        diameter=1.0,
        reference_species="Q",
    )
    row = np.array([[k + 0.5, 0.0, 0.0] for k in range(8)] + [[4.5, 0.0, 1.0]])
    configuration = Configuration(
        positions=row,
        species=[0, 1, 0, 1, 0, 1, 0, 1, 2],
        box=Box([8.0, 9.0, 9.0], (True, True, True)),
    )
    graph = build_graph(configuration, cutoff=3.0)
    counts = {
        pair: int(np.count_nonzero(edge_mask(graph, mixture, pair)))
        for pair in ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))
    }
    # the 8 next neighbors along the row, each from both ends; equal species are 2.0 apart
    assert counts == {(0, 0): 0, (0, 1): 16, (1, 1): 0, (0, 2): 0, (1, 2): 0, (2, 2): 0}
    longer = mixture.model_copy(
        update={"bond_lengths": ((2.1, 0.9, 1.1), (0.9, 2.1, 1.5), (1.1, 1.5, 5.0))}
    )
    counts = {
        pair: int(np.count_nonzero(edge_mask(graph, longer, pair)))
        for pair in ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))
    }
    # R stands 1.0 from one P and sqrt(2) from two Q
    assert counts == {(0, 0): 8, (0, 1): 0, (1, 1): 8, (0, 2): 2, (1, 2): 4, (2, 2): 0}
    np.testing.assert_array_equal(edge_mask(graph, longer), edge_mask(graph, longer, (1, 1)))
    assert np.flatnonzero(node_mask(graph, mixture)).tolist() == [1, 3, 5, 7]
    assert np.flatnonzero(node_mask(graph, mixture, 2)).tolist() == [8]


def test_halves_share_no_run_and_splits_differ():
    first, second = random_halves(8)
    assert np.all(first * second == 0)
    np.testing.assert_allclose(first + second, 1 / 4)
    assert len(np.unique(first, axis=0)) > 5
    np.testing.assert_array_equal(random_halves(8)[0], first)


def test_an_odd_run_is_left_out_and_one_run_has_no_halves():
    first, second = random_halves(5)
    np.testing.assert_array_equal(np.count_nonzero(first + second, axis=1), 4)
    for n_runs in (0, 1):
        assert np.isnan(correlation(halves_moments(np.ones((n_runs, 4))))).all()


def test_moments_of_halves_are_those_of_the_averages():
    runs = np.random.default_rng(5).normal(3.0, 1.0, size=(7, 40))
    averages = random_halves(7) @ runs
    np.testing.assert_allclose(halves_moments(runs), moments(*averages), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(halves_moments(runs, 2.0), moments(*averages, 2.0), atol=1e-12)


@pytest.mark.parametrize(
    ("n_runs", "noise"), [(32, 0.5), (32, 2.0), (32, 5.0), (2, 1.0), (3, 1.0), (5, 2.0), (7, 3.0)]
)
def test_the_ceiling_is_what_a_perfect_prediction_reaches(n_runs, noise):
    """Truth is the average of runs around what a perfect prediction knows."""
    rng = np.random.default_rng(3)
    known = rng.gamma(4.0, 0.5, size=20_000)
    runs = known + rng.normal(0, noise, size=(n_runs, len(known)))
    rho = correlation(halves_moments(runs)).mean()
    found = ceiling(rho, lengthening(n_runs))
    assert found == pytest.approx(pearson(known, runs.mean(axis=0)), abs=0.01)


def test_the_ceiling_is_cronbachs_alpha_but_for_the_choice_of_the_splits():
    """Over all splits the reliability is n / (n - 1) [1 - sum of variances / variance of sum]."""
    rng = np.random.default_rng(4)
    runs = rng.normal(size=3000) + rng.normal(0, 3, size=(16, 3000))
    alpha = 16 / 15 * (1 - runs.var(axis=1).sum() / runs.sum(axis=0).var())
    found = ceiling(correlation(halves_moments(runs)).mean(), 2)
    assert found == pytest.approx(np.sqrt(alpha), abs=0.003)


def test_runs_that_have_nothing_in_common_have_the_ceiling_zero():
    for k in lengthening([2, 3, 32]):
        assert ceiling(-0.2, k) == 0
        assert ceiling(1.0, k) == 1

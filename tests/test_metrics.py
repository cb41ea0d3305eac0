"""Scores: Pearson's rho, and the particles and pairs it is taken over."""

import numpy as np
import pytest

from lammps_botan.graph import build_graph
from lammps_botan.metrics import edge_mask, node_mask, pearson, rho_mean, rho_pooled


def test_rho_is_pearsons():
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    assert pearson(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-12)
    assert pearson(x, 3 - 2 * x) == pytest.approx(-1)


def test_rho_of_a_constant_or_of_nothing_is_nan():
    assert np.isnan(pearson(np.full(7, 0.1), np.arange(7.0)))
    assert np.isnan(pearson(np.zeros(0), np.zeros(0)))


def test_pooled_and_mean_differ_by_the_spread_between_configurations():
    x = np.arange(5.0)
    truths = [x, x + 100]
    assert rho_mean([x, x], truths) == pytest.approx(1)
    assert rho_pooled([x, x], truths) < 0.1


def test_scores_are_over_a_particles_and_a_a_bonds():
    positions = [[0.0, 0, 0], [1.2, 0, 0], [0, 1.4, 0], [0, 0, 1.0]]
    graph = build_graph(positions, 9.0, [0, 0, 0, 1])
    assert node_mask(graph).tolist() == [True, True, True, False]
    masked = edge_mask(graph)
    pairs = set(zip(graph.center[masked], graph.neighbor[masked], strict=True))
    assert pairs == {(0, 1), (1, 0)}

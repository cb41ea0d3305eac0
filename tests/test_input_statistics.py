"""What a model saw in training: recorded, exported, and compared with what it sees later."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from engines import physics
from seeing import SEES, Sees

from lammps_botan import Box, Configuration, Predictor
from lammps_botan.evaluation.model import JudgedModel
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import (
    NETWORKS,
    Checkpoint,
)
from lammps_botan.network.export import export
from lammps_botan.network.input_quantities import input_quantities
from lammps_botan.network.input_statistics import InputStatistics, input_statistics, pool
from lammps_botan.prediction.trajectory import score
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

SAW = InputStatistics(
    mean=[[0.1, 0.02, -6.0, 0.74], [0.2, 0.04, -5.0, 0.87]],
    deviation=[[0.05, 0.01, 0.5, 0.02], [0.1, 0.02, 0.25, 0.1]],
)
NEAREST = "distance to the nearest neighbor in the mean positions (in bond lengths)"
N_SITES = 216


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(NETWORKS, "sees", Sees)


def checkpoint(saw=SAW, seed=1):
    model = Sees(["history"]).eval()
    return Checkpoint(model, physics(inputs=SEES["history"]), {"seed": seed}, saw)


def crystal(shift=0.0, energies=(-6.0, -5.0), species=None, *, spacing=1.0, offset=0.0):
    """A simple cubic crystal, each species with the means that `SAW` has, and energies shifted.

    Particles vibrate about its sites, which are the mean positions; those of B lie off the lattice
    by the offset. Its surface is free, so that no density is compared.
    """
    sites = np.stack(np.meshgrid(*[np.arange(6.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    species = np.arange(N_SITES) % 5 // 4 if species is None else species
    # a third species has what no particle has
    distance, variance, energy = np.array([[0.1, 0.2, 9.0], [0.02, 0.04, 9.0], [*energies, 9.0]])[
        :, species
    ]
    direction = np.random.default_rng(0).normal(size=(N_SITES, 3))
    displacement = distance[:, None] * direction / np.linalg.norm(direction, axis=1)[:, None]
    history = History(30.0, displacement, variance, energy + shift)
    means = spacing * sites
    means[species == 1, 0] += offset
    return Configuration(
        positions=means - displacement,
        species=species,
        box=Box(6.0 * spacing, (False, False, False)),
        history=history,
    )


def displaced(configuration, displacement):
    """The same with another displacement in its history."""
    history = replace(configuration.history, displacement=displacement)
    return replace(configuration, history=history)


def told(predictor, configuration, *words):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predictor.predict(configuration, *words)
    return [str(one.message) for one in caught]


# --- the numbers ----------------------------------------------------------------------------------


def with_bonds(bond_lengths):
    """A mixture of so many species, which bonds of these lengths join."""
    n = len(bond_lengths)
    return Mixture(
        name="toy",
        units="lj",
        species=["A", "B", "C"][:n],
        masses=[1.0] * n,
        fractions=[1.0 / n] * n,
        bond_lengths=bond_lengths,
        diameter=1.0,
    )


def joined(species, edges, positions):
    """Edges (center, neighbor) between positions in no box."""
    center, neighbor = np.array(edges, np.int64).reshape(-1, 2).T
    positions = np.array(positions, np.float64)
    vectors = positions[center] - positions[neighbor]
    return Graph(np.array(species, np.int64), center, neighbor, vectors, cutoff=99.0)


def in_pairs(vectors, apart):
    """Each particle is joined with that half of them further on; mean positions so far apart."""
    n = len(vectors)
    center = np.arange(n)
    neighbor = (center + n // 2) % n
    way = np.stack([apart, 0 * apart, 0 * apart], axis=1)
    between = way - vectors[center, 0] + vectors[neighbor, 0]
    return Graph(np.zeros(n, np.int64), center, neighbor, between, cutoff=99.0)


ALL_PAIRS = [(i, j) for i in range(3) for j in range(3) if i != j]


def test_statistics_are_those_of_lengths_and_scalars_of_each_species():
    """Two samples of three particles, counted by hand."""
    species = [0, 1, 0]
    vectors = np.array([[[3, 4, 0]], [[0, 0, 2]], [[0, 1, 0]]], np.float32)
    scalars = np.array([[1, -6], [5, -1], [1, -8]], np.float32)
    still = (0 * vectors + [1, 0, 0]).astype(np.float32)
    # mean positions (0, 0, 0), (3, 0, 0) and (3, 4, 0): distances 3, 4, and 5 of the two A
    graph = joined(species, ALL_PAIRS, [[-3, -4, 0], [3, 0, -2], [3, 3, 0]])
    mixture = with_bonds([[2.0, 1.0], [1.0, 1.0]])
    found = input_statistics([(graph, vectors, scalars), (graph, still, 3 * scalars)], mixture)
    # A: lengths 5, 1, 1, 1; first scalar 1, 1, 3, 3; energies -6, -8, -18, -24
    assert [row[:3] for row in found.mean] == [(2.0, 2.0, -14.0), (1.5, 10.0, -2.0)]
    np.testing.assert_allclose(
        [row[:3] for row in found.deviation],
        [[np.sqrt(3), 1.0, np.sqrt(54.0)], [0.5, 5.0, 1.0]],
        rtol=1e-15,
    )
    # 5 / 2 bond lengths of the two A are less than 3 of A and B; in the second sample particles are
    # where they were, (6, 4, -2), (6, 7, 0) and (0, 3, 2) apart
    nearest = [[2.5, 2.5, np.sqrt(85) / 2, np.sqrt(13)], [3.0, np.sqrt(13)]]
    np.testing.assert_allclose([row[3] for row in found.mean], [np.mean(n) for n in nearest])
    np.testing.assert_allclose([row[3] for row in found.deviation], [np.std(n) for n in nearest])


def test_the_nearest_neighbor_is_that_in_mean_positions():
    """Three A in a row: the last two come closer than the first two, which were nearer before."""
    graph = joined([0, 0, 0], [(0, 1), (1, 0), (1, 2), (2, 1)], [[0, 0, 0], [2, 0, 0], [5, 0, 0]])
    vectors = np.array([[[-1, 0, 0]], [[1, 0, 0]], [[0, 0, 0]]], np.float32)
    found = input_quantities(graph, vectors, np.zeros((3, 0), np.float32), with_bonds([[0.5]]))
    assert found.tolist() == [[1.0, 8.0], [1.0, 4.0], [0.0, 4.0]]


def test_each_vector_has_its_nearest_neighbor():
    """Positions 3 apart: mean ones 2 apart, inherent ones 1."""
    graph = joined([0, 0], [(0, 1), (1, 0)], [[0, 0, 0], [0, 3, 0]])
    vectors = np.array([[[0, 1, 0], [0, 2, 0]], [[0, 0, 0], [0, 0, 0]]], np.float32)
    found = input_quantities(graph, vectors, np.ones((2, 1), np.float32), with_bonds([[1.0]]))
    assert found.tolist() == [[1.0, 2.0, 1.0, 2.0, 1.0], [0.0, 0.0, 1.0, 2.0, 1.0]]


def test_a_particle_without_neighbors_has_no_nearest_one():
    """It counts in all other quantities."""
    edges = [(1, 2), (2, 1), (2, 3), (3, 2)]
    graph = joined([0] * 5, edges, [[0, 0, 0], [20, 0, 0], [24, 0, 0], [30, 0, 0], [40, 0, 0]])
    vectors = np.arange(5, dtype=np.float32)[:, None, None] * np.float32([1, 0, 0])
    scalars = np.arange(5, dtype=np.float32)[:, None]
    values = input_quantities(graph, vectors, scalars, with_bonds([[1.0]]))
    np.testing.assert_array_equal(values[:, 2], [np.nan, 5.0, 5.0, 7.0, np.nan])
    found = input_statistics([(graph, vectors, scalars)], with_bonds([[1.0]]))
    np.testing.assert_allclose(found.mean, [[2.0, 2.0, 17.0 / 3.0]])
    np.testing.assert_allclose(found.deviation, [[np.sqrt(2), np.sqrt(2), np.sqrt(8.0 / 9.0)]])


def test_sums_over_many_particles_keep_their_digits():
    """Energies that differ in the last digits of float32."""
    energies = np.float32(-1000) + np.tile(np.float32([0, 0.25]), 500_000)
    vectors = np.repeat(np.float32([[[1, 0, 0]], [[0, 3, 0]]]), 500_000, axis=0)
    graph = in_pairs(vectors, np.tile([1000.0, 1000.25], 500_000))
    found = input_statistics([(graph, vectors, energies[:, None])], with_bonds([[1.0]]))
    assert found.mean == ((2.0, -999.875, 1000.125),)
    assert found.deviation == ((1.0, 0.125, 0.125),)


def test_nothing_is_said_where_a_species_is_absent_or_a_quantity_never_varies():
    rng = np.random.default_rng(0)
    species, vectors = np.arange(4) % 2, rng.normal(size=(4, 1, 3)).astype(np.float32)
    scalars = rng.normal(size=(4, 1)).astype(np.float32)
    two, three = with_bonds(np.ones((2, 2)).tolist()), with_bonds(np.ones((3, 3)).tolist())
    edges = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)]
    graph = joined(species, edges, rng.normal(size=(4, 3)))
    assert input_statistics([(graph, vectors, scalars)], two) is not None
    assert input_statistics([(graph, vectors, scalars)], three) is None
    assert input_statistics([(graph, vectors, 0 * scalars + np.float32(0.1))], two) is None
    assert input_statistics([], two) is None
    # no B has a neighbor
    alone = joined(species, [(0, 2), (2, 0)], rng.normal(size=(4, 3)))
    assert input_statistics([(alone, vectors, scalars)], two) is None


def test_a_committee_saw_what_its_members_saw_together():
    """As the statistics of the data of all members, which are equally many."""
    rng = np.random.default_rng(1)
    two = with_bonds([[1.0, 0.8], [0.8, 0.9]])
    ring = [(k, (k + 1) % 300) for k in range(300)]
    samples = [
        (
            joined(np.arange(300) % 2, ring, rng.normal(size=(300, 3))),
            rng.normal(0, scale, (300, 1, 3)).astype(np.float32),
            rng.normal(scale, 1, (300, 2)).astype(np.float32),
        )
        for scale in (1, 2, 5)
    ]
    together = input_statistics(samples, two)
    apart = [input_statistics([one], two) for one in samples]
    found = pool([apart[0], None, *apart[1:]])
    np.testing.assert_allclose(found.mean, together.mean, rtol=1e-12)
    np.testing.assert_allclose(found.deviation, together.deviation, rtol=1e-12)
    assert pool([None, None]) is None


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_mean_may_differ_by_half_a_deviation_and_five_standard_errors(sign):
    """Of 100 particles by one deviation, of 10000 by 0.55."""
    saw = InputStatistics(mean=[[1.0, -6.0, 3.0]], deviation=[[0.2, 2.0, 0.5]])
    names = {"mixture": with_bonds([[1.0]]), "quantities": ["length", "energy", "nearest"]}
    for n, largest in ((100, 1.0), (10_000, 0.55)):
        vectors = np.tile(np.float32([[[0, 0.6, 0.8]]]), (n, 1, 1))
        right = in_pairs(vectors, np.full(n, 3.0))
        for deviations, is_unlike in ((largest - 0.001, False), (largest + 0.001, True)):
            energies = np.full((n, 1), -6.0 + sign * 2.0 * deviations, np.float32)
            assert bool(saw.unlike(right, vectors, energies, **names)) == is_unlike
            other = in_pairs(vectors, np.full(n, 3.0 + sign * 0.5 * deviations))
            found = saw.unlike(other, vectors, np.full((n, 1), -6.0, np.float32), **names)
            assert [words.split()[0] for words in found] == ["nearest"] * is_unlike
    (words,) = saw.unlike(right, vectors, energies, **names)
    assert words.startswith(f"energy of A is {energies[0, 0]:.4g} on average, -6 +- 2 in training")


def test_particles_without_neighbors_do_not_count_in_the_distance_to_the_nearest():
    """Of 10000 only 100 have one: their mean may differ by a deviation, and not by 0.55."""
    saw = InputStatistics(mean=[[1.0, 3.0]], deviation=[[0.2, 0.5]])
    names = {"mixture": with_bonds([[1.0]]), "quantities": ["length", "nearest"]}
    vectors = np.tile(np.float32([[[0, 0.6, 0.8]]]), (10_000, 1, 1))
    scalars = np.zeros((10_000, 0), np.float32)
    for deviations, is_unlike in ((0.999, False), (1.001, True)):
        graph = in_pairs(vectors, np.full(10_000, 3.0 + 0.5 * deviations))
        some = graph.only(np.arange(10_000) % 100 == 0)
        assert bool(saw.unlike(some, vectors, scalars, **names)) == is_unlike
    none = graph.only(np.zeros(10_000, bool))
    assert saw.unlike(none, vectors, scalars, **names) == []


# --- at each scoring ------------------------------------------------------------------------------


def test_inputs_like_those_of_the_training_are_scored_in_silence(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    assert told(Predictor(tmp_path / "m.pt"), crystal()) == []


@pytest.mark.parametrize("shift", [1.0, -1.0])
def test_energies_with_another_zero_are_told(tmp_path, shift):
    export(checkpoint(), tmp_path / "m.pt")
    (warning,) = told(Predictor(tmp_path / "m.pt"), crystal(shift))
    assert f"mean energy of A is {-6 + shift:g} on average, -6 +- 0.5 in training; " in warning
    assert f"mean energy of B is {-5 + shift:g} on average, -5 +- 0.25 in training. " in warning
    assert "Are interactions, their shift of the energy, temperature and density those" in warning
    assert "distance" not in warning
    assert "variance" not in warning


def test_shifted_energies_of_a_shipped_model_are_told():
    """A shift by 1 makes a propensity that is five times too large, and not negative."""
    like = {"energies": (-6.40, -5.44), "spacing": 1.05, "offset": 0.18}
    of_training = crystal(**like)
    predictor = Predictor("ka-t044-history")
    assert told(predictor, of_training) == []
    predictor = Predictor("ka-t044-history")
    shifted = crystal(shift=1.0, **like)
    (warning,) = told(predictor, shifted)
    assert "mean energy of A is -5.4 on average, -6.399 +- 0.55 in training" in warning


@pytest.mark.parametrize("name", ["own", "ka-t044-history"])
def test_displacements_with_the_wrong_sign_are_told(tmp_path, name):
    """Position minus mean position: lengths are the same, but particles overlap."""
    export(checkpoint(), tmp_path / "own.pt")
    predictor = Predictor(tmp_path / "own.pt" if name == "own" else name)
    like = {"energies": (-6.40, -5.44), "spacing": 1.05, "offset": 0.18}
    right = crystal(**({} if name == "own" else like))
    assert told(predictor, right) == []
    (warning,) = told(predictor, displaced(right, -right.history.displacement))
    assert f"{NEAREST} of A is 0.6" in warning
    assert "on average, 0.7" in warning
    assert "is each displacement that from the position of a particle to its own mean" in warning
    assert "distance to the mean position" not in warning
    assert "energy of" not in warning


@pytest.mark.parametrize("name", ["own", "ka-t044-history"])
def test_displacements_of_other_particles_of_the_species_are_told(tmp_path, name):
    export(checkpoint(), tmp_path / "own.pt")
    predictor = Predictor(tmp_path / "own.pt" if name == "own" else name)
    like = {"energies": (-6.40, -5.44), "spacing": 1.05, "offset": 0.18}
    right = crystal(**({} if name == "own" else like))
    displacement = right.history.displacement.copy()
    for kind in (0, 1):
        (own,) = np.nonzero(right.species == kind)
        displacement[own] = displacement[np.roll(own, 7)]
    (warning,) = told(predictor, displaced(right, displacement))
    assert f"{NEAREST} of A is 0.6" in warning
    assert "distance to the mean position" not in warning


def test_inherent_positions_of_other_particles_are_told(tmp_path):
    saw = InputStatistics(mean=[[0.1, -6.0, 0.74]] * 2, deviation=[[0.05, 0.5, 0.1]] * 2)
    network = Checkpoint(Sees(["inherent"]), physics(inputs=SEES["inherent"]), {}, saw)
    export(network, tmp_path / "m.pt")
    start = crystal(species=np.zeros(N_SITES, np.int64))
    way = start.history.displacement
    for moved, is_right in ((way, True), (np.roll(way, 50, axis=0), False), (-way, False)):
        structure = {
            "inherent_positions": start.positions + moved,
            "inherent_energies": np.full(N_SITES, -6.0),
        }
        found = told(Predictor(tmp_path / "m.pt"), replace(start, **structure))
        assert ["nearest neighbor in the inherent positions" in one for one in found] == (
            [] if is_right else [True]
        )


def test_a_trajectory_is_warned_of_once(tmp_path):
    """And anew after a frame that was right."""
    export(checkpoint(), tmp_path / "m.pt")
    shifts = [1.0, 1.1, 1.2, 0.0, 0.0, 1.0, 1.0]
    predictor = Predictor(tmp_path / "m.pt")
    counts = [len(told(predictor, crystal(shift))) for shift in shifts]
    assert counts == [1, 0, 0, 0, 0, 1, 0]


def test_score_warns_once_for_all_frames_of_a_trajectory(tmp_path):
    saw = InputStatistics(mean=[[0.1, -7.0, 0.7]] * 2, deviation=[[0.05, 0.5, 0.1]] * 2)
    network = Checkpoint(Sees(["inherent"]), physics(inputs=SEES["inherent"]), {}, saw)
    export(network, tmp_path / "m.pt")
    start = crystal()
    structure = {
        "inherent_positions": start.positions + np.array([0.1, 0, 0]),
        "inherent_energies": np.full(N_SITES, -6.0),
    }
    frames = [replace(start, **structure, step=step) for step in range(4)]
    with pytest.warns(UserWarning, match=r"inherent energy of A is -6 on average, -7 ") as caught:
        assert len(list(score(frames, tmp_path / "m.pt"))) == 4
    assert len(caught) == 1


def test_particles_outside_the_graph_are_not_compared(tmp_path):
    """Those of a third type, mapped to NULL, have impossible histories."""
    export(checkpoint(), tmp_path / "m.pt")
    predictor = Predictor(tmp_path / "m.pt")
    species = np.arange(N_SITES) % 3
    assert told(predictor, crystal(species=species), ["A", "B", "NULL"]) == []
    assert len(told(predictor, crystal(species=species), ["A", "B", "B"])) == 1


def test_a_species_without_particles_is_not_compared(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    only_b = crystal(species=np.ones(N_SITES, np.int64))
    assert told(Predictor(tmp_path / "m.pt"), only_b) == []


def test_a_model_that_says_nothing_is_not_compared(tmp_path):
    export(checkpoint(None), tmp_path / "m.pt")
    assert told(Predictor(tmp_path / "m.pt"), crystal(shift=100.0)) == []


def test_the_fallback_is_not_compared(tmp_path):
    """It sees no energies, whatever is known of the configuration."""
    export(Checkpoint(Botan(2, 8), physics()), tmp_path / "thermal.pt")
    export(checkpoint(), tmp_path / "m.pt", tmp_path / "thermal.pt")
    assert told(Predictor(tmp_path / "m.pt").fallback, crystal(shift=100.0)) == []


def test_evaluate_warns(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    with pytest.warns(UserWarning, match=r"mean energy of A is -5 on average"):
        JudgedModel(tmp_path / "m.pt").forecast(replace(crystal(1.0), mixture=KOB_ANDERSEN), None)

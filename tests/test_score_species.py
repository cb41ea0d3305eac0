"""Species, outputs and bonds of scores."""

from dataclasses import replace

import numpy as np
from lmp import read_dump
from score_runs import (
    liquid_configuration,
    neighbors,
    propensities,
    run,
    toy,
)
from toy_models import Walks, save_model

from lammps_botan.prediction.trajectory import score


def test_a_type_mapped_to_null_is_not_in_the_graph(trajectory, tmp_path):
    positions, types, dump = trajectory
    out, bonds = tmp_path / "scored.dump", tmp_path / "scored.bonds"
    model = toy(tmp_path)
    command = ("score", dump, "--model", model, "--out", out, "--bonds", bonds)
    run(*command, "--species", "A", "NULL", "--every", "1")
    expected = np.zeros((3, len(types)))
    for k, x in enumerate(positions):
        expected[k, types == 1] = neighbors(x[types == 1])
    np.testing.assert_array_equal(propensities(out), expected)
    ids = set(np.flatnonzero(types == 1) + 1)
    for frame in read_dump(bonds):
        assert set(frame["id_center"]) | set(frame["id_neighbor"]) <= ids


def test_species_are_in_the_order_of_the_types(trajectory, tmp_path):
    positions, types, _ = trajectory
    model = save_model(tmp_path / "toy.pt", Walks(node_outputs=2))
    frame = liquid_configuration(positions[0], types)
    (swapped,) = score(frame, model, species=["B", "A"])
    np.testing.assert_array_equal(swapped.propensity[:, 1], 2 - types)
    later = liquid_configuration(positions[0], types + 1)
    (several,) = score(later, model, species=["NULL", "A", "B"])
    np.testing.assert_array_equal(several.propensity[:, 1], types - 1)


def test_several_outputs_have_a_column_each(trajectory, tmp_path):
    positions, types, dump = trajectory
    model = save_model(tmp_path / "toy.pt", Walks(node_outputs=2, edge_outputs=2))
    out, bonds = tmp_path / "scored.dump", tmp_path / "scored.bonds"
    run("score", dump, "--model", model, "--out", out, "--bonds", bonds)
    for frame, x in zip(read_dump(out), positions, strict=True):
        np.testing.assert_array_equal(frame["d_propensity"], neighbors(x))
        np.testing.assert_array_equal(frame["d_walks_1"], types - 1)
    for frame in read_dump(bonds):
        first, second = (
            types[frame[name].astype(int) - 1] - 1 for name in ("id_center", "id_neighbor")
        )
        change = frame["pair_distance_change"]  # the toy says the distance
        np.testing.assert_allclose(change, frame["distance"], rtol=1e-6)
        np.testing.assert_array_equal(frame["edge_1"], 10 * first + second)


def test_a_model_without_edge_outputs_has_bonds_without_a_change(trajectory, tmp_path):
    model = save_model(tmp_path / "toy.pt", Walks(edge_outputs=0))
    bonds = tmp_path / "scored.bonds"
    run("score", trajectory[2], "-m", model, "-o", tmp_path / "s.dump", "--bonds", bonds)
    for frame, x in zip(read_dump(bonds), trajectory[0], strict=True):
        assert list(frame.columns) == ["id_center", "id_neighbor", "distance"]
        assert len(frame["distance"]) == neighbors(x, 1.35).sum()
        assert frame["distance"].max() < 1.35


def test_species_are_told_by_their_names_where_there_are_names(trajectory, tmp_path):
    positions, types, _ = trajectory
    model = save_model(tmp_path / "toy.pt", Walks(node_outputs=2))
    plain = liquid_configuration(positions[0], types)
    (named,) = score(replace(plain, species_names=("B", "A")), model)
    np.testing.assert_array_equal(named.propensity[:, 1], 2 - types)
    words = score(replace(plain, species_names=("x", "y")), model, species="B A")
    np.testing.assert_array_equal(next(words).propensity[:, 1], 2 - types)


def test_bonds_end_at_the_longest_bond_length_of_the_mixture_or_where_told(trajectory, tmp_path):
    positions, types, _ = trajectory
    lengths = [[1.1, 1.6], [1.6, 0.7]]
    model = save_model(tmp_path / "toy.pt", mixture={"bond_lengths": lengths})
    plain = liquid_configuration(positions[0], types)
    for options, length in (({}, 1.6), ({"bonds": 1.2}, 1.2)):
        (scored,) = score(plain, model, **options)
        assert len(scored.center) == neighbors(positions[0], length).sum()

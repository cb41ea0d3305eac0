"""Predictions of pairs within a range: the same as among all pairs, in Python and in the fix."""

from pathlib import Path

import numpy as np
import pytest
from lmp import GLASS, read_dump, run_lmp
from model_archives import with_plain_weights

from lammps_botan.files.ensemble import read_start
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.shipped import find_model
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph

GLASS_DATA = Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"
RANGE = 1.35
KINDS = ["ka-t064", "ka-t044-equivariant"]  # with an engine that leaves pairs out, and without one


@pytest.fixture(scope="module")
def graph():
    return build_graph(read_start(GLASS_DATA), 2.0)


@pytest.mark.parametrize("name", KINDS)
def test_pairs_within_a_range_are_predicted_as_among_all(instructions, name, graph):
    predictor = Predictor(name)
    assert predictor.engine == instructions
    expected, found = (
        predictor.predict_graph(graph),
        predictor.predict_graph(graph, pair_range=RANGE),
    )
    near = graph.distances < RANGE
    assert 0.2 < near.mean() < 0.4
    np.testing.assert_array_equal(found.node, expected.node)
    np.testing.assert_array_equal(found.edge[near], expected.edge[near])
    assert np.isfinite(expected.edge).all()
    assert np.isnan(found.edge[~near]).all()


def test_the_range_is_the_same_in_single_precision():
    """A pair exactly as long as the range is outside, one that is the least bit shorter inside."""
    predictor, rng = Predictor("ka-t064"), np.random.default_rng(1)
    box = Box(4.5, (True, True, True))
    small = build_graph(Configuration(4.5 * rng.random((60, 3)), np.zeros(60, int), box), 2.0)
    for distance in np.sort(small.distances)[::100]:
        for pair_range in (distance, np.nextafter(distance, 9.0)):
            found = predictor.predict_graph(small, pair_range=pair_range).edge[:, 0]
            assert np.isfinite(found).sum() == (small.distances < pair_range).sum()


def test_no_pair_may_be_asked_for(graph):
    assert np.isnan(Predictor("ka-t064").predict_graph(graph, pair_range=0.0).edge).all()


@pytest.mark.parametrize("wrong", [-1.0, np.nan])
def test_a_range_that_is_none_is_refused(graph, wrong):
    with pytest.raises(ValueError, match="expected a pair_range of at least 0, found"):
        Predictor("ka-t064").predict_graph(graph, pair_range=wrong)


SCRIPT = """
fix mob all botan 10 ka-t064 A B {words}
dump pairs all local 10 pairs.dump f_mob[1] f_mob[2] f_mob[3] f_mob[4]
dump_modify pairs format float %.9g
run 0
"""


@pytest.mark.slow
def test_the_local_output_of_the_fix_depends_on_bonds_in_its_rows_only(tmp_path):
    found = {}
    for words in ("bonds 2.0", "bonds 1.1", "bonds 1.1 verify yes"):
        run_lmp(GLASS + SCRIPT.format(words=words), tmp_path)
        (frame,) = read_dump(tmp_path / "pairs.dump")
        rows = np.column_stack([frame[f"f_mob[{k}]"] for k in (1, 2, 3, 4)])
        rows = rows[rows[:, 2] < 1.1]
        found[words] = rows[np.lexsort(rows.T[:2])]
    expected = found.pop("bonds 2.0")
    assert len(expected) > 10_000
    assert expected[:, 3].std() > 0.01
    for rows in found.values():
        np.testing.assert_array_equal(rows, expected)


@pytest.mark.slow
def test_a_pair_as_long_as_the_range_up_to_rounding_is_no_failure_of_the_model(
    tmp_path, instructions
):
    """Its square is below that of the widened range, or not, as it is rounded."""
    script = """
region box block -6 6 -6 6 -6 6
create_box 2 box
create_atoms 1 single 0 0 0
create_atoms 1 single 1.0524252653121948 -0.7163261771202087 -0.4492374062538147
mass * 1
pair_style zero 2.5
pair_coeff * *
fix mob all botan 10 ka-t064 A B
thermo_style custom step f_mob f_mob[4]
run 0
"""
    (row,) = run_lmp(script, tmp_path).thermo()
    assert row["f_mob[4]"] == 2


@pytest.mark.slow
def test_a_verification_sees_pairs_beyond_bonds(tmp_path):
    def soon(metadata):
        metadata["lag_times"] = [0.02]

    with_plain_weights(find_model("ka-t064"), tmp_path / "soon.pt", soon)
    fixes = [
        f"fix {name} all botan 20 soon.pt A B verify yes bonds {bonds}\n"
        for name, bonds in (("short", 1.0), ("long", 2.0))
    ]
    columns = "f_short[6] f_short[7] f_long[6] f_long[7]"
    run = run_lmp(
        GLASS + "".join(fixes) + f"thermo_style custom step {columns}\nthermo 20\nrun 40\n",
        tmp_path,
    )
    row = run.thermo()[-1]
    short, long = ([row[f"f_{name}[{k}]"] for k in (6, 7)] for name in ("short", "long"))
    assert np.isfinite(long).all()
    assert short == long

"""`score` in Python: configurations, files and Universes of MDAnalysis."""

import warnings

import MDAnalysis
import numpy as np
import pytest
from dumps import write
from liquids import NO_GLASS
from score_runs import LENGTHS, dump_text, liquid_configuration, liquid_frames, neighbors, toy

from lammps_botan.files.trajectory import open_dump, open_frames
from lammps_botan.network.predictor import Predictor
from lammps_botan.prediction.trajectory import score
from lammps_botan.structure.graph import build_graph

ROUNDING = 2e-5  # one graph, other order of float32 sums
XU = "id type xu yu zu"


@pytest.mark.filterwarnings(NO_GLASS)
def test_configurations_and_universes_give_what_the_predictor_gives(trajectory, tmp_path):
    positions, types, dump = trajectory
    expected = []
    for x in positions:
        graph = build_graph(liquid_configuration(x, types), cutoff=2.0)
        expected.append((graph, Predictor("ka-t044").predict_graph(graph)))
    universe = MDAnalysis.Universe.empty(len(types), trajectory=True)
    universe.add_TopologyAttr("types", types.astype(str))
    universe.load_new(positions.astype(np.float32), dimensions=[*LENGTHS, 90, 90, 90])
    sources = {
        "frames": (liquid_configuration(x, types, step=k) for k, x in enumerate(positions)),
        "dump": open_frames(dump),
        "universe": universe,
        "dump universe": open_dump(
            write(tmp_path / "u.dump", *dump_text(positions, types, columns=XU))
        ),
    }
    for source in sources.values():
        for scored, (graph, prediction) in zip(score(source, "ka-t044"), expected, strict=True):
            np.testing.assert_allclose(scored.propensity, prediction.node, atol=ROUNDING)
            near = graph.distances < 1.35
            np.testing.assert_array_equal(scored.center, graph.center[near] + 1)
            np.testing.assert_array_equal(scored.neighbor, graph.neighbor[near] + 1)
            np.testing.assert_allclose(scored.changes, prediction.edge[near], atol=ROUNDING)


def dump_universe(path):
    """A Universe by MDAnalysis's own reader of dumps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MDAnalysis.Universe(str(path), format="LAMMPSDUMP", topology_format="LAMMPSDUMP")


@pytest.mark.filterwarnings(NO_GLASS)
def test_a_universe_over_a_dump_is_scored_with_the_types_of_each_frame(trajectory, tmp_path):
    """MDAnalysis itself gives all frames the types of the first one."""
    positions, types, _ = trajectory
    swapped = 3 - types
    text = dump_text(positions[:1], types) + dump_text(positions[1:2], swapped)
    path = write(tmp_path / "u.dump", *text)
    for scored, x, own in zip(
        score(dump_universe(path), "ka-t044"), positions[:2], (types, swapped), strict=True
    ):
        expected = Predictor("ka-t044").predict(liquid_configuration(x, own)).node
        np.testing.assert_array_equal(scored.ids, np.arange(len(types)) + 1)
        np.testing.assert_array_equal(scored.types, own)
        np.testing.assert_allclose(scored.propensity, expected, atol=ROUNDING)


def test_a_universe_with_other_types_than_its_dump_is_refused(trajectory):
    universe = dump_universe(trajectory[2])
    universe.atoms.types = 3 - universe.atoms.types.astype(int)
    with pytest.raises(ValueError, match="other types than those of the file"):
        score(universe, "ka-t044")


def test_scoring_from_python_needs_no_file_and_takes_frames_when_asked(tmp_path):
    positions, types = liquid_frames(1)
    asked = []

    def frames():
        for k in range(1000):
            asked.append(k)
            yield liquid_configuration(positions[0], types)

    scores = score(frames(), toy(tmp_path), every=2)
    np.testing.assert_array_equal(next(scores).propensity[:, 0], neighbors(positions[0]))
    next(scores)
    assert asked == [0, 1, 2]

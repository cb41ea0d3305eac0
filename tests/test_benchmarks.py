"""The benchmarks measure what they say, and compare the fast way with the slow one."""

import subprocess
import sys

import configuration
import forward
import history
import in_lammps
import models
import mpi_calls
import numpy as np
import pytest
import ranks
import ranks_model
import ranks_run
import torch
import with_inputs
from figures import Figure, markdown, ratio, read_json
from mpi_calls import Call
from network import CUTOFF, PHYSICS, random_network
from peak import peak
from plain import build_graph as build_plain_graph
from plain import forward as plain_forward
from plain import tensors
from steps import read_step, steps
from torch.utils.flop_counter import FlopCounterMode

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint
from lammps_botan.network.export import export
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph

pytestmark = pytest.mark.slow

EQUAL = 2e-5  # float32, outputs of order 1


def liquid(n=300, length=6.3):
    rng = np.random.default_rng(0)
    box = Box(length, (True, True, True))
    positions = rng.random((n, 3)) * length
    return Configuration(positions=positions, species=(rng.random(n) < 0.2).astype(int), box=box)


@pytest.fixture(scope="module")
def melt(tmp_path_factory):
    """A data file of 200 particles, and a model file with random weights."""
    folder = tmp_path_factory.mktemp("melt")
    data = in_lammps.melt(200, 1.0, folder)
    read = configuration.read(data)
    model = random_network(build_graph(read, CUTOFF))
    export(Checkpoint(model, PHYSICS), folder / "model.pt")
    return data, folder / "model.pt", Predictor(folder / "model.pt").predict(read).node[:, 0]


def test_the_plain_graph_is_that_of_build_graph():
    plain, ours = (build(liquid(), CUTOFF) for build in (build_plain_graph, build_graph))
    np.testing.assert_array_equal(plain.center, ours.center)
    np.testing.assert_array_equal(plain.neighbor, ours.neighbor)
    np.testing.assert_allclose(plain.vectors, ours.vectors, rtol=0, atol=1e-12)


def test_the_plain_formula_is_the_network():
    graph = build_graph(liquid(), CUTOFF)
    model = random_network(graph)
    with torch.inference_mode():
        for plain, ours in zip(
            plain_forward(model, *tensors(graph)), model(*tensors(graph)), strict=True
        ):
            torch.testing.assert_close(plain, ours, rtol=0, atol=EQUAL)


def test_the_random_network_tells_particles_apart():
    """With outputs of order 1, else equality to 2e-5 would mean little."""
    graph = build_graph(liquid(), CUTOFF)
    with torch.inference_mode():
        outputs = plain_forward(random_network(graph), *tensors(graph))
    assert max(float(x.abs().max()) for x in outputs) == pytest.approx(1.0)
    assert min(float(x.std()) for x in outputs) > 0.01


def test_the_floor_is_what_an_edge_adds_to_the_multiplications():
    model = Botan()
    graph = build_graph(liquid(), CUTOFF)
    species, *edges = tensors(graph)

    def operations(n_edges):
        counter = FlopCounterMode(display=False)
        with counter, torch.inference_mode():
            model(species, *(e[:n_edges] for e in edges))
        return counter.get_total_flops()

    assert operations(900) - operations(200) == forward.floor(model, 700)


def test_the_floor_of_configuration_401_is_24_6_gflop():
    assert forward.floor(Botan(), 166_240) == pytest.approx(24.6e9, rel=1e-3)


def test_a_figure_knows_whether_its_median_is_as_it_should_be():
    values = [3.0, 1.0, 2.0]
    assert Figure("", values).met is None
    assert Figure("", values, at_least=2.0).met
    assert not Figure("", values, at_least=2.1).met
    assert Figure("", values, at_most=2.0).met
    assert not Figure("", values, at_most=1.9).met


def test_a_row_is_in_the_unit_of_its_median():
    figure = Figure("scoring", [0.0123, 0.0119, 1.5], "s", at_most=0.03)
    assert markdown([figure]).splitlines()[-1] == (
        "| scoring | 12.3 ms | 11.9 - 1500 | at most 30 ms | yes |"
    )


def test_a_ratio_is_taken_turn_by_turn():
    """A machine that slows down in the second turn changes both, not their ratio."""
    assert ratio("", [10.0, 20.0], [1.0, 2.0]).values == [10.0, 10.0]


def test_the_course_of_a_measurement_can_be_read(capsys):
    assert list(steps("ab", "forward")) == ["a", "b"]
    assert [read_step(line) for line in capsys.readouterr().err.splitlines()] == [0.5, 1.0]
    assert read_step("a warning") is None


def test_a_peak_without_its_line_is_an_error():
    assert peak("Name: lmp\nVmHWM:\t  346816 kB\n") == 346816 * 1024
    with pytest.raises(ValueError, match="expected a line VmHWM, found 'Name: lmp'"):
        peak("Name: lmp")


def test_scoring_takes_memory(melt):
    data, model, propensity = melt
    system = in_lammps.System(data, propensity)
    without, scored = (in_lammps.memory(system, model, p) for p in ("", "float32"))
    assert 0 < without < scored


def test_a_model_is_measured_with_the_numbers_that_it_has(melt):
    model = models.Model("ours", melt[1])
    numbers, exchanged, scoring, in_steps = models.measure_one(model, melt[0], 1.0, turns=1)
    network = Botan()
    assert numbers.values == [sum(p.numel() for p in network.parameters())]
    assert exchanged.values == [6 * 64]  # after all rounds but the last
    (seconds,), (share,) = scoring.values, in_steps.values
    assert 0 < seconds < share  # seconds in steps of less than a second


def test_steps_are_measured_with_and_without_history(melt):
    (figures,) = history.measure(melt[0], 1.0, turns=1, n_steps=60).values()
    assert len(figures) == 3 * len(history.TIMESTEPS)
    assert all(figure.median > 0 for figure in figures)


def test_a_history_is_scored_by_the_engine_and_by_torch(melt):
    (figures,) = with_inputs.measure(melt[0], turns=1).values()
    assert all(figure.median > 0 for figure in figures)
    assert figures[-1].met


@pytest.mark.parametrize("repeat", [1, 2])
def test_a_run_of_copies_is_compared_with_python(melt, repeat):
    data, model, propensity = melt
    taken = in_lammps.Taken()
    system = in_lammps.System(data, propensity, repeat)
    in_lammps.score(system, model, 1.0, 1, "float32", taken)
    assert system.n == 200 * repeat**3
    assert taken.difference < EQUAL
    assert len(taken.step) == len(taken.scoring) == len(taken.clock) == 1
    wrong = in_lammps.Taken()
    other = in_lammps.System(data, propensity[::-1], repeat)
    in_lammps.score(other, model, 1.0, 1, "float32", wrong)
    assert wrong.difference > EQUAL


def test_a_scoring_is_what_a_step_has_more():
    def call(name, size, computed):
        return Call(name, size, 1, 0.0, computed)

    bare = [call("Send", 24, 1.0), call("Wait", 0, 2.0), call("Barrier", 0, 3.0)]
    scoring = [call("Send", 16, 5.0), call("Allreduce", 8, 6.0)]
    found = mpi_calls.difference(bare, [*bare[:2], *scoring, call("Barrier", 0, 7.0)])
    assert found == mpi_calls.Scoring(scoring, 5.0 + 6.0 + 7.0 - 3.0)
    for others in (bare, [call("Bcast", 4, 1.0), *scoring]):
        with pytest.raises(ValueError, match="expected the calls of a step without a scoring"):
            mpi_calls.difference(bare, others)


def test_ghosts_fill_a_larger_box_without_the_box_itself():
    liquid = ranks_model.Liquid(density=1.2, degree=40.0, reach=2.8)
    n, grid = 576, (1, 1, 1)
    length = (n / 1.2) ** (1 / 3)
    ghosts, received = ranks_model.count_ghosts(n, grid, liquid)
    assert ghosts == pytest.approx(1.2 * ((length + 5.6) ** 3 - length**3))
    assert received == 0
    ghosts, received = ranks_model.count_ghosts(8 * n, (2, 2, 2), liquid)
    assert (
        ghosts == pytest.approx(received) == pytest.approx(1.2 * ((length + 5.6) ** 3 - length**3))
    )


def test_an_ideal_rank_is_efficient():
    """Neither ghosts nor exchange cost anything: the time is that of the edges."""
    liquid = ranks_model.Liquid(density=1.2, degree=40.0, reach=2.8)
    constants = ranks_model.Constants(edge=1e-7, ghost=0.0, check=0.0, message=0.0, byte=0.0)
    parts = ranks_model.scoring(8000, (2, 2, 2), liquid, constants, 1.1, 10)
    assert parts["edges"] == pytest.approx(7 * 40.0 * 1000 * 1e-7)
    assert sum(parts.values()) == pytest.approx(1.1 * parts["edges"])


@pytest.mark.parametrize("n_ranks", [1, 2])
def test_what_ranks_exchange_is_counted(melt, tmp_path, n_ranks):
    data, model, _ = melt
    library = mpi_calls.compiled(tmp_path)
    if library is None:
        pytest.skip("no C compiler")
    glass = configuration.read(data)
    degrees = np.bincount(build_graph(glass, CUTOFF).center)
    density = glass.n_particles / glass.box.volume
    sample = ranks_run.Sample(data, degrees, model, density, library)
    run = ranks_run.count(sample, n_ranks, turns=2)
    assert (run.n, run.ranks, len(run.clock)) == (200, n_ranks, 2)
    assert run.ghosts[1] == pytest.approx(
        ranks_model.count_ghosts(200, run.grid, run.liquid)[0], rel=0.1
    )
    assert run.waits().shape == (n_ranks, 2)
    assert run.computing() > 0
    assert n_ranks == 1 or run.latency() > 0
    for (calls, _), *_ in run.scorings if n_ranks > 1 else ():
        exchanges = mpi_calls.exchanges(calls, ranks_model.EXCHANGES)
        positions, *others = (mpi_calls.size(each) for each in exchanges)
        assert others == [positions / 24 * size for size in (16, *[4 * 64] * 6)]
        rounds = mpi_calls.in_stages(calls)["rounds"]
        assert mpi_calls.size(rounds) == sum(others[1:])


def test_without_a_compiler_ghosts_and_edges_are_counted(melt, monkeypatch):
    monkeypatch.setattr(mpi_calls, "compiled", lambda _: None)
    monkeypatch.setattr(ranks, "RANKS", (1, 2))
    (first, second) = ranks.measure(melt[0], turns=1).items()
    for title, figures in (first, second):
        assert "no C compiler" in title
        assert len(figures) == 8


def test_the_start_of_lmp_is_measured_with_and_without_the_plugin():
    assert in_lammps.start(in_lammps.ANY_LMP, loads=True) > 0
    assert in_lammps.start(in_lammps.BARE_LMP, loads=False) > 0
    with pytest.raises(SystemExit, match="expected `lmp` with the plugin"):
        in_lammps.start(in_lammps.BARE_LMP, loads=True)


def test_a_failure_of_lammps_is_shown(melt, tmp_path):
    _, model, propensity = melt
    missing = in_lammps.System(tmp_path / "absent.data", propensity)
    with pytest.raises(SystemExit, match=r"absent\.data"):
        in_lammps.memory(missing, model, "")


def test_forward_compares_every_engine_with_the_plain_formula(melt):
    data, _, _ = melt
    command = [sys.executable, forward.__file__, "--configuration", str(data)]
    command += ["--turns", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    sections = read_json(done.stdout)
    assert read_step(done.stderr.splitlines()[-1]) == 1.0
    differences = sections["largest difference from the plain formula"]
    assert {"ours", "engine torch"} <= {f.name for f in differences}
    assert all(f.met for f in differences if f.name != forward.ROUNDED)

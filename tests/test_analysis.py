"""Analysis classes: equal to the pure functions on arrays, whatever the backend and the reader."""

import dask
import MDAnalysis
import numpy as np
import pytest
from dumps import ORTHOGONAL, TRICLINIC, write_runs
from MDAnalysis.lib.mdamath import triclinic_box
from public_data import CONFIGURATION_401, needs_public_data, reference_graph

from lammps_botan.analysis import (
    BondBreakage,
    IntermediateScattering,
    IsoconfigurationalRuns,
    MeanSquaredDisplacement,
    NeighborAveragedDisplacement,
    OverlapSusceptibility,
    PairDistanceChange,
    Propensity,
    RelativeDisplacement,
    Runs,
    targets,
)
from lammps_botan.analysis import time_correlations as correlations
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.files.trajectory import open_dump
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture

CLASSES = [
    Propensity,
    PairDistanceChange,
    RelativeDisplacement,
    NeighborAveragedDisplacement,
    BondBreakage,
    IntermediateScattering,
    MeanSquaredDisplacement,
    OverlapSusceptibility,
]
N = 60
SPECIES = np.array([0, 0, 0, 1] * 15)
TIMES = [0.0, 0.13, 1.3, 13.0]
FLOAT32 = 1e-5  # rounding of positions in MDAnalysis's own readers


def ensemble(cell):
    """Final positions [4, 3, N, 3]: the first frame is the same in all three runs."""
    rng = np.random.default_rng(11)
    moved = rng.normal(0, 0.3, (4, 3, N, 3)).cumsum(axis=0)
    return rng.random((N, 3)) @ cell + moved - moved[0]


@pytest.fixture(scope="module", params=["orthogonal", "triclinic"])
def cell(request):
    return ORTHOGONAL if request.param == "orthogonal" else TRICLINIC


@pytest.fixture(scope="module")
def final(cell):
    return ensemble(cell)


@pytest.fixture(scope="module")
def universes(final, cell, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    steps = [round(t / 0.001) for t in TIMES]
    return [open_dump(p) for p in write_runs(folder, final, cell, SPECIES + 1, steps=steps)]


@pytest.fixture(scope="module")
def runs(universes):
    """A quarter of the particles are B: another composition than that of the mixture."""
    return IsoconfigurationalRuns(universes, mixture=KOB_ANDERSEN)


def test_targets_are_those_of_the_pure_functions(final, cell, runs):
    initial = final[0, 0]

    box = Box(cell, (True, True, True))

    def graph(cutoff):
        return build_graph(Configuration(initial, SPECIES, box), cutoff)

    bonds = targets.bonded(graph(1.35), KOB_ANDERSEN)
    expected = {
        "propensity": [targets.propensity(initial, f) for f in final],
        "pair_distance_change": [
            targets.pair_distance_change(initial, f, graph(2.0), box) for f in final
        ],
        "d": [targets.relative_displacement(initial, f, graph(1.6)).d for f in final],
        "displacement": [
            targets.neighbor_averaged_displacement(initial, f, graph(1.35)) for f in final
        ],
        "broken": [targets.bond_breakage(initial, f, bonds, box, KOB_ANDERSEN) for f in final],
    }
    for analysis, (name, values) in zip(CLASSES, expected.items(), strict=False):
        results = analysis(runs).run().results
        assert results.times == pytest.approx(TIMES)
        assert results[name].shape == np.shape(values)
        np.testing.assert_allclose(results[name], values, atol=1e-12)
    assert np.array_equal(PairDistanceChange(runs).graph.center, graph(2.0).center)


def test_correlations_are_means_over_runs_with_their_standard_errors(final, cell, runs):
    scattering = IntermediateScattering(runs, k=5.0).run().results
    squares = MeanSquaredDisplacement(runs).run().results
    assert scattering.times == pytest.approx(TIMES)
    assert scattering.scattering.shape == scattering.error.shape == (4, 2)
    vectors = correlations.wavevectors(Box(cell, (True, True, True)), 5.0)
    for t, k in np.ndindex(4, 2):
        moved = (final[t] - final[0])[:, k == SPECIES]  # [n_runs, n_members, 3]
        f = np.cos(moved @ vectors.T).mean(axis=(1, 2))
        assert scattering.scattering[t, k] == pytest.approx(f.mean())
        assert scattering.error[t, k] == pytest.approx(f.std(ddof=1) / 3**0.5)
        m = (moved**2).sum(axis=2).mean(axis=1)
        assert squares.mean_squared_displacement[t, k] == pytest.approx(m.mean())
        assert squares.error[t, k] == pytest.approx(m.std(ddof=1) / 3**0.5)


def test_the_overlap_and_its_fluctuations_are_those_of_all_particles(final, runs, universes):
    results = OverlapSusceptibility(runs, length=0.6).run().results
    for t in range(4):
        q = (np.linalg.norm(final[t] - final[0], axis=2) < 0.6).mean(axis=1)
        assert results.overlap[t] == pytest.approx(q.mean())
        assert results.overlap_error[t] == pytest.approx(q.std(ddof=1) / 3**0.5)
        # the unbiased variance of two values is (a - b)^2 / 2, and of three the mean over the pairs
        pairs = N * np.array([(q[0] - q[1]) ** 2, (q[0] - q[2]) ** 2, (q[1] - q[2]) ** 2]) / 2
        assert results.susceptibility[t] == pytest.approx(pairs.mean())
        error = np.sqrt(2 / 3 * ((pairs - pairs.mean()) ** 2).sum())
        assert results.susceptibility_error[t] == pytest.approx(error)
    assert results.overlap[0] == 1
    with pytest.raises(ValueError, match="needs at least 2"):
        OverlapSusceptibility(universes[0]).run()


@pytest.mark.parametrize("backend", ["multiprocessing", "dask"])
@pytest.mark.parametrize("analysis", CLASSES)
def test_all_backends_give_equal_results(analysis, backend, runs):
    serial = analysis(runs).run().results
    with dask.config.set({"multiprocessing.context": "fork"}):  # its default takes seconds to start
        parallel = analysis(runs).run(backend=backend, n_workers=2).results
    assert set(serial) == set(parallel) == {"times", *analysis.quantities}
    for name in serial:
        np.testing.assert_array_equal(serial[name], parallel[name])


def test_chosen_frames_alone_are_analyzed(runs):
    every = Propensity(runs).run().results
    some = Propensity(runs).run(frames=[3, 1]).results
    assert some.times == pytest.approx([13.0, 0.13])
    np.testing.assert_array_equal(some.propensity, every.propensity[[3, 1]])
    last = Propensity(runs).run(start=-1).results
    np.testing.assert_array_equal(last.propensity, every.propensity[[3]])
    assert len(Propensity(runs).run(stop=0).results.times) == 0


def test_groups_of_atoms_are_analyzed_alone(runs, universes):
    groups = [run.select_atoms("type 2") for run in universes]
    whole, part = Propensity(runs).run().results, Propensity(groups).run().results
    np.testing.assert_array_equal(part.propensity, whole.propensity[:, SPECIES == 1])
    scattering = IntermediateScattering(groups, k=5.0).run().results
    assert np.isnan(scattering.scattering[:, 0]).all()
    np.testing.assert_array_equal(
        scattering.scattering[:, 1],
        IntermediateScattering(universes, k=5.0).run().results.scattering[:, 1],
    )


def test_a_single_run_has_no_standard_error(universes):
    results = MeanSquaredDisplacement(universes[0]).run().results
    assert np.isnan(results.error).all()
    assert np.isfinite(results.mean_squared_displacement).all()


def test_other_readers_of_mdanalysis_agree_within_their_float32(final, cell, runs):
    def in_memory(k):
        universe = MDAnalysis.Universe.empty(N, trajectory=False)
        universe.add_TopologyAttr("types", ["AB"[s] for s in SPECIES])
        return universe.load_new(final[:, k].astype(np.float32), dimensions=triclinic_box(*cell))

    universes = [in_memory(k) for k in range(3)]
    for analysis in (Propensity, RelativeDisplacement, PairDistanceChange, IntermediateScattering):
        own, other = analysis(runs).run().results, analysis(universes).run().results
        for name in analysis.quantities:
            np.testing.assert_allclose(other[name], own[name], atol=50 * FLOAT32)
        assert other.times.tolist() == [0, 1, 2, 3]


def test_species_in_another_order_give_other_bonds_but_the_same_propensity(runs, universes):
    swapped = BondBreakage(universes, species=("2", "1"), mixture=KOB_ANDERSEN)
    assert swapped.runs.species.tolist() == (1 - SPECIES).tolist()
    assert swapped.graph.n_edges != BondBreakage(runs).graph.n_edges
    np.testing.assert_array_equal(
        Propensity(universes, species=("2", "1")).run().results.propensity,
        Propensity(runs).run().results.propensity,
    )


def test_bonds_need_lengths_for_each_pair_of_species(final, cell, universes, tmp_path):
    three = [open_dump(p) for p in write_runs(tmp_path, final, cell, np.arange(N) % 3 + 1)]
    with pytest.raises(
        ValueError, match=r"no bond lengths are known: BondBreakage\(runs, mixture="
    ):
        BondBreakage(three)
    with pytest.raises(ValueError, match=r"species number 2, but kob-andersen has 2 species: A, B"):
        BondBreakage(three, mixture=KOB_ANDERSEN)
    ternary = Mixture(
        name="ternary",
        units="lj",
        species=("X", "Y", "Z"),
        masses=(1.0, 1.0, 1.0),
        fractions=(0.34, 0.33, 0.33),
        bond_lengths=((1.35,) * 3,) * 3,
        diameter=1.0,
    )
    assert BondBreakage(three, mixture=ternary).run().results.broken.shape == (4, N)


def test_what_is_said_of_the_runs_is_said_in_one_place(runs, universes):
    for analysis in (Propensity, MeanSquaredDisplacement):
        with pytest.raises(ValueError, match=r"give species and mixture to \w*Runs, not here"):
            analysis(runs, mixture=KOB_ANDERSEN)
    with pytest.raises(ValueError, match="expected IsoconfigurationalRuns, found Runs"):
        Propensity(Runs(universes))


@needs_public_data
def test_targets_of_configuration_401_from_dumps_are_the_public_ones(tmp_path):
    public, reference = read_ensemble(CONFIGURATION_401), reference_graph()
    final = np.stack([np.broadcast_to(public.initial, public.final.shape), public.final])
    paths = write_runs(tmp_path, final, public.box.cell, public.species + 1, steps=[0, 4120000])
    runs = [open_dump(path) for path in paths]
    results = Propensity(runs).run(frames=[1]).results
    assert results.times.tolist() == [4120]
    np.testing.assert_allclose(results.propensity[0], reference["propensity"], atol=1e-5)
    change = PairDistanceChange(runs).run(frames=[1]).results.pair_distance_change[0]
    np.testing.assert_allclose(change, reference["pair_distance_change"], atol=1e-5)

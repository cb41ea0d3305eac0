"""Runs: what fits together, and what is refused."""

import re
import warnings

import MDAnalysis
import numpy as np
import pytest
from dumps import ORTHOGONAL, TRICLINIC, frame, write, write_runs

from lammps_botan.analysis.runs import IsoconfigurationalRuns, Runs, open_ensemble
from lammps_botan.files.trajectory import open_dump

N = 20
TYPES = np.array([1, 1, 1, 2] * 5)
STEPS = [100, 230, 1400]


@pytest.fixture(params=["orthogonal", "triclinic"])
def cell(request):
    return ORTHOGONAL if request.param == "orthogonal" else TRICLINIC


@pytest.fixture
def final(cell):
    """Three runs of three frames [3, 3, N, 3], the first one the same in all runs."""
    rng = np.random.default_rng(5)
    moved = rng.normal(0, 2, (3, 3, N, 3))
    moved[0] = 0
    return rng.random((N, 3)) @ cell + moved


@pytest.fixture
def paths(final, cell, tmp_path):
    return write_runs(tmp_path, final, cell, TYPES, steps=STEPS)


def foreign(path, **options):
    """A Universe by MDAnalysis's own reader of dumps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"dt": 0.001} | options
        options = {key: value for key, value in options.items() if value is not None}
        return MDAnalysis.Universe(
            path, format="LAMMPSDUMP", topology_format="LAMMPSDUMP", **options
        )


def test_lag_times_are_read_one_by_one_from_the_first_frame_on(final, cell, paths):
    ensemble = open_ensemble(paths)
    frames = [ensemble.at(k) for k in range(1, ensemble.n_frames)]
    assert [f.lag_time for f in frames] == pytest.approx([0.13, 1.3])
    for expected, found in zip(final[1:], frames, strict=True):
        np.testing.assert_array_equal(found.final, expected)
        np.testing.assert_array_equal(found.initial, final[0, 0])
        np.testing.assert_allclose(found.box.cell, cell, atol=1e-14)
        np.testing.assert_array_equal(found.species, TYPES - 1)


def test_an_ensemble_knows_its_lag_times_whatever_the_reader(paths):
    for runs in ([open_dump(p) for p in paths], open_dump(paths[0])):
        assert IsoconfigurationalRuns(runs).times() == pytest.approx([0, 0.13, 1.3])
    own = foreign(paths[0], lammps_coordinate_convention="unwrapped")
    assert Runs(own).times() == pytest.approx([0, 0.13, 1.3])


@pytest.mark.parametrize("header", [False, True])
def test_lag_times_are_the_same_numbers_whichever_step_is_the_first(header, tmp_path):
    """The difference of 100.1 and 100 is 0.09999999999999432 in float64."""
    found = []
    for start in (0, 100_000, 200_000, 1_234_567):
        steps = (start, start + 100, start + 1650)
        frames = [
            frame(np.eye(3), ORTHOGONAL, step=step, time=step / 1000 if header else None)
            for step in steps
        ]
        path = write(tmp_path / f"{start}.dump", *frames)
        runs = [Runs(open_dump(path, dt=7.0 if header else 0.001))]
        if not header:  # which MDAnalysis does not read
            runs.append(Runs(foreign(path, lammps_coordinate_convention="unwrapped")))
        found += [run.times().tolist() for run in runs]
        found += [[run.displacements(k)[0] for k in range(3)] for run in runs]
    assert found == [found[0]] * len(found)
    assert found[0] == pytest.approx([0, 0.1, 1.65], rel=1e-15)


def test_runs_may_start_from_configurations_of_their_own(final, cell, tmp_path):
    shift = np.arange(3)[:, None, None] * 0.7
    paths = write_runs(tmp_path, final + shift, cell, TYPES)
    runs = [open_dump(path) for path in paths]
    _, moved = Runs(runs).displacements(2)
    np.testing.assert_allclose(moved, final[2] - final[0], atol=1e-12)
    with pytest.raises(
        ValueError, match=r"run_1.dump: frame 0 \(time 0\): atom ID \d+ is 0.7 away"
    ):
        IsoconfigurationalRuns(runs)


def test_groups_of_atoms_keep_the_species_of_the_whole_system(paths):
    groups = [open_dump(path).select_atoms("type 2") for path in paths]
    ensemble = IsoconfigurationalRuns(groups)
    assert ensemble.species.tolist() == [1] * 5
    assert ensemble.n_species == 2
    assert ensemble.at(1).final.shape == (3, 5, 3)


def test_types_are_mapped_to_species_in_the_order_given(final, cell, tmp_path):
    types = np.array([2, 10, 9, 10] * 5)
    (path,) = write_runs(tmp_path, final[:, :1], cell, types)
    assert Runs(open_dump(path)).species[:4].tolist() == [1, 9, 8, 9]
    ordered = Runs(open_dump(path), species=("10", "2", "9"))
    assert ordered.species[:4].tolist() == [1, 0, 2, 0]
    with pytest.raises(
        ValueError, match=r"run_0.dump: the atoms have 3 types: 10, 2, 9; expected the 2 of species"
    ):
        Runs(open_dump(path), species=("2", "9"))


def changed(final, cell, folder, changes):
    """The runs of `final`, with one frame of run 1 made anew with changes."""
    paths = write_runs(folder, final, cell, TYPES, steps=STEPS)
    k = changes.get("frame", 1)
    settings = {"positions": final[k, 1], "cell": cell, "types": TYPES, "step": STEPS[k]} | changes
    settings.pop("frame", None)
    texts = [frame(f, cell, types=TYPES, step=s) for f, s in zip(final[:, 1], STEPS, strict=True)]
    texts[k] = frame(**settings)
    write(paths[1], *texts)
    return paths


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": ORTHOGONAL * 1.001}, r"frame 1 \(time 0.23\): the box has cell vectors"),
        ({"frame": 0, "cell": ORTHOGONAL * 2}, r"frame 0 \(time 0.1\): the box has cell vectors"),
        ({"step": 231}, r"frame 1 \(time 0.231\): lag time 0.131, expected 0.13 as in .*run_0"),
        ({"ids": np.arange(2, N + 2)}, r"frame 1 \(step 230\): atom ID 1 is missing"),
    ],
)
def test_a_frame_that_does_not_fit_the_others_is_refused_by_name(
    changes, message, final, cell, tmp_path
):
    paths = changed(final, cell, tmp_path, changes)
    with pytest.raises(ValueError, match=re.escape(str(paths[1])) + ": " + message):
        open_ensemble(paths).at(1)


def test_runs_of_other_atoms_or_lengths_are_refused(final, cell, paths, tmp_path):
    other = tmp_path / "other.dump"
    first = {"positions": final[0, 0], "cell": cell, "types": TYPES, "step": 100}
    for change, message in (
        ({"ids": np.arange(N) + 3}, "atom 0 in the order of IDs has ID 3, expected 1"),
        ({"types": TYPES[::-1]}, "atom 0 in the order of IDs has type 2, expected 1"),
        ({"positions": np.zeros((4, 3)), "types": TYPES[:4]}, "number of atoms is 4, expected 20"),
        ({}, "number of frames is 4, expected 3"),
    ):
        write(other, *[frame(**first | change)] * (3 if change else 4))
        with pytest.raises(ValueError, match=f"{other}: .*{message} as in {paths[0]}"):
            open_ensemble([paths[0], other])
    with pytest.raises(ValueError, match="at least one run"):
        open_ensemble([])


def test_a_dump_that_repeats_a_frame_or_goes_back_in_time_is_refused(final, cell, tmp_path):
    """As a dump that a run appended to after its restart."""
    positions = {"positions": final[0, 0], "cell": cell, "types": TYPES}
    for steps in ((0, 10, 10), (0, 20, 10)):
        path = write(tmp_path / "run.dump", *[frame(**positions, step=k) for k in steps])
        with pytest.raises(ValueError, match=r"run.dump: frame 2 is at time 0.01, after one at"):
            Runs(open_dump(path))


def test_one_dump_given_twice_is_refused(paths):
    with pytest.raises(ValueError, match=r"run_0\S*: given twice"):
        open_ensemble([paths[0], paths[1], paths[0]])


def test_lammps_types_keep_their_numbers_where_one_is_missing(final, cell, tmp_path):
    """A dump of B particles alone, type 2, is of species 1."""
    path = write(tmp_path / "b.dump", frame(final[0, 0], cell, types=np.full(N, 2)))
    ensemble = Runs(open_dump(path))
    assert set(ensemble.species) == {1}
    assert ensemble.n_species == 2


def test_wrapped_positions_of_the_reader_of_mdanalysis_are_refused(final, cell, tmp_path):
    wrapped = write(tmp_path / "w.dump", frame(final[0, 0], cell, columns="id type x y z"))
    unwrapped = write(tmp_path / "u.dump", frame(final[0, 0], cell))
    for universe in (foreign(wrapped), foreign(wrapped, lammps_coordinate_convention="unscaled")):
        with pytest.raises(ValueError, match=r'w.dump: .*lammps_coordinate_convention="unwrapped"'):
            Runs(universe)
    for universe in (
        foreign(unwrapped),
        foreign(unwrapped, lammps_coordinate_convention="unwrapped"),
    ):
        np.testing.assert_allclose(
            IsoconfigurationalRuns(universe).initial, final[0, 0], rtol=1e-5, atol=1e-6
        )


def test_image_flags_count_only_where_the_reader_of_mdanalysis_applies_them_rightly(tmp_path):
    columns = "id type x y z ix iy iz"
    for cell, suffix in ((ORTHOGONAL, "o"), (TRICLINIC, "t")):
        text = frame(np.full((2, 3), 1.5), cell, columns=columns)
        path = write(tmp_path / f"{suffix}.dump", text.replace("1.5 \n", "1.5 0 0 -1 \n"))
        if suffix == "t":
            with pytest.raises(ValueError, match="in orthogonal boxes, unwrap_images=True"):
                Runs(foreign(path, unwrap_images=True))
        universe = foreign(path, unwrap_images=True) if suffix == "o" else open_dump(path)
        initial = IsoconfigurationalRuns(universe).initial
        np.testing.assert_allclose(initial[0], np.full(3, 1.5) - cell[2], atol=1e-6)


def test_universes_without_box_types_or_numbers_are_refused():
    universe = MDAnalysis.Universe.empty(3, trajectory=True)
    with pytest.raises(ValueError, match=r"run 0: no atom types; use universe.add_TopologyAttr"):
        Runs(universe)
    universe.add_TopologyAttr("types", ["A", "A", "B"])
    with pytest.raises(ValueError, match="no periodic box"):
        Runs(universe)
    universe.dimensions = [5, 5, 5, 90, 90, 90]
    assert Runs(universe).species.tolist() == [0, 0, 1]
    universe.atoms.positions = [[0, 0, 0], [1, np.inf, 0], [2, 0, 0]]
    with pytest.raises(ValueError, match=r"run 0: frame 0 \(time 0\): atom ID 2 is at \[ 1. inf"):
        Runs(universe)


def test_a_dump_without_a_time_step_is_asked_for_it(paths):
    """MDAnalysis takes 1, which would make 130 of the lag time 0.13."""
    unwrapped = {"lammps_coordinate_convention": "unwrapped"}
    with pytest.raises(ValueError, match=r"run_0.dump: .* numbers of steps; say the time step"):
        Runs(foreign(paths[0], dt=None, **unwrapped))
    assert Runs(foreign(paths[0], dt=0.01, **unwrapped)).times() == pytest.approx([0, 1.3, 13])


@pytest.mark.parametrize("opened", [open_dump, foreign])
def test_a_dump_takes_no_time_between_two_frames(paths, opened):
    """Its frames are 130 and 1170 steps apart, and dt elsewhere is the time step."""
    with pytest.raises(ValueError, match=r"run_0.dump: dt=0.005 of Runs is the time between two"):
        Runs(opened(paths[0]), dt=0.005, unwrapped=True)

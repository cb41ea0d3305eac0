"""Scores by a model that sees a history: the frames of a trajectory are its samples."""

import warnings
from dataclasses import replace
from pathlib import Path

import MDAnalysis
import numpy as np
import pytest
from dumps import write
from lmp import all_images, liquid, read_dump, run_lmp
from score_runs import LENGTHS, liquid_configuration, liquid_frames, run
from toy_inputs import HISTORY, save_history

from lammps_botan.files.trajectory import open_dump, open_frames
from lammps_botan.prediction.trajectory import Progress, score, score_file

K = 10  # steps from one sample to the next
PART, PARTS, FULL = 4, 3, 12  # samples
ROUNDING = 2e-5  # float32
COLUMNS = ["d_propensity", "d_walks_1", "d_walks_2", "d_walks_3", "d_walks_4"]


def expected(positions, energies, k):
    """Displacement, variance, energy [n, 5] at frame k, by averages over unwrapped positions."""
    samples = slice((k + 1) // PART * PART - FULL, k + 1)
    mean = positions[samples].mean(axis=0)
    variance = ((positions[samples] - mean) ** 2).sum(axis=2).mean(axis=0)
    energy = energies[samples].mean(axis=0)
    return np.column_stack([mean - positions[k], variance, energy])


BOXES = {
    "orthogonal": {},
    "triclinic": {"region": "prism 0 3 -1 2 0 3 0.9 0.4 -0.7"},
    "not periodic along y": {"before_box": "boundary p s p"},  # and grows with the liquid
}
RUN = f"""
timestep 0.005
compute pe all pe/atom
dump truth all custom {K} truth.dump id type x y z xu yu zu c_pe
dump_modify truth format float %.16g sort id
dump a all custom {K} xu.dump id type xu yu zu c_pe
dump b all custom {K} x.dump id type x y z c_pe
dump c all custom 5 xs.dump.gz c_pe zs ys xs type id
dump_modify a format float %.16g time yes
dump_modify b format float %.16g
dump_modify c format float %.16g time yes
run 200
"""


@pytest.fixture(scope="module", params=BOXES)
def liquid_run(request, tmp_path_factory):
    """A run of LAMMPS with a dump of each sample."""
    folder = tmp_path_factory.mktemp("liquid")
    run_lmp(liquid(**BOXES[request.param]) + RUN, folder)
    save_history(folder / "m.pt")
    return folder


@pytest.mark.parametrize("name", ["xu.dump", "x.dump", "xs.dump.gz"])
def test_histories_are_averages_over_the_frames_of_a_run(liquid_run, name):
    """Whatever coordinates the dump has; frames off the interval are no samples."""
    frames = read_dump(liquid_run / "truth.dump")
    positions = np.stack([np.stack([f[a] for a in ("xu", "yu", "zu")], axis=1) for f in frames])
    energies = np.stack([f["c_pe"] for f in frames])
    assert np.ptp(positions, axis=0).max() > 0.5
    out, bonds = liquid_run / f"scored {name}.dump", liquid_run / f"scored {name}.bonds"
    arguments = ["score", liquid_run / name, "-m", liquid_run / "m.pt", "-o", out]
    if name == "x.dump":
        arguments += ["--timestep", "0.005"]
    each = 2 if "xs" in name else 1  # frames for one sample
    printed = run(*arguments, "--bonds", bonds, "--every", 2 * each).output
    assert "5 frames, left out 6 whose window was not full" in printed
    scored = read_dump(out)
    assert [frame.step for frame in scored] == [120, 140, 160, 180, 200]
    for frame in scored:
        k = frame.step // K
        numbers = expected(positions, energies, k)
        np.testing.assert_allclose(
            np.column_stack([frame[c] for c in COLUMNS]), numbers, atol=ROUNDING
        )
        edges = all_images(frames[k], 2.0)
        sums = np.bincount(edges.center, numbers[edges.neighbor, 4], len(numbers))
        np.testing.assert_allclose(frame["d_walks_9"], sums, atol=1e-3 * np.abs(sums).max())
    last = read_dump(bonds)[-1]
    means = positions[-1] + numbers[:, :3]
    i, j = (last[name].astype(int) - 1 for name in ("id_center", "id_neighbor"))
    apart = means[i] - means[j]
    cell = frame.cell
    images = np.rint((positions[-1][i] - positions[-1][j]) @ np.linalg.inv(cell)) @ cell
    near = np.linalg.norm(apart - images, axis=1)
    ours = last["pair_distance_change"]
    inside = last["distance"] < 1.0
    assert inside.sum() > 50
    np.testing.assert_allclose(ours[inside], near[inside], atol=1e-4)


def walk(n_frames, step=0.05):
    """Configurations of a random walk, one every 10 steps of 0.005, and what they are made of."""
    positions, types = liquid_frames(1)
    rng = np.random.default_rng(8)
    path = positions[0] + np.cumsum(rng.normal(0, step, (n_frames, *positions[0].shape)), axis=0)
    energies = rng.normal(-5, 1, path.shape[:2])
    frames = [
        liquid_configuration(x, types, columns={"c_pe": e}, step=K * k, time=0.005 * K * k)
        for k, (x, e) in enumerate(zip(path, energies, strict=True))
    ]
    return frames, path, energies, types


@pytest.mark.slow
def test_workers_score_the_same(tmp_path):
    model = save_history(tmp_path / "m.pt")
    frames, path, energies, _ = walk(16)
    alone = list(score(frames, model))
    assert [one.configuration.step // K for one in alone] == [11, 12, 13, 14, 15]
    for one, two in zip(alone, score(frames, model, workers=2), strict=True):
        k = one.configuration.step // K
        np.testing.assert_array_equal(one.propensity, two.propensity)
        numbers = expected(path, energies, k)
        np.testing.assert_allclose(one.propensity[:, :5], numbers, atol=ROUNDING)
        np.testing.assert_allclose(one.configuration.history.variance, numbers[:, 3], atol=1e-12)


def test_a_single_configuration_brings_its_history(tmp_path):
    model = save_history(tmp_path / "m.pt")
    *_, last = score(walk(13)[0], model)
    (again,) = score(last.configuration, model)
    np.testing.assert_array_equal(again.propensity, last.propensity)
    with pytest.raises(ValueError, match="the configuration has no history"):
        list(score(replace(last.configuration, history=None), model))


def test_types_that_are_null_need_no_window(tmp_path):
    """They get 0, and those that the model sees have histories of their own."""
    model = save_history(tmp_path / "m.pt")
    frames, path, energies, types = walk(14)
    for k in range(4):  # a particle of type 2 comes later
        frames[k] = frames[k].select(np.arange(90) != np.flatnonzero(types == 2)[0])
    scored = list(score(frames, model, species=["A", "NULL"]))
    assert [one.configuration.step // K for one in scored] == [11, 12, 13]
    there = types == 1
    numbers = expected(path, energies, 13)[there]
    np.testing.assert_allclose(scored[-1].propensity[there, :5], numbers, atol=ROUNDING)
    np.testing.assert_array_equal(scored[-1].propensity[~there], 0)


def test_a_new_particle_begins_a_window_that_all_wait_for(tmp_path):
    """It comes at sample 15, and the next part begins with sample 16."""
    model = save_history(tmp_path / "m.pt")
    frames, path, energies, _ = walk(30)
    for k in range(15):
        frames[k] = frames[k].select(np.arange(90) != 33)
    for k in range(22, 30):
        frames[k] = frames[k].select(np.random.default_rng(k).permutation(90))
    scored = list(score(frames, model))
    assert [one.configuration.step // K for one in scored] == [11, 12, 13, 14, 27, 28, 29]
    last = scored[-1]
    numbers = expected(path, energies, 29)
    by_id = np.empty((90, 5))
    by_id[last.ids - 1] = last.propensity[:, :5]
    np.testing.assert_allclose(by_id, numbers, atol=ROUNDING)


def test_between_bursts_of_frames_histories_begin_anew(tmp_path):
    """Dumps that hold the windows before the frames to score only."""
    model = save_history(tmp_path / "m.pt")
    frames, path, energies, _ = walk(60)
    bursts = [f for f in frames if f.step // K % 30 >= 16]
    scored = list(score(bursts, model))
    assert [one.configuration.step // K for one in scored] == [27, 28, 29, 57, 58, 59]
    burst = expected(path[46:], energies[46:], 13)
    np.testing.assert_allclose(scored[-1].propensity[:, :5], burst, atol=ROUNDING)


def test_a_frame_between_two_samples_is_scored_with_the_samples_before(tmp_path):
    model = save_history(tmp_path / "m.pt")
    frames, path, energies, types = walk(13)
    between = liquid_configuration(path[12], types, step=K * 11 + 5, time=0.005 * (K * 11 + 5))
    *_, last = score([*frames[:12], between], model)
    mean = path[:12].mean(axis=0)
    np.testing.assert_allclose(last.propensity[:, :3], mean - path[12], atol=ROUNDING)
    np.testing.assert_allclose(last.propensity[:, 4], energies[:12].mean(axis=0), atol=ROUNDING)


def dump(frames, *, columns="id type x y z c_pe", times=True):
    """Frames as the text of a dump."""
    texts = []
    for frame in frames:
        rows = [frame.ids, frame.types, *frame.positions.T, frame.columns.get("c_pe", frame.ids)]
        n = len(columns.split())
        head = f"ITEM: TIME\n{frame.time:.16g}\n" if times else ""
        head += f"ITEM: TIMESTEP\n{frame.step}\nITEM: NUMBER OF ATOMS\n{frame.n_particles}\n"
        head += "ITEM: BOX BOUNDS pp pp pp\n" + "".join(f"0 {x}\n" for x in LENGTHS)
        lines = (" ".join(f"{x:.17g}" for x in row[:n]) for row in zip(*rows, strict=True))
        texts.append(head + f"ITEM: ATOMS {columns}\n" + "\n".join(lines) + "\n")
    return texts


def test_a_frame_that_was_written_twice_counts_once(tmp_path):
    """As where LAMMPS goes on with a dump after a restart."""
    model = save_history(tmp_path / "m.pt")
    outputs = []
    for name, frames in (("once", FRAMES), ("twice", [*FRAMES[:5], FRAMES[4], *FRAMES[5:]])):
        file = write(tmp_path / f"{name}.dump", *dump(frames))
        run("score", file, "-m", model, "-o", tmp_path / name)
        outputs.append((tmp_path / name).read_text())
    assert outputs[0] == outputs[1]


def test_a_universe_over_a_dump_is_scored_with_its_energies(tmp_path):
    model = save_history(tmp_path / "m.pt")
    frames, path, energies, _ = walk(13)
    file = write(tmp_path / "run.dump", *dump(frames, columns="id type xu yu zu c_pe", times=False))
    numbers = expected(path, energies, 12)
    form = {"format": "LAMMPSDUMP", "topology_format": "LAMMPSDUMP"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MDAnalysis guesses masses
        theirs = MDAnalysis.Universe(str(file), **form)
    for universe in (open_dump(file), theirs):
        *_, last = score(universe, model, timestep=0.005)
        np.testing.assert_allclose(last.propensity[:, :5], numbers, atol=ROUNDING)


def test_progress_counts_the_frames_left_out(tmp_path):
    model = save_history(tmp_path / "m.pt")
    frames, *_ = walk(30)
    several = [*frames[:13], *frames[20:23]]
    file = write(tmp_path / "run.dump", *dump(several))
    progress = list(score_file(file, model, tmp_path / "scored.dump"))
    assert [p[::2] for p in progress] == [(1, 11), (2, 11), (2, 14)]
    assert progress[-1] == Progress(2, 1.0, 14)


LINES = [
    "compute pe all pe/atom",
    "dump 1 all custom 10 run.dump id type xu yu zu c_pe",
    "dump_modify 1 time yes format float %.15g",
]
FRAMES, *_ = walk(14)
CASES = {
    "energies": (
        dump(FRAMES, columns="id type x y z"),
        [
            "run.dump: frame 0 (step 0): the model sees history (t_w = 0.6, a sample every 0.05, "
            "3 parts): expected a LAMMPS dump with the energies of the particles in the column c_pe"
        ],
        LINES,
    ),
    "too few": (
        dump(FRAMES[:11]),
        [
            "run.dump: frame 10 (step 100): the model sees history",
            "expected 12 frames or more at successive multiples of 10 steps, found at most 11",
        ],
        LINES,
    ),
    "one": (
        dump(FRAMES[:1]),
        [
            "a trajectory of one frame: the model sees",
            "multiples of N steps (N = 0.05 / time step), found at most 1;",
        ],
        [LINES[0], "dump 1 all custom N run.dump id type xu yu zu c_pe", LINES[2]],
    ),
    "far apart": (
        dump(FRAMES[::2]),
        [
            "run.dump: frame 2 (step 40): the model sees",
            "at successive multiples of 10 steps, found no two of them;",
        ],
        LINES,
    ),
    "backwards": (
        dump([FRAMES[1], FRAMES[0]]),
        ["run.dump: frame 1 (step 0): expected a later step than 10, that of the frame before"],
        [],
    ),
    "time": (
        dump(FRAMES, times=False),
        [
            "run.dump: frame 1 (step 10): does not say its time; give the time step of the run "
            "with --timestep (timestep= in Python), or write dumps with `dump_modify 1 time yes`"
        ],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_trajectory_without_histories_is_refused_with_the_lines_to_write(case, tmp_path):
    texts, words, lines = CASES[case]
    file = write(tmp_path / "run.dump", *texts)
    model = save_history(tmp_path / "m.pt")
    out = tmp_path / "scored.dump"
    printed = run("score", file, "-m", model, "-o", out, fails=True).output
    printed = " ".join(printed.split())
    for text in words + lines:
        assert text in printed
    assert not out.exists()


def test_another_time_step_than_that_of_the_frames_is_refused(tmp_path):
    model = save_history(tmp_path / "m.pt")
    with pytest.raises(ValueError, match=r"expected a time step of 0.01, as given, but the times"):
        list(score(FRAMES, model, timestep=0.01))
    with pytest.raises(ValueError, match=r"the time step must be positive, found 0"):
        score(FRAMES, model, timestep=0.0)
    assert len(list(score(FRAMES, model, timestep=0.005))) == 3


def test_a_time_step_that_misses_the_interval_is_refused(tmp_path):
    model = save_history(tmp_path / "m.pt")
    frames, *_ = walk(14)
    frames = [replace(f, time=None) for f in frames]
    with pytest.raises(ValueError, match=r"every 0.05, and with time step 0.035 .* are 0.035 apa"):
        list(score(frames, model, timestep=0.035))


def test_a_column_that_some_frames_lack_is_read_where_it_is(tmp_path):
    texts = [dump(FRAMES[:1])[0], dump(FRAMES[1:2], columns="id type x y z")[0]]
    file = write(tmp_path / "run.dump", *texts)
    one, two = open_frames(Path(file), columns=["c_pe"])
    np.testing.assert_array_equal(one.columns["c_pe"], FRAMES[0].columns["c_pe"])
    assert two.columns == {}
    assert (one.time, two.time) == (0.0, 0.05)


def test_the_window_of_the_model_is_that_of_these_tests():
    assert HISTORY["window"] / HISTORY["interval"] / HISTORY["parts"] == pytest.approx(PART)
    assert PART * PARTS == FULL

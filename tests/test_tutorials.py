"""Every command of the tutorials runs in an empty folder, and gives what the page says."""

import re

import numpy as np
import pytest
from lmp import read_dump
from PIL import Image
from public_data import FOLDER, needs_public_data
from typed import DOCS, blocks_of, type_page

from lammps_botan import score
from lammps_botan.files.trajectory import open_frames
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.export import export

pytestmark = [pytest.mark.slow, pytest.mark.long]

TUTORIALS = DOCS / "tutorials"


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """The folder where a tutorial was typed, and what it printed; each is typed once."""
    root = tmp_path_factory.mktemp("tutorials")
    if FOLDER.is_dir():
        (root / "shared").symlink_to(FOLDER.parents[1])
    done = {}

    def typed(name):
        if name not in done:
            folder = root / name
            folder.mkdir()
            done[name] = folder, type_page(TUTORIALS / f"{name}.md", folder)
        return done[name]

    return typed


def rho(printed, row):
    """What `evaluate` printed in a row of its first table, the propensity of the first species."""
    return [float(x) for x in re.search(rf"^ {row} +([\d. ]+)$", printed, re.MULTILINE)[1].split()]


def scores(path, name):
    """Values of the particles by their ids, frame by frame."""
    return {
        frame.step: dict(zip(frame["id"], frame[name], strict=True)) for frame in read_dump(path)
    }


@pytest.mark.parametrize(
    ("tutorial", "picture"),
    [
        ("score_a_run", "map.png"),
        ("score_a_run", "bonds.png"),
        ("score_a_run", "movie/movie.gif"),
        ("score_old_dumps", "bonds.png"),
        ("ground_truth", "observables.png"),
        ("ground_truth", "error.png"),
        ("train_on_five", "learning.png"),
        ("train_on_five", "test.png"),
        pytest.param("history_and_inherent", "history.png", marks=needs_public_data),
        ("committee", "unsure.png"),
        ("verification", "verification.png"),
    ],
)
def test_a_picture_is_there_and_shows_something(typed, tutorial, picture):
    """A picture of frame and labels alone is grey."""
    file = typed(tutorial)[0] / picture
    assert file.stat().st_size > 10_000
    with Image.open(file) as image:
        colors = image.convert("RGB").getcolors(1 << 24)
    assert sum(n for n, color in colors if max(color) - min(color) > 60) > 1000


@pytest.mark.parametrize("page", sorted(TUTORIALS.glob("*.md")), ids=lambda page: page.stem)
def test_no_block_of_a_tutorial_is_left_untyped(page):
    """Other languages show what `sh` blocks have or print."""
    blocks = blocks_of(page)
    typed = "".join(block.code for block in blocks if block.language == "sh")
    assert typed
    for block in blocks:
        assert block.language in {"sh", "text", "lammps", "toml"}
        assert not block.is_fragment
        if block.language in {"lammps", "toml"}:
            assert block.code in typed


def test_the_dump_scored_afterwards_has_what_the_fix_predicted(typed):
    folder, _ = typed("score_a_run")
    in_situ = scores(folder / "run.dump", "f_mob")
    afterwards = scores(folder / "scored.dump", "d_propensity")
    assert [*afterwards] == [*in_situ] == [0, 500, 1000, 1500, 2000]
    for step, values in in_situ.items():
        assert values.keys() == afterwards[step].keys()
        assert max(abs(values[i] - afterwards[step][i]) for i in values) < 2e-5


def test_a_rerun_of_an_old_dump_has_what_score_found_in_it(typed):
    folder, _ = typed("score_old_dumps")
    scored = scores(folder / "scored.dump", "d_propensity")
    again = scores(folder / "rerun.dump", "f_mob")
    assert [*again] == [*scored] == list(range(0, 3601, 600))
    for step, values in scored.items():
        # rerun takes positions with the ten digits of the dump, and so does score
        assert max(abs(values[i] - again[step][i]) for i in values) < 2e-5


def test_frames_before_the_window_is_full_are_not_scored_by_the_history(typed):
    folder, _ = typed("score_old_dumps")
    assert [*scores(folder / "history.dump", "d_propensity")] == list(range(600, 3601, 600))


def test_each_step_of_the_ground_truth_tells_the_same_mean_propensity(typed):
    """The table of `observables`, and the average that the page takes itself."""
    _, printed = typed("ground_truth")
    table = re.search(r"^  16\.5 +A .*?([\d.]+) ± [\d.]+ +[\d.]+ *$", printed, re.MULTILINE)
    own = re.search(r"mean propensity of A ([\d.]+), of B ([\d.]+)", printed)
    assert float(table[1]) == pytest.approx(float(own[1]), abs=0.006)
    assert float(own[2]) > float(own[1])  # small particles move farther


def test_the_ceiling_is_above_the_model(typed):
    _, printed = typed("ground_truth")
    model, ceiling = rho(printed, "ka-0001")
    assert 0.2 < model < ceiling < 0.8


def test_a_network_that_sees_history_learns_more_from_five_than_from_positions(typed):
    _, printed = typed("train_on_five")
    history, positions, ceiling = rho(printed, "ka-0006")
    assert 0.1 < positions < history < ceiling


@needs_public_data
def test_history_and_inherent_structure_earn_what_the_page_says(typed):
    """Configuration 402, which none of the models knows: the page has these numbers."""
    _, printed = typed("history_and_inherent")
    positions, history, ceiling = rho(printed, "402")
    assert positions == pytest.approx(0.738, abs=0.002)
    assert history == pytest.approx(0.86, abs=0.02)  # other velocities move it by .02
    assert ceiling == pytest.approx(0.945, abs=0.002)
    own = dict(re.findall(r"^(\w+) +rho_S = ([\d.]+)$", printed, re.MULTILINE))
    assert float(own["thermal"]) == pytest.approx(positions, abs=0.002)
    assert float(own["inherent"]) == pytest.approx(0.841, abs=0.002)


def test_a_committee_has_mean_and_standard_deviation_of_its_three_members(typed):
    folder, _ = typed("committee")
    mean = scores(folder / "scored.dump", "d_propensity")[600]
    std = scores(folder / "scored.dump", "d_propensity_std")[600]
    members = []
    for seed in (1, 2, 3):
        checkpoint = load_checkpoint(folder / f"committee/seed-{seed}/best.ckpt")
        export(checkpoint, folder / f"{seed}.pt")
        frames = open_frames(folder / "run.dump", columns=["c_pe"])
        (found,) = score(frames, folder / f"{seed}.pt", every=30, timestep=0.005)
        alone = dict(zip(found.configuration.ids, found.propensity[:, 0], strict=True))
        members.append([alone[i] for i in mean])
    np.testing.assert_allclose(np.mean(members, axis=0), [*mean.values()], atol=2e-5)
    np.testing.assert_allclose(np.std(members, axis=0, ddof=1), [std[i] for i in mean], atol=2e-5)


def test_verifications_begin_one_lag_time_after_the_first_prediction(typed):
    """4.5 is the first scored time with a full window, and 16.5 the lag time."""
    _, printed = typed("verification")
    rows = [line.split() for line in printed.splitlines() if re.match(r" +\d+ +[\d.]+ +\S+ ", line)]
    rows = np.array([row for row in rows if len(row) == 9], dtype=float)
    assert rows[rows[:, 4] == 1, 1][0] == pytest.approx(18.0)  # the first multiple of 450 steps
    assert rows[rows[:, 7] == 1, 1][0] == pytest.approx(22.5)
    assert np.isnan(rows[rows[:, 1] < 16.5, 2]).all()
    assert not np.isnan(rows[rows[:, 1] > 16.5, 2]).any()

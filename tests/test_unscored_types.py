"""Pictures of dumps with atoms that no model scores, and the names and times in pictures."""

from itertools import combinations

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="pictures need lammps-botan[plot]")

from matplotlib.colors import to_rgb

from lammps_botan import KOB_ANDERSEN, Box, Configuration
from lammps_botan.figures.picture import N_COLORS, color
from lammps_botan.figures.scored_frames import as_mixture, color_limits, scored_values
from lammps_botan.figures.slice_drawing import main_species

BOX = Box(9.0, (True, True, True))


def test_atoms_that_are_not_scored_do_not_set_the_colors():
    rng = np.random.default_rng(0)
    scored, grey = np.repeat([0, 1], [30, 10]), np.full(100, 2)
    values = rng.uniform(0.10, 0.13, 40)

    def limits(species, column):
        n = len(species)
        frame = Configuration(rng.random((n, 3)), species, BOX, columns={"d_propensity": column})
        shown = scored_values(frame, "d_propensity")
        return color_limits([shown[frame.species == main_species(frame, shown)]])

    alone = limits(scored, values)
    assert 0.09 < alone[0] < alone[1] < 0.14
    with_others = limits(np.concatenate([scored, grey]), np.concatenate([values, np.zeros(100)]))
    assert with_others == alone


def test_types_are_not_taken_for_species_where_they_may_be_others():
    """Three types of a shipped mixture of two, of which the fix scored the group of one."""
    rng = np.random.default_rng(1)
    species = np.repeat([0, 1, 2], [800, 200, 1])
    edge = (1001 / KOB_ANDERSEN.density) ** (1 / 3)
    values = np.where(species == 1, 0.1, 0.0)
    box = Box(edge, (True, True, True))
    positions = rng.random((1001, 3)) * edge
    frame = Configuration(positions, species, box, units="lj", columns={"f_mob": values})
    assert as_mixture(frame, None, "f_mob").mixture is None
    with pytest.raises(ValueError, match="values in f_mob for 1 types, but kob-andersen has 2"):
        as_mixture(frame, KOB_ANDERSEN, "f_mob")
    frame.columns["f_mob"][:800] = 0.2
    assert np.bincount(as_mixture(frame, KOB_ANDERSEN, "f_mob").species).tolist() == [800, 200]


@pytest.mark.parametrize("fps", [7, 10, 30, 35, 50])
def test_a_movie_lasts_as_long_as_asked(fps):
    from lammps_botan.figures.movie import _durations

    durations = _durations(90, fps)
    assert len(durations) == 90
    assert all(one % 10 == 0 and one > 0 for one in durations)
    assert sum(durations) == pytest.approx(1000 * 90 / fps, abs=10)


def test_folders_with_dollars_are_drawn_as_they_are_called(tmp_path):
    from lammps_botan.figures.learning_curve import _names

    for names in (["c$1_2$d"], ["$a_{$x$b$", "plain"]):
        shown = _names([tmp_path / name for name in names])
        assert [name.replace(r"\$", "$") for name in shown] == names
        assert all(name.count("$") == name.count(r"\$") for name in shown)


def test_lines_have_colors_of_their_own_up_to_the_twenty_first():
    colors = [color(k) for k in range(N_COLORS + 1)]
    assert len({to_rgb(name) for name in colors}) == N_COLORS == 21
    assert colors[0] == colors[-1]
    shares = [
        np.linalg.norm(np.subtract(to_rgb(a), to_rgb(b))) for a, b in combinations(colors[:-1], 2)
    ]
    assert min(shares) > 0.1

"""Commands of the how-to pages run, in order, in an empty folder."""

import re

import numpy as np
import pytest
from lmp import read_dump
from typed import DOCS, type_page

pytestmark = pytest.mark.slow

HOW_TO = DOCS / "how_to"
ROW = re.compile(r"^ *\d+(?: +(?:[-+.e\d]+|nan)){7} *$", re.MULTILINE)


def rows(log):
    """Thermo output of a log file, by its steps."""
    table = [row.split() for row in ROW.findall(log.read_text())]
    return {int(row[0]): np.array(row, dtype=float) for row in table}


@pytest.fixture(scope="module")
def restarted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("restarts")
    type_page(HOW_TO / "restarts.md", folder)
    return folder


def test_the_history_of_a_restarted_run_is_full_at_its_first_step(restarted):
    first, second = rows(restarted / "first.log"), rows(restarted / "second.log")
    assert [*first] == [0, 300, 600, 900]
    assert [*second] == [900, 1200, 1500]
    assert first[0][-1] < 1
    assert [row[-1] for row in second.values()] == [1, 1, 1]


def test_a_restarted_run_begins_with_the_predictions_that_the_first_one_ended_with(restarted):
    (last,) = [frame for frame in read_dump(restarted / "run.0.dump") if frame.step == 900]
    again = read_dump(restarted / "run.900.dump")[0]
    assert again.step == 900
    np.testing.assert_allclose(again["f_mob"], last["f_mob"], atol=1e-4)
    assert last["f_mob"].std() > 0.01


def test_partitions_are_replicas_with_predictions_of_their_own(tmp_path):
    type_page(HOW_TO / "cluster.md", tmp_path)
    one, two = (read_dump(tmp_path / f"replica_{seed}.dump") for seed in (11, 12))
    assert [frame.step for frame in one] == [frame.step for frame in two] == [0, 100, 200]
    np.testing.assert_allclose(one[0]["f_mob"], two[0]["f_mob"], atol=1e-5)  # one configuration
    assert np.abs(one[-1]["f_mob"] - two[-1]["f_mob"]).max() > 0.01

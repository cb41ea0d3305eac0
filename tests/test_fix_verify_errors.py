"""What cannot be verified: NaN where a correlation is undefined, and messages."""

import numpy as np
import pytest
from fix_toys import Walks, save_model, save_without_edges
from lmp import liquid, run_lmp
from test_fix_errors import check_fails
from verified import DT

pytestmark = pytest.mark.slow


def test_what_cannot_be_correlated_is_nan(tmp_path):
    """Before the first verification, without bonds, for a group of one atom, for equal numbers."""
    save_without_edges(tmp_path / "m.pt", lag_times=[30 * DT])
    save_model(tmp_path / "constant.pt", Walks(weights=(0.0, 0.0)), lag_times=[30 * DT])
    names = ("g", "one", "constant")
    columns = " ".join(f"f_{name}[{k}]" for name in names for k in (6, 7, 8))
    script = f"""{liquid()}
    group one id 1
    fix g all botan 10 m.pt A B verify yes
    fix one one botan 10 m.pt A B verify yes
    fix constant all botan 10 constant.pt A B verify yes
    thermo 10
    thermo_style custom step {columns}
    run 60"""
    rows = run_lmp(script, tmp_path).thermo()
    for row in rows:
        assert np.isnan(row["f_g[6]"]) == (row["f_g[8]"] == 0)
        for name in ("f_g[7]", "f_one[6]", "f_one[7]", "f_constant[6]"):
            assert np.isnan(row[name])
    assert all(rows[-1][f"f_{name}[8]"] == 4 for name in names)
    assert not np.isnan(rows[-1]["f_constant[7]"])


def test_the_log_says_after_which_time_is_verified(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[0.25])
    for verify, count in (("yes", 1), ("no", 0)):
        script = f"{liquid('2 2 2')}\nfix g all botan 10 m.pt A B verify {verify}"
        output = run_lmp(script, tmp_path).output
        assert output.count("each prediction is verified after lag time 0.25") == count


def test_there_are_no_further_entries_without_verification(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[0.25])
    script = f"{liquid('2 2 2')}\nfix g all botan 10 m.pt A B\nthermo_style custom step f_g[6]"
    check_fails(tmp_path, script, "fix g vector is accessed out-of-range")


def test_output_between_scorings_is_refused_by_lammps(tmp_path):
    save_model(tmp_path / "m.pt", lag_times=[0.25])
    script = f"{liquid('2 2 2')}\nfix g all botan 10 m.pt A B verify yes\nthermo 5"
    script += "\nthermo_style custom step f_g[6]\nrun 10"
    check_fails(tmp_path, script, "not computed at compatible times")


ERRORS = {
    "neither yes nor no": ("A B verify maybe", {}, "verify must be yes or no, got 'maybe'"),
    "no value": ("A B verify", {}, "keyword verify needs a value"),
    "no lag time": ("A B verify yes", {"lag_times": None}, "model file m.pt does not say it"),
    "an empty list": ("A B verify yes", {"lag_times": []}, "model file m.pt does not say it"),
    "several lag times": (
        "A B verify yes",
        {"lag_times": [0.1, 1.0]},
        "needs a model with one lag time, and model file m.pt has 2; take another model",
    ),
    "reference species not there": (
        "NULL B verify yes",
        {},
        "looks at species A of the model, and no atom type is mapped to it",
    ),
    "bonds beyond the cutoff": (
        "A B verify yes",
        {"cutoff": 1.2},
        "looks at bonds shorter than 1.35, and the model predicts pairs within its cutoff 1.2 only",
    ),
    "lag time of a step": (
        "A B verify yes",
        {"lag_times": [0.005]},
        "predicts for 0.005 and the timestep is 0.005; write a shorter `timestep`",
    ),
    "negative lag time": ("A B verify yes", {"lag_times": [-3.0]}, "predicts for -3 and"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_be_verified_is_named(tmp_path, case):
    words, changes, message = ERRORS[case]
    save_model(tmp_path / "m.pt", **{"lag_times": [0.1], **changes})
    script = f"{liquid('2 2 2')}fix g all botan 10 m.pt {words}\nrun 0"
    check_fails(tmp_path, script, message, ranks=2)

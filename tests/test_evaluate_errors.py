"""Files and models that `lammps-botan evaluate` refuses."""

import numpy as np
import pytest
from evaluations import arrays, groups, run, write, write_five
from toy_metadata import mixture
from toy_models import Walks, save_model

from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.structure.mixture import Mixture


@pytest.fixture
def files(tmp_path):
    return write_five(tmp_path)


@pytest.fixture
def toy(tmp_path):
    return save_model(tmp_path / "toy.pt")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.full((2, 150, 3), np.nan)}, "positions holds values that are not finite"),
        ({"positions": np.zeros((0, 150, 3))}, r"has no runs: .* found \[0, 150, 3\]"),
        ({"drop": "types"}, "lacks types; found box, initial_positions, positions"),
        ({"types": np.full(150, 2)}, "types must be species numbers from 0, or LAMMPS types"),
        (
            {"types": np.arange(150) % 2},
            r"it is not known what the particles are: .* --mixture NAME or FILE\.toml",
        ),
        ({"box": 2.32, "n": 15}, "the box is smaller than two cutoffs"),
        (
            {"positions": arrays(1)["positions"] % 5.0},
            "the final positions are wrapped into the box, so that displacements across its",
        ),
        ({"seed": 0}, r"holds the same configuration as .*good\.npz; a configuration counts once"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, toy, changes, message):
    good = write(tmp_path / "good.npz")
    bad = write(tmp_path / "bad.npz", **{"seed": 1, **changes})
    with pytest.raises(ValueError, match=rf"bad\.npz: .*{message}"):
        evaluate([toy], [good, bad])
    assert "bad.npz" in run(good, bad, "-m", toy, fails=True)


def test_a_folder_is_no_file(tmp_path, toy):
    folder, empty = tmp_path / "folder", tmp_path / "empty"
    for path in (folder, empty):
        path.mkdir()
    write(folder / "c.npz")
    with pytest.raises(ValueError, match=r"found a folder; type .*folder/\*\.npz$"):
        evaluate([toy], [folder])
    assert f"type {folder}/*.npz" in run(folder, "-m", toy, fails=True)
    with pytest.raises(ValueError, match=r"empty: expected an npz .* found a folder without any$"):
        evaluate([toy], [empty])


def test_without_files_there_is_nothing_to_do(toy):
    with pytest.raises(ValueError, match="expected at least one npz or pickle file, found none"):
        evaluate([toy], [])


def test_a_configuration_counts_once(tmp_path, toy):
    path = write(tmp_path / "c.npz")
    with pytest.raises(ValueError, match=r"c\.npz: given twice; a configuration"):
        evaluate([toy], [path, path])
    (tmp_path / "folder").mkdir()
    again = tmp_path / "folder" / ".." / "c.npz"
    with pytest.raises(ValueError, match=r"\.\./c\.npz: given twice, also as .*c\.npz; a config"):
        evaluate([toy], [path, again])


def test_lag_times_are_not_mixed(tmp_path, toy):
    short, long = (write(tmp_path / f"{t}.npz", t, time=float(t)) for t in (1, 13))
    unsaid = write(tmp_path / "unsaid.npz")
    found = evaluate([toy], [unsaid, short])
    assert len(found["configurations"]) == 2
    assert found["time"] == 1.0
    assert evaluate([toy], [unsaid])["time"] is None
    with pytest.raises(ValueError, match=r"13\.npz: the lag time is 13, that of .*1\.npz 1; "):
        evaluate([toy], [unsaid, short, long])


def test_temperatures_and_densities_are_not_mixed(tmp_path):
    """Without a model too; a file that says no temperature is taken as it is."""
    cold, cool, warm = (
        write(tmp_path / f"{t}.npz", k, temperature=t) for k, t in enumerate((0.44, 0.441, 0.5))
    )
    unsaid = write(tmp_path / "unsaid.npz", 7)
    assert evaluate([], [unsaid, cold, cool])["left_out"] == []
    expected = (
        r"0\.5\.npz: temperature 0\.5, expected 0\.44 as in .*/0\.44\.npz; an average is over one"
    )
    with pytest.raises(ValueError, match=expected):
        evaluate([], [unsaid, cold, warm])
    # particles in edges of 5.0, 5.05 and 5.2: N/V less by 3 % and by 11 %
    near, dilute = (write(tmp_path / f"{b}.npz", k, box=b) for k, b in ((8, 5.05), (9, 5.2)))
    assert evaluate([], [unsaid, near])["left_out"] == []
    with pytest.raises(
        ValueError, match=r"5\.2\.npz: density 1\.067, expected 1\.2 as in .*unsaid"
    ):
        evaluate([], [unsaid, near, dilute])
    assert "each on their own" in run(unsaid, dilute, fails=True)


NICKEL = Mixture.model_validate(mixture("Ni", "P", name="nickel", fractions=[0.8, 0.2]))


def test_species_are_told_by_their_names(files, toy, tmp_path):
    other = save_model(tmp_path / "other.pt", mixture=NICKEL.model_dump())
    with pytest.raises(ValueError, match=r"c0\.npz: .* species A B, but .*other\.pt knows Ni P"):
        evaluate([toy, other], files)
    (model,) = evaluate([other], files, mixture=NICKEL)["models"]
    assert list(groups(model)) == ["Ni", "P", "Ni-Ni", "Ni-P", "P-P"]
    turned = save_model(
        tmp_path / "turned.pt", Walks(weights=(3.0, 1.0)), mixture={"species": ["B", "A"]}
    )
    straight = save_model(tmp_path / "straight.pt", Walks(weights=(1.0, 3.0)))
    first, second = evaluate([turned, straight], files)["models"]
    assert first["S"] == second["S"]


def test_predictions_that_are_not_finite_are_refused(files, tmp_path):
    for fault in ("nan", "nan edges"):
        model = save_model(tmp_path / "bad.pt", Walks(fault=fault))
        with pytest.raises(ValueError, match=r"c0\.npz: .*bad\.pt predicts numbers that are not"):
            evaluate([model], files)


def test_a_model_that_fails_is_named_with_the_file(files, tmp_path):
    model = save_model(tmp_path / "bad.pt", Walks(fault="raise"))
    with pytest.raises(ValueError, match=r"c0\.npz: .*bad\.pt fails: .*on purpose"):
        evaluate([model], files)

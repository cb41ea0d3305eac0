"""Configurations that a model knows, and conditions that it was not trained for."""

import json

import numpy as np
import pytest
from evaluations import arrays, run, write, write_five
from public_data import CONFIGURATION_401, FOLDER, needs_public_data
from toy_metadata import mixture
from toy_models import Walks, save_model

from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.files.ensemble import read_start
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.shipped import find_model
from lammps_botan.structure.mixture import KOB_ANDERSEN, Mixture


def knowing(path, **roles):
    """A toy that knows files, by their roles."""
    configurations = [
        {"sha256": read_start(file).sha256, "role": role, "name": file.name}
        for role, files in roles.items()
        for file in files
    ]
    return save_model(path, provenance={"configurations": configurations})


def test_what_a_model_knows_is_in_no_mean(tmp_path):
    files = write_five(tmp_path)
    toy = knowing(tmp_path / "toy.pt", training=files[:1], validation=files[3:4])
    found = evaluate([toy], files)
    alone = evaluate([save_model(tmp_path / "new.pt")], [files[1], files[2], files[4]])
    assert found["left_out"] == [str(files[0]), str(files[3])]
    assert found["models"][0]["known"] == {
        str(files[0]): "training",
        str(files[3]): "validation",
    }
    for part, expected in (
        (found["models"][0], alone["models"][0]),
        (found["ceiling"], alone["ceiling"]),
    ):
        own = {key: part["S"]["A"][key] for key in ("rho_mean", "rho_pooled", "n_configurations")}
        assert own == {key: expected["S"]["A"][key] for key in own}
        each = part["E"]["A-A"]["per_configuration"]
        assert len(each) == 5
        assert [each[k] for k in (1, 2, 4)] == expected["E"]["A-A"]["per_configuration"]
    printed = run(*files, "-m", toy)
    assert " c0 (training) " in printed
    assert " c3 (validation) " in printed
    assert "rho_mean, n = 3 " in printed
    assert "2 of 5 configurations are known to a model and left out of the means" in printed


def test_an_evaluation_says_how_many_configurations_trained_a_model(tmp_path):
    """Ends of runs do not count; of pseudo-labels what they were distilled from."""

    def one(sha256, role, name="c.npz"):
        return {"sha256": sha256, "role": role, "name": name}

    learned = [one("a", "training"), one("b", "training"), one("c", "validation")]
    ends = [one(f"end {k}", "training", "c.npz, end of a run") for k in range(5)]
    copies = [one(f"copy {k}", "training", "c-copy1.npz, pseudo-labels") for k in range(5)]
    labels = [one("d", "distillation"), one("e", "distillation"), one("f", "distillation")]
    path = write(tmp_path / "c.npz")
    for known, expected in (
        (learned + ends, 2),
        (labels, 3),
        (labels + copies, 3),
        (learned + labels + copies, 2),
        ([], None),
    ):
        toy = save_model(tmp_path / "toy.pt", provenance={"configurations": known})
        (model,) = evaluate([toy], [path])["models"]
        assert model["training_configurations"] == expected
    members = [{"configurations": learned}, {"configurations": [*learned, one("g", "training")]}]
    toy = save_model(tmp_path / "toy.pt", provenance={"committee": members})
    assert evaluate([toy], [path])["models"][0]["training_configurations"] == 3


def test_known_configurations_are_in_the_mean_on_request(tmp_path):
    files = write_five(tmp_path)
    toy = knowing(tmp_path / "toy.pt", distillation=files[:1])
    found = evaluate([toy], files, known=True)
    new = evaluate([save_model(tmp_path / "new.pt")], files)
    assert found["left_out"] == []
    assert found["models"][0]["S"] == new["models"][0]["S"]
    printed = run(*files, "-m", toy, "--known")
    assert " c0 (distillation) " in printed
    assert "configurations that a model knows are in the means" in printed


def test_models_are_compared_on_what_none_of_them_knows(tmp_path):
    files = write_five(tmp_path)
    first = knowing(tmp_path / "first.pt", training=files[:1])
    second = knowing(tmp_path / "second.pt", training=files[1:2])
    found = evaluate([first, second], files)
    assert found["left_out"] == [str(path) for path in files[:2]]
    assert found["differences"][0]["S"]["A"]["n_configurations"] == 3
    assert " c1 (training of second) " in run(*files, "-m", first, "-m", second)


def test_a_configuration_is_known_by_its_content(tmp_path):
    """Whatever the name of the file, its lag time and its runs."""
    toy = knowing(tmp_path / "toy.pt", training=[write(tmp_path / "a.npz", 1)])
    content = arrays(1)
    noise = np.random.default_rng(0).normal(0, 1e-12, content["initial_positions"].shape)
    copy = write(
        tmp_path / "b.npz",
        1,
        initial_positions=content["initial_positions"] + noise,
        positions=content["positions"][:2],
        time=13.0,
    )
    with pytest.raises(ValueError, match=r"all 1 configurations are known .* \(training\)"):
        evaluate([toy], [copy])
    assert "known=True" in run(copy, "-m", toy, fails=True)
    assert evaluate([toy], [copy], known=True)["models"][0]["known"] == {str(copy): "training"}


@needs_public_data
def test_the_shipped_model_knows_what_it_was_made_from():
    """Training configuration 1, configuration 10, which chose the epoch, and 401, which is new."""
    files = [
        FOLDER / "T0.44" / folder / f"isoconfig_N4096T0.44_{k}_tc07.npz"
        for folder, k in (("train", 1), ("train", 10), ("test", 401))
    ]
    assert files[2] == CONFIGURATION_401
    found = json.loads(run(*files, "-m", "ka-t044", "--json"))
    (model,) = found["models"]
    known = read_metadata(find_model("ka-t044")).known_configurations
    roles = {str(file): known.get(read_start(file).sha256) for file in files}
    assert model["known"] == {file: role for file, role in roles.items() if role}
    assert model["known"][str(files[0])] in {"training", "distillation"}
    assert model["known"][str(files[1])] == "validation"
    assert found["left_out"] == [str(file) for file in files[:2]]
    each = model["S"]["A"]["per_configuration"]
    assert len(each) == 3
    assert model["S"]["A"]["rho_mean"] == each[2]


@pytest.mark.parametrize(
    ("trained", "file", "note"),
    [
        ({"lag_times": [4120.0]}, {"time": 13.0}, "lag time 13 of the files, 4120 of the model"),
        ({"lag_times": [4120.0]}, {"time": 4121.0}, None),
        ({"lag_times": [4120.0]}, {}, None),
        (
            {"temperature": 0.44},
            {"temperature": 0.5},
            "temperature 0.5 of the files, 0.44 of the model",
        ),
        ({"temperature": 0.44}, {"temperature": 0.442}, None),
        ({"density": 1.35}, {}, "density 1.2 of the files, 1.35 of the model"),
        ({"density": 1.25}, {}, None),
        (
            {"mixture": {"name": "long", "bond_lengths": [[1.5, 1.08], [1.08, 1.188]]}},
            {},
            "mixture kob-andersen of the files, long of the model; bond lengths [[1.35, 1.08], "
            "[1.08, 1.188]] and [[1.5, 1.08], [1.08, 1.188]]",
        ),
        (
            {"mixture": {"fractions": [0.5, 0.5]}},
            {},
            "composition 0.8 A, 0.2 B; kob-andersen is 0.5 A, 0.5 B",
        ),
    ],
)
def test_conditions_that_the_model_was_not_trained_for_are_said(tmp_path, trained, file, note):
    path = write(tmp_path / "c.npz", **file)
    toy = save_model(tmp_path / "toy.pt", **trained)
    (model,) = evaluate([toy], [path])["models"]
    assert model["notes"] == ([] if note is None else [note])
    assert ("toy: " in run(path, "-m", toy)) == (note is not None)


def test_conditions_of_some_files_are_said_with_their_number(tmp_path):
    files = [write(tmp_path / f"{k}.npz", k, n=n) for k, n in enumerate((150, 150, 145))]
    toy = save_model(tmp_path / "toy.pt", density=1.23)
    (model,) = evaluate([toy], files)["models"]
    assert model["notes"] == ["density 1.16 of the files, 1.23 of the model (2.npz; 1 of 3 files)"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"units": "metal"},
            r"c\.npz: holds kob-andersen with units lj, but .*toy\.pt was trained on toy with "
            "units metal",
        ),
        (
            {"dimension": 2},
            r"c\.npz: holds kob-andersen with dimension 3, but .*toy\.pt was trained on toy with "
            "dimension 2",
        ),
    ],
)
def test_other_units_and_another_dimension_are_refused(tmp_path, changes, message):
    path = write(tmp_path / "c.npz")
    toy = save_model(tmp_path / "toy.pt", mixture=mixture("A", "B", **changes))
    with pytest.raises(ValueError, match=message):
        evaluate([toy], [path])


def test_bonds_have_the_lengths_of_the_mixture_of_the_files(tmp_path):
    """Exact counts: a mixture of longer bonds, against a loop over all pairs."""
    lengths = {"A-A": 1.6, "A-B": 0.9, "B-B": 2.4}
    longer = Mixture.model_validate(
        KOB_ANDERSEN.model_dump() | {"name": "longer", "bond_lengths": [[1.6, 0.9], [0.9, 2.4]]}
    )
    path = write(tmp_path / "c.npz", box=6.0)
    toy = save_model(tmp_path / "toy.pt", Walks(), mixture=longer.model_dump(), cutoff=2.5)
    (model,) = evaluate([toy], [path], mixture=longer)["models"]
    assert model["notes"] == []
    content = arrays(box=6.0)
    start, runs = content["initial_positions"], content["positions"]

    def distances(positions):
        apart = positions[:, None] - positions
        return np.linalg.norm(apart - 6.0 * np.rint(apart / 6.0), axis=2)

    r = distances(start)
    change = np.mean([distances(run_end) - r for run_end in runs], axis=0)
    names = np.array(["A", "B"])[content["types"]]
    for pair, length in lengths.items():
        first, second = pair.split("-")
        forth = (names[:, None] == first) & (names == second)
        chosen = (forth | forth.T) & (r < length) & (r > 0)
        rho = np.corrcoef(r[chosen], change[chosen])[0, 1]
        assert model["E"][pair]["rho_mean"] == pytest.approx(rho, abs=1e-6)

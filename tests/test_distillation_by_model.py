"""Pseudo-labels that are predictions of a model: what they are, what they record."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from liquids import FILES, SEES, configure, histories, recipe, write_histories
from toy_inputs import save_given_back

from lammps_botan.cli import main
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.files.ensemble_npz import read_histories
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.known_configurations import KnownConfiguration, count_learned, known_in
from lammps_botan.structure.mixture import KOB_ANDERSEN
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.pseudo_labels import distill

ASKED = {"history": {"window": 3.0, "interval": 0.1, "parts": 10}}
LEARNED = {"sha256": "1" * 64, "role": "training", "name": "a.npz"}
NODE_OUTPUTS = ["propensity", *(f"number_{k}" for k in range(2, 11))]


@pytest.fixture
def teacher(tmp_path):
    """Its propensity is the x component of the displacement towards the mean position."""
    return save_given_back(
        tmp_path / "teacher.pt",
        ASKED,
        mixture=KOB_ANDERSEN.model_dump(mode="json"),
        cutoff=1.5,
        node_outputs=NODE_OUTPUTS,
        edge_outputs=["pair_distance_change"],
        lag_times=[2.0],
        temperature=0.7,
        provenance={"configurations": [LEARNED]},
    )


def sources(folder):
    """Positive displacements, since a propensity is."""
    shift = np.abs(histories(0, structures=3, velocities=3)["history_displacement"])
    write_histories(folder, history_displacement=shift)
    return [folder / f"{name}.npz" for name in FILES]


def test_labels_are_the_means_of_predictions_from_all_histories(tmp_path, teacher):
    paths = sources(tmp_path)
    command = ["distill", *map(str, paths), "-m", str(teacher), "-o", str(tmp_path / "labels")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "wrote 9 files" in result.output
    for name, path in zip(FILES, paths, strict=True):
        whole = read_ensemble(path)
        for k, structure in enumerate(("start", "end1", "end2")):
            labels = read_ensemble(tmp_path / "labels" / f"{name}-{structure}.npz")
            given = read_histories(path)[k]
            expected = np.mean([one.displacement[:, 0] for one in given], axis=0)
            np.testing.assert_allclose(labels.propensity, expected, atol=1e-6)
            assert labels.lag_time == 2.0
            place = whole.final[k - 1] if k else whole.initial
            apart = labels.configuration.box.minimum_image(labels.initial - place)
            np.testing.assert_allclose(apart, 0, atol=1e-6)
            # a student that sees histories learns from the same ones
            kept = read_histories(labels.path)
            assert [len(row) for row in kept] == [3]
            np.testing.assert_array_equal(kept[0][2].variance, given[2].variance)


def test_a_student_knows_what_its_teacher_learned_from(tmp_path, teacher):
    list(distill(sources(tmp_path)[:2], tmp_path / "labels", model=teacher))
    network = 'architecture = "equivariant"\nrounds = 2\nwidth = 16\nfeatures = 4'
    text = recipe(5, network=network, data='train = ["labels/*.npz"]')
    text = text.replace("[network]", SEES + "[network]")
    (best,) = train(read_config(configure(tmp_path, text)), tmp_path)
    known = known_in(load_checkpoint(best).provenance)
    origin = KnownConfiguration(**LEARNED | {"role": "distillation"})
    assert origin in known
    assert sum(one.role == "training" for one in known) == 6
    assert count_learned(known) == 1  # the one that the teacher learned from


def test_labels_of_another_model_are_not_mixed_with_these(tmp_path, teacher):
    paths = sources(tmp_path)
    list(distill(paths, tmp_path / "labels", model=teacher))
    before = {path: path.read_bytes() for path in (tmp_path / "labels").glob("*.npz")}
    list(distill(paths, tmp_path / "labels", model=teacher))
    other = teacher.with_name("other.pt")
    save_given_back(
        other,
        ASKED,
        mixture=KOB_ANDERSEN.model_dump(mode="json"),
        cutoff=1.5,
        node_outputs=NODE_OUTPUTS,
        lag_times=[2.0],
    )
    with pytest.raises(ValueError, match="another folder"):
        list(distill(paths, tmp_path / "labels", model=other))
    assert {path: path.read_bytes() for path in before} == before


def test_a_teacher_of_another_lag_time_is_refused(tmp_path, teacher):
    write_histories(tmp_path, time=5.0)
    with pytest.raises(ValueError, match=r"lag time: 5 of the files, 2 of the model"):
        list(distill([tmp_path / "train_1.npz"], tmp_path / "labels", model=teacher))
    assert not (tmp_path / "labels").exists()


def test_files_without_histories_cannot_be_labeled_by_a_model_that_sees_them(tmp_path, teacher):
    keys = dict.fromkeys(histories(0, 1, 1))
    write_histories(tmp_path, **keys)
    command = ["distill", str(tmp_path / "train_1.npz"), "-m", str(teacher)]
    result = CliRunner().invoke(main, [*command, "-o", str(tmp_path / "labels")])
    assert result.exit_code == 1
    assert "add them by `lammps-botan simulate history" in " ".join(result.output.split())


def test_a_teacher_of_another_temperature_is_refused(tmp_path, teacher):
    write_histories(tmp_path, temperature=0.5)
    with pytest.raises(ValueError, match=r"temperature: 0.5 of the files, 0.7 of the model"):
        list(distill([tmp_path / "train_1.npz"], tmp_path / "labels", model=teacher))


def test_a_student_knows_what_all_members_of_a_committee_learned_from(tmp_path):
    others = [LEARNED | {"sha256": digit * 64, "role": "validation"} for digit in "23"]
    several = [{"configurations": [one]} for one in (LEARNED, *others)]
    committee = save_given_back(
        tmp_path / "committee.pt",
        ASKED,
        mixture=KOB_ANDERSEN.model_dump(mode="json"),
        cutoff=1.5,
        node_outputs=NODE_OUTPUTS,
        lag_times=[2.0],
        provenance={"committee": several},
    )
    first = next(distill(sources(tmp_path), tmp_path / "labels", model=committee))
    with np.load(first) as archive:
        known = json.loads(str(archive["distilled_from"][()]))
    assert {(one["sha256"][0], one["role"]) for one in known} == {
        (digit, "distillation") for digit in "123"
    }

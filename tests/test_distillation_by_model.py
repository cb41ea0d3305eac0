"""Pseudo-labels that are predictions of a model: what they are, what they record."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from liquids import (
    FILES,
    N_PARTICLES,
    SEES,
    configure,
    histories,
    recipe,
    write_histories,
    write_liquid,
)
from toy_inputs import save_given_back
from toy_models import Walks, save_model

from lammps_botan.cli import main
from lammps_botan.files.ensemble import read_ensemble
from lammps_botan.files.ensemble_npz import read_copies, read_histories
from lammps_botan.network.checkpoint import load_checkpoint
from lammps_botan.network.known_configurations import KnownConfiguration, count_learned, known_in
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN
from lammps_botan.training import train
from lammps_botan.training.config import read_config
from lammps_botan.training.pseudo_labels import count_structures, distill

ASKED = {"history": {"window": 3.0, "interval": 0.1, "parts": 10}}
LEARNED = {"sha256": "1" * 64, "role": "training", "name": "a.npz"}
ENDS = ("end1", "end2")
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


def with_copies(folder, structures=3, velocities=2, n_copies=10):
    """As `sources`, with copies that have gone up to .05 in each direction."""
    keys = histories(0, structures, velocities)
    rng = np.random.default_rng(3)
    far = rng.uniform(-0.05, 0.05, (structures, velocities, n_copies, N_PARTICLES, 3))
    # positive as seen from the copies too, since a propensity is
    keys["history_displacement"] = np.abs(keys["history_displacement"]) + 0.05
    for seed, name in enumerate(FILES):
        plain = read_ensemble(write_liquid(folder / f"{name}.npz", seed))
        there = np.array([plain.initial, *plain.final])[:structures, None, None]
        write_liquid(
            folder / f"{name}.npz", seed, **keys, history_copies=(there + far).astype(np.float32)
        )
    return [folder / f"{name}.npz" for name in FILES]


def test_each_copy_is_labeled_as_a_structure_that_has_the_same_window(tmp_path, teacher):
    """The label is what the model predicts of a frame with this history, by its own door."""
    path, *_ = with_copies(tmp_path)
    command = ["distill", str(path), "-m", str(teacher), "-o", str(tmp_path / "labels")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "wrote 63 files" in result.output
    whole, copies = read_ensemble(path), read_copies(path)
    structures = [whole.initial, *whole.final]
    for k, name in enumerate(("start", "end1", "end2")):
        for v in range(2):
            given = read_histories(path)[k][v]
            mean = structures[k] + given.displacement
            for c in range(10):
                number = 10 * v + c + 1
                labels = read_ensemble(tmp_path / f"labels/train_1-{name}-copy{number:02d}.npz")
                np.testing.assert_array_equal(labels.initial, copies[k, v, c])
                seen = History(3.0, mean - copies[k, v, c], given.variance, given.energy)
                frame = replace(whole.configuration, positions=copies[k, v, c], history=seen)
                own = Predictor(teacher).predict(frame)
                np.testing.assert_allclose(labels.propensity, own.node[:, 0], atol=1e-6)
                np.testing.assert_allclose(labels.pair_distance_change, own.edge[:, 0], atol=1e-6)
                # a student that sees histories learns from the same one
                ((kept,),) = read_histories(labels.path)
                np.testing.assert_allclose(kept.displacement, seen.displacement, atol=1e-7)
                np.testing.assert_array_equal(kept.variance, given.variance)
                np.testing.assert_array_equal(kept.energy, given.energy)


def test_copies_leave_the_labels_of_starts_and_ends_as_they_are(tmp_path, teacher):
    path, *_ = with_copies(tmp_path)
    list(distill([path], tmp_path / "labels", model=teacher))
    with np.load(path) as archive:
        kept = {key: archive[key] for key in archive.files if key != "history_copies"}
    np.savez(path, **kept)
    plain = list(distill([path], tmp_path / "plain", model=teacher))
    assert [one.name for one in plain] == [f"train_1-{name}.npz" for name in ("start", *ENDS)]
    for one in plain:
        assert one.read_bytes() == (tmp_path / "labels" / one.name).read_bytes()


def test_the_only_copy_of_a_start_without_ends(tmp_path, teacher):
    path, *_ = with_copies(tmp_path, structures=1, velocities=1, n_copies=1)
    names = [one.name for one in distill([path], tmp_path / "labels", model=teacher)]
    assert names == ["train_1-start.npz", "train_1-start-copy1.npz"]
    assert count_structures(path, model=teacher) == 2


def test_teachers_without_histories_label_no_copies(tmp_path):
    """Nor do those that need inherent structures, which nobody knows of copies."""
    path, *_ = with_copies(tmp_path)
    mixture = KOB_ANDERSEN.model_dump(mode="json")
    thermal = save_model(tmp_path / "thermal.pt", Walks(), mixture=mixture)
    inherent = {"inherent": {"force": 0.1}}
    both = save_given_back(tmp_path / "both.pt", ASKED | inherent, mixture=mixture)
    n_runs = read_ensemble(path).n_runs
    assert count_structures(path, model=thermal) == 1 + n_runs
    assert count_structures(path, model=both) == len(read_histories(path))
    names = [one.name for one in distill([path], tmp_path / "labels", model=thermal)]
    assert names == [f"train_1-{name}.npz" for name in ("start", *ENDS)]


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

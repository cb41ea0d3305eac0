"""What a model saw in training: recorded, exported, and compared with what it sees later."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from engines import physics
from seeing import SEES, Sees
from test_export import run, with_metadata
from wrong_seen import WRONG_SEEN

from lammps_botan import Box, Configuration, Predictor
from lammps_botan.evaluation.model import JudgedModel
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import (
    NETWORKS,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from lammps_botan.network.export import add_fallback, export
from lammps_botan.network.input_statistics import InputStatistics, input_statistics, pool
from lammps_botan.network.metadata import read_content, read_metadata
from lammps_botan.network.model_file import read_checkpoints
from lammps_botan.network.shipped import find_model
from lammps_botan.prediction.trajectory import score
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN

SEEING = ["ka-t044-history", "ka-t044-inherent", "ka-t044-long-history"]
SAW = InputStatistics(
    mean=[[0.1, 0.02, -6.0], [0.2, 0.04, -5.0]],
    deviation=[[0.05, 0.01, 0.5], [0.1, 0.02, 0.25]],
)
N_SITES = 216


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(NETWORKS, "sees", Sees)


def checkpoint(saw=SAW, seed=1):
    model = Sees(["history"]).eval()
    return Checkpoint(model, physics(inputs=SEES["history"]), {"seed": seed}, saw)


def crystal(shift=0.0, energies=(-6.0, -5.0), species=None):
    """A simple cubic crystal, each species with the means that `SAW` has, and energies shifted."""
    sites = np.stack(np.meshgrid(*[np.arange(6.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    species = np.arange(N_SITES) % 5 // 4 if species is None else species
    # a third species has what no particle has
    distance, variance, energy = np.array([[0.1, 0.2, 9.0], [0.02, 0.04, 9.0], [*energies, 9.0]])[
        :, species
    ]
    displacement = distance[:, None] * [0, -0.6, 0.8]
    history = History(30.0, displacement, variance, energy + shift)
    box = Box(6.0, (True, True, True))
    return Configuration(positions=sites, species=species, box=box, history=history)


def told(predictor, configuration, *words):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        predictor.predict(configuration, *words)
    return [str(one.message) for one in caught]


# --- the numbers ----------------------------------------------------------------------------------


def test_statistics_are_those_of_lengths_and_scalars_of_each_species():
    """Two samples of three particles, counted by hand."""
    species = np.array([0, 1, 0])
    vectors = np.array([[[3, 4, 0]], [[0, 0, 2]], [[0, 1, 0]]], np.float32)
    scalars = np.array([[1, -6], [5, -1], [1, -8]], np.float32)
    still = (0 * vectors + [1, 0, 0]).astype(np.float32)
    found = input_statistics([(species, vectors, scalars), (species, still, 3 * scalars)], 2)
    # A: lengths 5, 1, 1, 1; first scalar 1, 1, 3, 3; energies -6, -8, -18, -24
    assert found.mean == ((2.0, 2.0, -14.0), (1.5, 10.0, -2.0))
    np.testing.assert_allclose(
        found.deviation, [[np.sqrt(3), 1.0, np.sqrt(54.0)], [0.5, 5.0, 1.0]], rtol=1e-15
    )


def test_sums_over_many_particles_keep_their_digits():
    """Energies that differ in the last digits of float32."""
    energies = np.float32(-1000) + np.tile(np.float32([0, 0.25]), 500_000)
    vectors = np.repeat(np.float32([[[1, 0, 0]], [[0, 3, 0]]]), 500_000, axis=0)
    alike = np.zeros(1_000_000, np.int64)
    found = input_statistics([(alike, vectors, energies[:, None])], 1)
    assert found.mean == ((2.0, -999.875),)
    assert found.deviation == ((1.0, 0.125),)


def test_nothing_is_said_where_a_species_is_absent_or_a_quantity_never_varies():
    rng = np.random.default_rng(0)
    species, vectors = np.arange(4) % 2, rng.normal(size=(4, 1, 3)).astype(np.float32)
    scalars = rng.normal(size=(4, 1)).astype(np.float32)
    assert input_statistics([(species, vectors, scalars)], 2) is not None
    assert input_statistics([(species, vectors, scalars)], 3) is None
    assert input_statistics([(species, vectors, 0 * scalars + np.float32(0.1))], 2) is None
    assert input_statistics([], 2) is None


def test_a_committee_saw_what_its_members_saw_together():
    """As the statistics of the data of all members, which are equally many."""
    rng = np.random.default_rng(1)
    species = np.arange(300) % 2
    samples = [
        (
            species,
            rng.normal(0, scale, (300, 1, 3)).astype(np.float32),
            rng.normal(scale, 1, (300, 2)).astype(np.float32),
        )
        for scale in (1, 2, 5)
    ]
    together = input_statistics(samples, 2)
    apart = [input_statistics([one], 2) for one in samples]
    found = pool([apart[0], None, *apart[1:]])
    np.testing.assert_allclose(found.mean, together.mean, rtol=1e-12)
    np.testing.assert_allclose(found.deviation, together.deviation, rtol=1e-12)
    assert pool([None, None]) is None


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_mean_may_differ_by_half_a_deviation_and_five_standard_errors(sign):
    """Of 100 particles by one deviation, of 10000 by 0.55."""
    saw = InputStatistics(mean=[[1.0, -6.0]], deviation=[[0.2, 2.0]])
    names = {"names": ["A"], "quantities": ["length", "energy"]}
    for n, largest in ((100, 1.0), (10_000, 0.55)):
        alike, vectors = np.zeros(n, np.int64), np.tile(np.float32([[[0, 0.6, 0.8]]]), (n, 1, 1))
        for deviations, is_unlike in ((largest - 0.001, False), (largest + 0.001, True)):
            energies = np.full((n, 1), -6.0 + sign * 2.0 * deviations, np.float32)
            assert bool(saw.unlike(alike, vectors, energies, **names)) == is_unlike
    (words,) = saw.unlike(alike, vectors, energies, **names)
    assert words.startswith(f"energy of A is {energies[0, 0]:.4g} on average, -6 +- 2 in training")


# --- files ----------------------------------------------------------------------------------------


def test_a_checkpoint_keeps_what_its_network_saw(tmp_path):
    save_checkpoint(checkpoint(), tmp_path / "m.ckpt")
    assert load_checkpoint(tmp_path / "m.ckpt").seen == SAW


def test_a_checkpoint_from_before_says_nothing(tmp_path):
    save_checkpoint(checkpoint(), tmp_path / "m.ckpt")
    content = torch.load(tmp_path / "m.ckpt", weights_only=True)
    del content["seen"]
    torch.save(content, tmp_path / "m.ckpt")
    assert load_checkpoint(tmp_path / "m.ckpt").seen is None


def test_a_damaged_record_in_a_checkpoint_is_refused(tmp_path):
    save_checkpoint(checkpoint(), tmp_path / "m.ckpt")
    content = torch.load(tmp_path / "m.ckpt", weights_only=True)
    content["seen"]["mean"][0][0] = float("nan")
    torch.save(content, tmp_path / "m.ckpt")
    with pytest.raises(ValueError, match=r"m\.ckpt: a damaged checkpoint: .*mean\.0\.0.* finite"):
        load_checkpoint(tmp_path / "m.ckpt")


def test_what_a_network_saw_must_be_what_it_sees():
    with pytest.raises(ValueError, match=r"expected 2 species with 2 quantities .*, found 2 with"):
        Checkpoint(Sees(["inherent"]), physics(inputs=SEES["inherent"]), {}, SAW)
    with pytest.raises(ValueError, match="expected none for a model without inputs"):
        Checkpoint(Botan(1, 4), physics(), {}, SAW)


def test_the_model_file_says_what_its_network_saw(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    assert read_metadata(tmp_path / "m.pt").seen == SAW
    assert read_content(tmp_path / "m.pt")["seen"] == SAW.model_dump(mode="json")


def test_a_committee_says_what_its_members_say(tmp_path):
    other = SAW.model_copy(update={"mean": ((0.1, 0.02, -6.0), (0.2, 0.04, -5.5))})
    export([checkpoint(), checkpoint(other), checkpoint(None)], tmp_path / "m.pt")
    seen = read_metadata(tmp_path / "m.pt").seen
    assert seen.mean[1][2] == -5.25
    assert seen.deviation[1][2] == pytest.approx(0.25 * np.sqrt(2))
    np.testing.assert_allclose(seen.deviation[0], SAW.deviation[0], rtol=1e-12)


def test_a_file_that_is_written_anew_says_the_same(tmp_path):
    """From its weights, and with a fallback."""
    network = Botan(2, 8, 2, inputs=["history"])
    export(Checkpoint(network, physics(inputs=SEES["history"]), {}, SAW), tmp_path / "m.pt")
    export(read_checkpoints(tmp_path / "m.pt"), tmp_path / "again.pt")
    assert read_metadata(tmp_path / "again.pt").seen == SAW
    export(Checkpoint(Botan(2, 8), physics()), tmp_path / "thermal.pt")
    add_fallback(tmp_path / "m.pt", tmp_path / "thermal.pt", tmp_path / "both.pt")
    assert read_metadata(tmp_path / "both.pt").seen == SAW
    assert "seen" not in read_content(tmp_path / "thermal.pt")


def saying(seen, source, target):
    return with_metadata(
        source, target, lambda text: json.dumps(json.loads(text) | {"seen": seen}).encode()
    )


def changed(tmp_path, seen):
    """A model file that says something else of what its model saw."""
    export(checkpoint(), tmp_path / "right.pt")
    return saying(seen, tmp_path / "right.pt", tmp_path / "m.pt")


@pytest.mark.parametrize("case", WRONG_SEEN)
def test_impossible_statistics_are_refused(tmp_path, case):
    seen, message, _ = WRONG_SEEN[case]
    with pytest.raises(ValueError, match=rf"m\.pt: metadata\.json: {message}"):
        read_metadata(changed(tmp_path, seen))


def test_nothing_is_said_by_null(tmp_path):
    assert read_metadata(changed(tmp_path, None)).seen is None


def test_statistics_of_a_model_without_inputs_are_refused(tmp_path):
    export(Checkpoint(Botan(1, 4), physics()), tmp_path / "thermal.pt")
    wrong = saying(SAW.model_dump(mode="json"), tmp_path / "thermal.pt", tmp_path / "m.pt")
    with pytest.raises(ValueError, match="'seen': expected none for a model without inputs"):
        read_metadata(wrong)


def test_info_says_what_the_model_saw(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    printed = run("info", tmp_path / "m.pt")
    assert "distance to the mean position: A 0.1 +- 0.05, B 0.2 +- 0.1" in printed
    assert "mean energy: A -6 +- 0.5, B -5 +- 0.25" in printed
    export(checkpoint(None), tmp_path / "m.pt")
    assert "not recorded: inputs are not compared" in " ".join(
        run("info", tmp_path / "m.pt").split()
    )


def test_the_models_that_ship_say_what_they_saw():
    """The thermal ones see nothing of which there is something to say."""
    for name in SEEING:
        metadata = read_metadata(find_model(name))
        # potential energies of A and B in the liquid, and below them in its inherent structures
        energies = [mean[-1] for mean in metadata.seen.mean]
        expected = [-7.08, -5.93] if name == "ka-t044-inherent" else [-6.40, -5.44]
        assert energies == pytest.approx(expected, abs=0.01)
    for name in ("ka-t044", "ka-t064"):
        assert read_metadata(find_model(name)).seen is None


# --- at each scoring ------------------------------------------------------------------------------


def test_inputs_like_those_of_the_training_are_scored_in_silence(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    assert told(Predictor(tmp_path / "m.pt"), crystal()) == []


@pytest.mark.parametrize("shift", [1.0, -1.0])
def test_energies_with_another_zero_are_told(tmp_path, shift):
    export(checkpoint(), tmp_path / "m.pt")
    (warning,) = told(Predictor(tmp_path / "m.pt"), crystal(shift))
    assert f"mean energy of A is {-6 + shift:g} on average, -6 +- 0.5 in training; " in warning
    assert f"mean energy of B is {-5 + shift:g} on average, -5 +- 0.25 in training. " in warning
    assert "Are interactions, their shift of the energy, temperature and density those" in warning
    assert "distance" not in warning
    assert "variance" not in warning


def test_shifted_energies_of_a_shipped_model_are_told():
    """A shift by 1 makes a propensity that is five times too large, and not negative."""
    of_training = crystal(energies=(-6.40, -5.44))
    predictor = Predictor("ka-t044-history")
    assert told(predictor, of_training) == []
    predictor = Predictor("ka-t044-history")
    shifted = crystal(shift=1.0, energies=(-6.40, -5.44))
    (warning,) = told(predictor, shifted)
    assert "mean energy of A is -5.4 on average, -6.399 +- 0.55 in training" in warning


def test_a_trajectory_is_warned_of_once(tmp_path):
    """And anew after a frame that was right."""
    export(checkpoint(), tmp_path / "m.pt")
    shifts = [1.0, 1.1, 1.2, 0.0, 0.0, 1.0, 1.0]
    predictor = Predictor(tmp_path / "m.pt")
    counts = [len(told(predictor, crystal(shift))) for shift in shifts]
    assert counts == [1, 0, 0, 0, 0, 1, 0]


def test_score_warns_once_for_all_frames_of_a_trajectory(tmp_path):
    saw = InputStatistics(mean=[[0.1, -7.0]] * 2, deviation=[[0.05, 0.5]] * 2)
    network = Checkpoint(Sees(["inherent"]), physics(inputs=SEES["inherent"]), {}, saw)
    export(network, tmp_path / "m.pt")
    start = crystal()
    structure = {
        "inherent_positions": start.positions + np.array([0.1, 0, 0]),
        "inherent_energies": np.full(N_SITES, -6.0),
    }
    frames = [replace(start, **structure, step=step) for step in range(4)]
    with pytest.warns(UserWarning, match=r"inherent energy of A is -6 on average, -7 ") as caught:
        assert len(list(score(frames, tmp_path / "m.pt"))) == 4
    assert len(caught) == 1


def test_particles_outside_the_graph_are_not_compared(tmp_path):
    """Those of a third type, mapped to NULL, have impossible histories."""
    export(checkpoint(), tmp_path / "m.pt")
    predictor = Predictor(tmp_path / "m.pt")
    species = np.arange(N_SITES) % 3
    assert told(predictor, crystal(species=species), ["A", "B", "NULL"]) == []
    assert len(told(predictor, crystal(species=species), ["A", "B", "B"])) == 1


def test_a_species_without_particles_is_not_compared(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    only_b = crystal(species=np.ones(N_SITES, np.int64))
    assert told(Predictor(tmp_path / "m.pt"), only_b) == []


def test_a_model_that_says_nothing_is_not_compared(tmp_path):
    export(checkpoint(None), tmp_path / "m.pt")
    assert told(Predictor(tmp_path / "m.pt"), crystal(shift=100.0)) == []


def test_the_fallback_is_not_compared(tmp_path):
    """It sees no energies, whatever is known of the configuration."""
    export(Checkpoint(Botan(2, 8), physics()), tmp_path / "thermal.pt")
    export(checkpoint(), tmp_path / "m.pt", tmp_path / "thermal.pt")
    assert told(Predictor(tmp_path / "m.pt").fallback, crystal(shift=100.0)) == []


def test_evaluate_warns(tmp_path):
    export(checkpoint(), tmp_path / "m.pt")
    with pytest.warns(UserWarning, match=r"mean energy of A is -5 on average"):
        JudgedModel(tmp_path / "m.pt").forecast(replace(crystal(1.0), mixture=KOB_ANDERSEN), None)

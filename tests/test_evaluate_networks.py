"""`lammps-botan evaluate` of networks and committees, and what it says of them."""

import numpy as np
import pytest
import torch
from evaluations import arrays, graph_of, run, write_five
from toy_models import save_model

from lammps_botan.evaluation.evaluate import evaluate
from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.export import export
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.mixture import KOB_ANDERSEN

PHYSICS = Physics(
    mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(4120.0,), temperature=0.44, density=1.2
)
FLOAT32 = 1e-6  # what rounding of the predictions does to rho


@pytest.fixture
def files(tmp_path):
    return write_five(tmp_path)


def test_what_is_known_of_a_model_stands_beside_its_rho(files, tmp_path):
    torch.manual_seed(0)
    physics = Physics(
        mixture=KOB_ANDERSEN, cutoff=1.5, lag_times=(13.0,), temperature=0.5, density=1.2
    )

    def of(p):
        return Checkpoint(Botan(3, 16), physics, {"config": {"recipe": {"p": p}}})

    export(of(0.4), tmp_path / "one.pt")
    export([of(0.4), of(0.4)], tmp_path / "alike.pt")
    export([of(0.4), of(1.0)], tmp_path / "mixed.pt")
    save_model(tmp_path / "toy.pt", provenance={"by": "hand"})
    names = ["one.pt", "alike.pt", "mixed.pt", "toy.pt"]
    found = evaluate([tmp_path / name for name in names], files)["models"]
    assert [model["members"] for model in found] == [1, 2, 2, 1]
    assert [model["width"] for model in found] == [16, 16, 16, 3]
    assert [model["p"] for model in found] == [0.4, 0.4, None, None]
    for model in found[:3]:
        facts = [model[key] for key in ("architecture", "rounds", "temperature", "lag_time")]
        assert facts == ["botan", 3, 0.5, 13.0]
    toy = found[3]
    assert [toy[key] for key in ("architecture", "temperature", "lag_time")] == ["toy", None, None]


def test_of_a_committee_the_mean_is_compared(files, tmp_path):
    torch.manual_seed(0)
    members = [Checkpoint(Botan(1, 16), PHYSICS) for _ in range(2)]
    export(members, tmp_path / "committee.pt")
    (model,) = evaluate([tmp_path / "committee.pt"], files[:1])["models"]
    with np.load(files[0]) as content:
        types, positions = content["types"], content["initial_positions"]
    graph = graph_of(positions, types, 5.0)
    predicted = Predictor(tmp_path / "committee.pt").predict_graph(graph)
    content = arrays()  # of the first file
    moved = np.linalg.norm(content["positions"] - content["initial_positions"], axis=2)
    truth = moved.mean(axis=0)[types == 0]
    rho = np.corrcoef(predicted.node[types == 0, 0], truth)[0, 1]
    assert model["S"]["A"]["rho_mean"] == pytest.approx(rho, abs=FLOAT32)


def test_a_model_without_edge_outputs_has_no_rho_of_bonds(files, tmp_path):
    torch.manual_seed(0)
    toy = save_model(tmp_path / "toy.pt")
    export(Checkpoint(NtGnn(1, 16), PHYSICS), tmp_path / "nt.pt")
    found = evaluate([toy, tmp_path / "nt.pt"], files)
    assert [model["E"] is None for model in found["models"]] == [False, True]
    (step,) = found["differences"]
    assert step["E"] is None
    assert set(found["ceiling"]["E"]) == {"A-A", "A-B", "B-B"}
    printed = run(files[0], "-m", tmp_path / "nt.pt")
    assert "rho of the propensity S" in printed
    of_bonds = printed.split("A-A")[1].splitlines()
    row = next(line for line in of_bonds if "rho_mean" in line).split()
    assert row[-2:] == ["-", f"{found['ceiling']['E']['A-A']['per_configuration'][0]:.4f}"]

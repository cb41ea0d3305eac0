"""Committees of networks: mean and standard deviation, in Python and in LAMMPS."""

import numpy as np
import pytest
import torch
from engines import physics, random_graph
from lmp import liquid, read_dump, run_lmp
from score_runs import run

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, save_checkpoint
from lammps_botan.network.committee import Committee
from lammps_botan.network.export import export
from lammps_botan.network.metadata import read_metadata
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.network.predictor import Predictor


def checkpoint(seed, kind=Botan, lag_time=13.0, rounds=2):
    torch.manual_seed(seed)
    stands_for = physics(cutoff=1.5, lag_times=(lag_time,))
    return Checkpoint(kind(rounds, 8), stands_for, {"seed": seed})


@pytest.mark.parametrize("rounds", [(2, 2, 2), (3, 1, 2)])
@pytest.mark.parametrize("kind", [Botan, NtGnn])
def test_a_committee_predicts_the_mean_and_the_standard_deviation_of_its_members(
    kind, rounds, tmp_path
):
    members = [checkpoint(seed, kind, rounds=n) for seed, n in enumerate(rounds, 1)]
    metadata = export(members, tmp_path / "all.pt")
    assert metadata.node_outputs == ["propensity", "propensity_std"]
    assert metadata.provenance == {"committee": [{"seed": 1}, {"seed": 2}, {"seed": 3}]}
    graph = random_graph(50, 3.2, cutoff=1.5, seed=1)
    alone = []
    for k, member in enumerate(members):
        export(member, tmp_path / f"{k}.pt")
        alone.append(Predictor(tmp_path / f"{k}.pt").predict_graph(graph))
    together = Predictor(tmp_path / "all.pt").predict_graph(graph)
    for whole, parts in (
        (together.node, [one.node for one in alone]),
        (together.edge, [one.edge for one in alone]),
    ):
        expected = np.hstack([np.mean(parts, axis=0), np.std(parts, axis=0, ddof=1)])
        np.testing.assert_allclose(whole, expected, atol=1e-6)


def test_networks_of_different_kinds_may_form_a_committee_of_particles_only(tmp_path):
    with pytest.raises(ValueError, match="the same outputs, found"):
        export([checkpoint(1), checkpoint(2, NtGnn)], tmp_path / "m.pt")


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_committee_runs_in_lammps_on_any_number_of_ranks(tmp_path, ranks):
    for seed in (1, 2):
        save_checkpoint(checkpoint(seed), tmp_path / f"{seed}.ckpt")
    run("export", tmp_path / "1.ckpt", tmp_path / "2.ckpt", "-o", tmp_path / "m.pt")
    script = (
        liquid(cells="4 4 4")
        + """
    fix mob all botan 10 m.pt A B
    dump d all custom 10 run.dump id type xu yu zu f_mob[1] f_mob[2]
    dump_modify d format float %.12g sort id
    run 10
    """
    )
    run_lmp(script, tmp_path, ranks=ranks)
    run("score", tmp_path / "run.dump", "--model", tmp_path / "m.pt", "-o", tmp_path / "s.dump")
    frames = zip(read_dump(tmp_path / "run.dump"), read_dump(tmp_path / "s.dump"), strict=True)
    for frame, scored in frames:
        np.testing.assert_allclose(frame["f_mob[1]"], scored["d_propensity"], atol=1e-6)
        np.testing.assert_allclose(frame["f_mob[2]"], scored["d_propensity_std"], atol=1e-6)
        assert frame["f_mob[2]"].min() >= 0


def test_what_does_not_fit_together_is_refused_and_nothing_is_written(tmp_path):
    other = checkpoint(2, lag_time=1.3)
    with pytest.raises(
        ValueError,
        match=r"the same physics; numbers 1 and 2 differ in lag_times \(13.0,\) and \(1.3,\)",
    ):
        export([checkpoint(1), other], tmp_path / "m.pt")
    with pytest.raises(ValueError, match="two networks or more, found 1"):
        Committee([checkpoint(1).model])
    assert not (tmp_path / "m.pt").exists()


def test_the_metadata_of_a_committee_say_how_wide_its_exchange_is(tmp_path):
    export([checkpoint(1), checkpoint(2)], tmp_path / "m.pt")
    assert read_metadata(tmp_path / "m.pt").width == 16

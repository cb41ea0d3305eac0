"""The equivariant networks: symmetries, the model file, and particles spread over processes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from lammps_botan import Predictor
from lammps_botan.network.checkpoint import Checkpoint, Physics, load_checkpoint, save_checkpoint
from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.export import export
from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs, node_inputs
from lammps_botan.network.network import Network, forward_arrays
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.history import History
from lammps_botan.structure.mixture import KOB_ANDERSEN

LENGTH = 4.4
CUTOFF = 2.0
N = 90
SPREAD = 1e-5  # of outputs, up to which they are the same

INPUTS = {
    "thermal": Inputs(),
    "history": Inputs(history=HistoryInput(window=30.0, interval=0.2, parts=10)),
    "inherent": Inputs(inherent=InherentInput(force=0.1)),
    "both": Inputs(
        history=HistoryInput(window=30.0, interval=0.2, parts=10),
        inherent=InherentInput(force=0.1),
    ),
}
sees = pytest.mark.parametrize("name", INPUTS)


def liquid(n: int = N, seed: int = 0) -> Configuration:
    """Particles of which no two are closer than 0.75, with history and inherent structure."""
    rng = np.random.default_rng(seed)
    box = Box(LENGTH, (True, True, True))
    positions = np.zeros((0, 3))
    while len(positions) < n:
        one = rng.random(3) * LENGTH
        if (np.linalg.norm(box.minimum_image(positions - one), axis=1) > 0.75).all():
            positions = np.vstack([positions, one])
    return Configuration(
        positions=positions,
        species=(np.arange(n) % 5 == 0).astype(int),
        box=box,
        mixture=KOB_ANDERSEN,
        history=History(
            window=30.0,
            displacement=rng.normal(0, 0.1, (n, 3)),
            variance=0.03 * rng.lognormal(0, 0.5, n),
            energy=rng.normal(-6, 1, n),
        ),
        inherent_positions=positions + rng.normal(0, 0.1, (n, 3)),
        inherent_energies=rng.normal(-7, 1, n),
    )


def network(name: str, **settings: object) -> Network:
    torch.manual_seed(1)
    inputs = INPUTS[name].names
    made = Equivariant(**({"cutoff": CUTOFF, "rounds": 3, "inputs": inputs} | settings)).eval()
    with torch.no_grad():
        # so that no part of the network is idle, and inputs are standardized
        made.particles.mean.fill_(-3.0)
        made.particles.deviation.fill_(1.5)
    return made


def physics(name: str) -> Physics:
    return Physics(mixture=KOB_ANDERSEN, cutoff=CUTOFF, lag_times=(10.0,), inputs=INPUTS[name])


def tensors(configuration: Configuration, name: str) -> list[Tensor]:
    """What `forward` takes."""
    graph = build_graph(configuration, CUTOFF)
    inputs = node_inputs(configuration, INPUTS[name]) if INPUTS[name].names else (None, None)
    return [torch.from_numpy(array) for array in forward_arrays(graph, *inputs)]


def outputs(model: Network, configuration: Configuration, name: str) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        return model(*tensors(configuration, name))


def turned(configuration: Configuration, turn: np.ndarray) -> Configuration:
    """All particles turned about the origin, with the box."""
    history = configuration.history
    return replace(
        configuration,
        positions=configuration.positions @ turn.T,
        inherent_positions=configuration.inherent_positions @ turn.T,
        history=replace(history, displacement=history.displacement @ turn.T),
        box=Box(configuration.box.cell @ turn.T, (True, True, True)),
    )


def assert_same(some: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> None:
    for a, b in zip(some, others, strict=True):
        assert a.std() > 0
        torch.testing.assert_close(a, b, rtol=0, atol=SPREAD * float(a.std()))


TURNS = {
    "rotation": Rotation.random(rng=3).as_matrix(),
    "reflection": np.diag([1.0, -1.0, 1.0]) @ Rotation.random(rng=4).as_matrix(),
}


@sees
@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_outputs_do_not_depend_on_the_axes(name, turn):
    model, here = network(name), liquid()
    # edges in the order of the first graph, whatever the images that the list finds
    graph, given = build_graph(here, CUTOFF), tensors(here, name)
    there = tensors(turned(here, turn), name)
    there[1] = torch.from_numpy((graph.vectors @ turn.T).astype(np.float32))
    there[-2:] = given[-2:]
    with torch.no_grad():
        assert_same(model(*given), model(*there))


@sees
def test_outputs_do_not_depend_on_the_origin(name):
    model, here = network(name), liquid()
    shift = np.array([0.3, -1.7, 5.1])
    there = replace(
        here,
        positions=here.positions + shift,
        inherent_positions=here.inherent_positions + shift,
    )
    assert_same(outputs(model, here, name), outputs(model, there, name))


@sees
def test_outputs_follow_particles_in_another_order(name):
    model, here = network(name), liquid()
    order = np.random.default_rng(5).permutation(N)
    node, edge = outputs(model, here, name)
    other_node, other_edge = outputs(model, here.select(order), name)
    torch.testing.assert_close(node[order], other_node, rtol=0, atol=SPREAD * float(node.std()))
    graph, other = build_graph(here, CUTOFF), build_graph(here.select(order), CUTOFF)
    # pairs occur twice where they meet over two faces: vectors tell them apart
    keys = np.column_stack([graph.center, graph.neighbor, graph.vectors.round(6)])
    others = np.column_stack([order[other.center], order[other.neighbor], other.vectors.round(6)])
    first, second = np.lexsort(keys.T), np.lexsort(others.T)
    torch.testing.assert_close(
        edge[first], other_edge[second], rtol=0, atol=SPREAD * float(edge.std())
    )


@sees
def test_both_ends_of_a_pair_tell_the_same_change(name):
    model, here = network(name), liquid()
    graph = build_graph(here, CUTOFF)
    _, edge = outputs(model, here, name)
    forth = np.column_stack([graph.center, graph.neighbor, graph.vectors.round(6)])
    back = np.column_stack([graph.neighbor, graph.center, (-graph.vectors).round(6)]) + 0.0
    first, second = np.lexsort(forth.T + 0.0), np.lexsort(back.T)
    torch.testing.assert_close(edge[first], edge[second], rtol=0, atol=SPREAD * float(edge.std()))


def test_a_history_matters_to_particles_and_pairs_around():
    model, here = network("history"), liquid()
    node, edge = outputs(model, here, "history")
    variance = here.history.variance.copy()
    variance[0] *= 3
    there = replace(here, history=replace(here.history, variance=variance))
    other_node, other_edge = outputs(model, there, "history")
    changed = (node != other_node)[:, 0].numpy()
    graph = build_graph(here, CUTOFF)
    assert changed[0]
    assert changed[graph.neighbor[graph.center == 0]].all()
    assert (edge != other_edge)[graph.center == 0].all()


@sees
def test_a_pair_at_the_cutoff_counts_nothing(name):
    """Where a neighbor enters, the output of particles does not jump."""
    model, here = network(name), liquid()
    given = tensors(here, name)
    graph = build_graph(here, CUTOFF)
    shell = graph.distances > 0.999 * CUTOFF
    assert shell.any()
    keep = torch.from_numpy(~shell)
    less = [*given]
    less[1], less[-2], less[-1] = given[1][keep], given[-2][keep], given[-1][keep]
    with torch.no_grad():
        node, other = model(*given)[0], model(*less)[0]
    assert (node - other).abs().max() < 1e-3 * node.std()


@sees
@pytest.mark.parametrize("share", [0.5, 0.0])
def test_particles_on_two_processes_get_the_same(name, share):
    """Two halves of the box, each with the other as ghosts, and the exchange between steps."""
    model, here = network(name), liquid()
    node, edge = outputs(model, here, name)
    species, vectors, *inputs, center, neighbor = tensors(here, name)
    is_first = here.positions[:, 0] < share * LENGTH
    parts = []
    for mine in (np.flatnonzero(is_first), np.flatnonzero(~is_first)):
        everyone = np.concatenate([mine, np.setdiff1d(np.arange(N), mine)])
        local = np.empty(N, dtype=np.int64)
        local[everyone] = np.arange(N)
        edges = np.flatnonzero(np.isin(center, mine))
        edges = edges[np.argsort(local[center[edges]], kind="stable")]
        ends = [torch.from_numpy(local[end[edges]]) for end in (center, neighbor)]
        given = [species[everyone], vectors[edges]]
        if inputs:
            given += [*(one[everyone] for one in inputs), *ends, len(mine)]
        with torch.no_grad():
            parts.append((mine, everyone, edges, ends, [*model.encode(*given)]))
    for round in range(model.rounds):
        current = torch.zeros(N, parts[0][4][0].shape[1])
        for mine, _, _, _, states in parts:
            current[mine] = states[0][: len(mine)]
        for mine, everyone, _, ends, states in parts:
            given = (current[everyone], states[1], states[2], states[3], *ends, len(mine))
            with torch.no_grad():
                states[0], states[2] = model.step(round, *given)
    for mine, _, edges, _, states in parts:
        node_out, edge_out = model.decode(states[0], states[2])
        assert_same((node_out, edge_out), (node[mine], edge[edges])) if len(mine) else None


@pytest.mark.filterwarnings("ignore:.* the mean propensity of species")  # random weights
@sees
def test_the_exported_model_gives_what_the_network_gives(name, tmp_path):
    model, here = network(name), liquid()
    export(Checkpoint(model, physics(name)), tmp_path / "model.pt")
    predictor = Predictor(tmp_path / "model.pt")
    assert predictor.metadata.width == 32 + 8 * 8
    prediction = predictor.predict(here)
    node, edge = outputs(model, here, name)
    assert_same(
        (node, edge), (torch.from_numpy(prediction.node), torch.from_numpy(prediction.edge))
    )
    for turn in TURNS.values():
        there = predictor.predict(turned(here, turn))
        assert_same((node, node), (torch.from_numpy(there.node), torch.from_numpy(there.node)))


@sees
def test_a_checkpoint_makes_the_network_anew(name, tmp_path):
    model, here = network(name, width=16, features=4), liquid()
    save_checkpoint(Checkpoint(model, physics(name)), tmp_path / "a.ckpt")
    again = load_checkpoint(tmp_path / "a.ckpt")
    assert again.architecture == "equivariant"
    for a, b in zip(outputs(model, here, name), outputs(again.model, here, name), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@sees
def test_a_gradient_reaches_every_weight(name):
    model = network(name).train()
    node, edge = model(*tensors(liquid(), name))
    (node.square().sum() + edge.square().sum()).backward()
    idle = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # the features of the last layer serve nobody, and those of the start need vectors
    unused = {f"layers.{model.rounds - 1}.mix_vectors.weight"}
    unused |= {f"layers.{model.rounds - 1}.mix_matrices.weight"}
    if name == "thermal":
        unused |= {"edge_output.approach"}
        unused |= {"layers.0.send_vectors.weight", "layers.0.send_matrices.weight"}
        unused |= {"layers.0.angle.weight"}
    assert set(idle) == unused


def test_lengths_in_another_unit_give_the_same_motion_in_it():
    unit = 3.4
    here = liquid()
    model, other = network("history"), network("history", cutoff=unit * CUTOFF, diameter=unit)
    species, vectors, node_vectors, node_scalars, center, neighbor = tensors(here, "history")
    scale = torch.tensor([unit**2, 1.0])
    with torch.no_grad():
        node, edge = model(species, vectors, node_vectors, node_scalars, center, neighbor)
        there = other(
            species, unit * vectors, unit * node_vectors, node_scalars * scale, center, neighbor
        )
    assert_same((unit * node, unit * edge), there)


def test_several_lag_times_are_columns_of_one_network():
    model = network("history", n_times=3)
    node, edge = outputs(model, liquid(), "history")
    assert node.shape[1] == edge.shape[1] == 3
    assert len(np.unique(node.numpy(), axis=1).T) == 3


def test_a_cutoff_within_the_first_neighbors_is_refused():
    with pytest.raises(ValueError, match=r"no particles are closer than 0.7 diameters: .* 0.6"):
        Equivariant(cutoff=0.6)

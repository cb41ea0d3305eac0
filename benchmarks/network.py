"""The networks that are measured: seven rounds, random weights."""

import plain
import torch
from torch import nn

from lammps_botan.network.arrays import forward_arrays
from lammps_botan.network.botan import Botan, BotanWithInputs
from lammps_botan.network.checkpoint import Physics
from lammps_botan.network.inputs import Singles
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import KOB_ANDERSEN

CUTOFF = 2.0
PHYSICS = Physics(mixture=KOB_ANDERSEN, cutoff=CUTOFF, lag_times=(13.0,))


def random_network(graph: Graph) -> Botan:
    """With outputs up to 1 on this graph, and differences between particles of the same order."""
    torch.manual_seed(1)
    model = Botan()
    draw_weights(model, graph)
    with torch.no_grad():
        node, edge = plain.forward(model, *plain.tensors(graph))
        model.output.weight /= max(node.abs().max(), edge.abs().max())
    return model.eval()


def with_scales(graph: Graph, node_vectors: Singles, node_scalars: Singles) -> BotanWithInputs:
    """The same that sees a history, with the scales of this one."""
    torch.manual_seed(1)
    model = BotanWithInputs(inputs=["history"])
    draw_weights(model, graph)
    arrays = forward_arrays(graph, node_vectors, node_scalars)
    given = [torch.from_numpy(array) for array in arrays]
    _, vectors, of_nodes, scalars, center, neighbor = given
    with torch.no_grad():
        for scales, functions in (
            (model.particles, model.particles.functions(of_nodes, scalars)),
            (model.pairs, model.pairs.functions(vectors, of_nodes, center, neighbor)),
        ):
            scales.mean.copy_(functions.mean(0).expand_as(scales.mean))
            scales.deviation.copy_(functions.std(0).expand_as(scales.deviation))
        node, edge = model(*given)
        model.output.weight /= max(node.abs().max(), edge.abs().max())
    return model.eval()


def draw_weights(model: Botan, graph: Graph) -> None:
    """Such that features keep their size from layer to layer.

    He et al., 2015, doi:10.1109/ICCV.2015.123. The random weights that torch chooses give the same
    numbers to all particles, and rounding would hardly show.
    """
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        degree = graph.n_edges / graph.n_particles
        model.node_model.fc1.weight[:, 2 * model.width :] /= degree  # which the sum makes larger

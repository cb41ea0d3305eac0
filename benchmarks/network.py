"""The network that is measured: seven rounds, random weights."""

import plain
import torch
from torch import nn

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Physics
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.mixture import KOB_ANDERSEN

CUTOFF = 2.0
PHYSICS = Physics(mixture=KOB_ANDERSEN, cutoff=CUTOFF, lag_times=(13.0,))


def random_network(graph: Graph) -> Botan:
    """With outputs up to 1 on this graph, and differences between particles of the same order.

    The random weights that torch chooses give the same numbers to all particles, and rounding would
    hardly show. These keep the size of features from layer to layer (He et al., 2015,
    doi:10.1109/ICCV.2015.123).
    """
    torch.manual_seed(1)
    model = Botan()
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        degree = graph.n_edges / graph.n_particles
        model.node_model.fc1.weight[:, 2 * model.width :] /= degree  # which the sum makes larger
        node, edge = plain.forward(model, *plain.tensors(graph))
        model.output.weight /= max(node.abs().max(), edge.abs().max())
    return model.eval()

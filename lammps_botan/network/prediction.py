"""Predictions of a model for one configuration."""

from dataclasses import dataclass

import numpy as np

from lammps_botan.network.inputs import Singles
from lammps_botan.structure.box import Ints
from lammps_botan.structure.graph import Graph
from lammps_botan.structure.notebook_table import html_table


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions of a model for a configuration.

    Attributes
    ----------
    node : float32 [n_nodes, n_node_outputs]
        The first column is the propensity, length unit.
    edge : float32 [n_edges, n_edge_outputs]
        The first column, if any, is the pair-distance change, length unit; NaN for pairs that were
        not asked for.
    graph : Graph
        The graph with these nodes and edges.
    inside : int64 [n_nodes]
        Indices of the nodes in the configuration, ascending: all particles but those mapped to
        NULL.

    Examples
    --------
    >>> nothing = np.zeros(0, int)
    >>> graph = Graph(np.array([0]), nothing, nothing, np.zeros((0, 3)), cutoff=2.0)
    >>> Prediction(np.array([[0.5]]), np.zeros((0, 1)), graph, np.array([0])).node[:, 0]
    array([0.5])
    """

    node: Singles
    edge: Singles
    graph: Graph
    inside: Ints

    def _repr_html_(self) -> str:
        """Table for notebooks: size of the graph, and mean and spread of each output."""
        rows = [("nodes", str(len(self.node))), ("edges", str(len(self.edge)))]
        for name, values in (("node output", self.node), ("edge output", self.edge)):
            for k, column in enumerate(values.T.astype(np.float64), 1):
                if len(column):
                    text = f"mean {column.mean():.4g}, standard deviation {column.std():.4g}"
                    rows.append((f"{name} {k}", text))
        return html_table("prediction", rows)

"""The former address of lammps_botan.network.predictor."""

import math
import warnings
from dataclasses import fields
from pathlib import Path

import numpy as np

from lammps_botan.network.predictor import Prediction, Predictor
from lammps_botan.structure.graph import Graph

__all__ = [
    "Prediction",
    "Scorer",
]

warnings.warn(
    "lammps_botan.scorer.Scorer is now lammps_botan.Predictor",
    DeprecationWarning,
    stacklevel=2,
)


class Scorer:
    """A loaded model, as `lammps_botan.Predictor`, for graphs.

    Parameters
    ----------
    model, device, precision
        As for `lammps_botan.Predictor`.
    """

    def __init__(self, model: str | Path, device: str = "cpu", precision: str = "float32") -> None:
        self._predictor = Predictor(model, device, precision)
        self.path, self.metadata = self._predictor.path, self._predictor.metadata
        self.engine = self._predictor.engine

    def score(self, graph: Graph) -> Prediction:
        """Predict for a graph.

        Where a graph of `lammps_botan.graph` does not say its cutoff, its longest edge is compared
        with the cutoff of the model, with a warning: this shows a graph of a longer cutoff, but not
        one of a shorter cutoff.

        Raises
        ------
        ValueError
            If an edge is longer than the cutoff of the model, or as `Predictor.predict_graph`.
        """
        if type(graph) is not Graph and math.isnan(graph.cutoff):
            graph = self._with_cutoff(graph)
        return self._predictor.predict_graph(graph)

    def _with_cutoff(self, graph: Graph) -> Graph:
        cutoff = self.metadata.cutoff
        longest = float(np.max(graph.distances, initial=0.0))
        advice = "give a configuration to lammps_botan.Predictor.predict, which builds the graph"
        if longest >= cutoff:
            raise ValueError(
                f"{self.path} takes graphs with the cutoff {cutoff:g}, found an edge of length "
                f"{longest:.6g}; {advice}"
            )
        warnings.warn(
            f"the graph does not say its cutoff; its longest edge is {longest:.6g}, and the model "
            f"takes graphs with the cutoff {cutoff:g}; {advice}",
            UserWarning,
            stacklevel=3,
        )
        own = {field.name: getattr(graph, field.name) for field in fields(Graph)}
        return Graph(**(own | {"cutoff": cutoff}))

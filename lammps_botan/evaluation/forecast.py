"""What a model says of a configuration whose future is known, fit to be compared with it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lammps_botan.files.ensemble_npz import same_time
from lammps_botan.network.predictor import Scorer
from lammps_botan.structure.graph import Floats, Graph


@dataclass(frozen=True)
class Forecast:
    """Predictions for one lag time.

    Attributes
    ----------
    propensity : float32 [n_particles]
    changes : float32 [n_edges] or None
        Pair-distance changes, where the model has them.
    """

    propensity: Floats
    changes: Floats | None


class Forecaster:
    """A model that predicts propensities.

    Parameters
    ----------
    model : str or Path
        A model file, or the name of a model that ships.

    Attributes
    ----------
    path : Path
        The model file.
    metadata : Metadata

    Raises
    ------
    FileNotFoundError, ValueError
        As `lammps_botan.network.predictor.Scorer`, or if it predicts R, D or C.
    """

    def __init__(self, model: str | Path) -> None:
        self._scorer = Scorer(model)
        self.path, self.metadata = self._scorer.path, self._scorer.metadata
        quantity = self.metadata.node_outputs[0]
        if quantity in {"R", "D", "C"}:
            raise ValueError(
                f"{self.path}: predicts {quantity}, motion relative to the neighbors, and not the "
                "propensity, which is compared here. Its validation_rho is in lammps-botan info"
            )

    def forecast(self, graph: Graph, time: float | None, path: Path) -> Forecast:
        """Predictions for a configuration.

        Parameters
        ----------
        graph : Graph
            With the cutoff of `metadata`.
        time : float or None
            Lag time, where the file says it: of a model with several it chooses the output.
        path : Path
            The file that it came from.

        Raises
        ------
        ValueError
            If the model does not know the species or the lag time, fails, or predicts numbers that
            are not finite.
        """
        column = self._column(time, path)
        try:
            found = self._scorer.score(graph)
        except (ValueError, RuntimeError, torch.jit.Error) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            raise ValueError(f"{path}: {self.path} cannot score it: {reason}") from error
        node = found.node[:, column]
        edge = found.edge[:, column] if self.metadata.edge_outputs else None
        if not (np.isfinite(node).all() and (edge is None or np.isfinite(edge).all())):
            raise ValueError(f"{path}: {self.path} predicts numbers that are not finite")
        return Forecast(node, edge)

    def _column(self, time: float | None, path: Path) -> int:
        """Which output of the model is for the lag time of the file."""
        times = self.metadata.lag_times or []
        if len(times) < 2:
            return 0
        for outputs in (self.metadata.node_outputs, self.metadata.edge_outputs or times):
            if len(outputs) < len(times):
                raise ValueError(
                    f"{self.path}: expected an output for each of {len(times)} lag times, found "
                    f"{', '.join(map(str, outputs))}"
                )
        for column, known in enumerate(times):
            if time is not None and same_time(known, time):
                return column
        found = (
            "the file does not say its own (key time)"
            if time is None
            else f"the lag time of the file is {time:g}"
        )
        raise ValueError(
            f"{path}: {self.path} predicts for the lag times "
            f"{', '.join(f'{known:g}' for known in times)}; {found}"
        )

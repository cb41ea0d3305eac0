"""Score one configuration, by the conventions of `fix botan`.

There is a word for each atom type, which is a species of the model or NULL. Atoms of a type mapped
to NULL are not in the graph and get 0. Bonds are pairs closer than a length, each of them twice.
One difference: a box that is not larger than the cutoff of the model, where each particle would be
its own neighbor, is refused.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lammps_botan.files.scored_dump import ScoredConfiguration
from lammps_botan.network.engine.threads import available_threads
from lammps_botan.network.predictor import Predictor
from lammps_botan.prediction.inherent import with_inherent
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration


class FrameScorer:
    """Score configurations with one model.

    Parameters
    ----------
    model : Path
        A model file.
    species : sequence of str, or None
        As for `lammps_botan.prediction.trajectory.score`.
    bonds : float
        Pairs closer than this are returned, length unit.
    share : int
        Processes that score on this machine; each takes as many cores as the others.
    device : str
        "cpu", "cuda" or "cuda:N".
    inherent : bool
        Whether to find the inherent structures that the model sees.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        As `Predictor`.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> score = FrameScorer(find_model("ka-t044"), None, 1.35, 1, "cpu", False)
    >>> sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    >>> box = Box(4.705, (True, True, True))
    >>> score(Configuration(sites, np.repeat([0, 1], [100, 25]), box)).propensity.shape
    (125, 1)
    """

    def __init__(
        self,
        model: Path,
        species: Sequence[str] | None,
        bonds: float,
        share: int,
        device: str,
        inherent: bool,
    ) -> None:
        threads = max(1, available_threads() // share) if share > 1 else None
        self._predictor = Predictor(model, device, threads=threads)
        self._species, self._bonds, self._inherent = species, bonds, inherent

    def __call__(self, configuration: Configuration) -> ScoredConfiguration:
        """Score a configuration.

        Parameters
        ----------
        configuration : Configuration

        Returns
        -------
        ScoredConfiguration

        Raises
        ------
        ValueError
            If the configuration cannot be scored; names file and frame.
        """
        where = configuration.where
        try:
            return self._score(configuration)
        except ValueError as error:
            raise ValueError(f"{where}: {str(error).removeprefix(f'{where}: ')}") from error

    def _score(self, configuration: Configuration) -> ScoredConfiguration:
        metadata, n = self._predictor.metadata, configuration.n_particles
        if n == 0:
            raise ValueError("expected at least one atom, found none")
        flat = metadata.mixture.dimension == 2
        _check_box(configuration.box.flat if flat else configuration.box, metadata.cutoff)
        if self._inherent:
            configuration = with_inherent(configuration, metadata, self._species)
        prediction = self._predictor.predict(configuration, self._species, pair_range=self._bonds)
        graph, ids = prediction.graph, configuration.ids[prediction.inside]
        propensity = np.zeros((n, len(metadata.node_outputs)), np.float32)
        propensity[prediction.inside] = prediction.node
        distances = graph.distances
        near = distances < self._bonds
        return ScoredConfiguration(
            configuration=configuration,
            propensity=propensity,
            center=ids[graph.center[near]],
            neighbor=ids[graph.neighbor[near]],
            distances=distances[near],
            changes=prediction.edge[near],
            node_outputs=metadata.node_outputs,
            edge_outputs=metadata.edge_outputs,
        )


def _check_box(box: Box, cutoff: float) -> None:
    for axis, height, periodic in zip("xyz", box.heights, box.periodic, strict=True):
        if periodic and height <= cutoff:
            raise ValueError(
                f"the box is {height:.6g} wide along {axis}, not more than the cutoff of the "
                f"model, {cutoff:g}: each particle would be its own neighbor; check the units of "
                "the box, or replicate it"
            )

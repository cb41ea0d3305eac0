"""The predictor, which alone loads model files in Python, and its predictions."""

import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lammps_botan.network.archive import Archive
from lammps_botan.network.arrays import check_graph, forward_arrays
from lammps_botan.network.engine.scoring import Engine, UnknownNetworkError
from lammps_botan.network.fallback import read_fallback
from lammps_botan.network.inputs import Singles, node_inputs
from lammps_botan.network.metadata import Metadata, read_metadata
from lammps_botan.network.number_density import unlike_density
from lammps_botan.network.prediction import Prediction
from lammps_botan.network.shipped import find_model
from lammps_botan.network.trial_configuration import trial_arrays
from lammps_botan.network.weights import read_weights
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph, build_graph
from lammps_botan.structure.mixture import Mixture

if TYPE_CHECKING:
    from lammps_botan.network.torch_model import TorchModel

__all__ = ["Prediction", "Predictor"]

# where what a model sees is unlike what it saw in training
_OF_POSITIONS = "Are species, composition, density and temperature those of the training?"
_OF_INPUTS = (
    "Are interactions, their shift of the energy, temperature and density those of the training, "
    "and is each displacement that from the position of a particle to its own mean (or inherent) "
    "position?"
)
# relative, of vectors in single precision
_ROUNDING = 1e-5


class Predictor:
    """A loaded model.

    Parameters
    ----------
    model : str, Path or Archive
        A model file, or the name of a model that ships; an `Archive` is a model inside another one.
    device : str
        "cpu", "cuda" or "cuda:N"; for the last two torch has to be installed.
    precision : str
        "float32"; or "bfloat16" for numbers of 8 significant bits on edges, which take half of the
        memory, and half of the time on processors with AVX-512 BF16; docs/notes/performance.md has
        the error.
    trust : bool
        Whether to run code in the model file that may do more than compute
        (docs/notes/security.md).
    threads : int, optional
        Number of threads; by default OMP_NUM_THREADS, or the number of cores.

    Attributes
    ----------
    path : Path
        The model file.
    metadata : Metadata
        Metadata of the model file.
    mixture : Mixture
        What the model was trained on.
    engine : str
        What computes: the instructions of the compiled engine, such as "avx512"; or "torch" on
        another device than the CPU, and for a network that the engine does not know.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If torch has to compute the model, and is not installed; the file is not a model file, is
        damaged, or its code may do more than compute; its fallback does not fit it; or the device
        is absent or cannot do the precision.

    Examples
    --------
    >>> from lammps_botan import Box, Configuration, Predictor
    >>> predictor = Predictor("ka-t064")
    >>> sites = 0.941 * np.indices((5, 5, 5)).reshape(3, -1).T
    >>> species = np.repeat([0, 1], [100, 25])
    >>> crystal = Configuration(sites, species, Box(4.705, (True, True, True)))
    >>> predictor.predict(crystal).node.shape
    (125, 1)
    """

    def __init__(
        self,
        model: str | Path | Archive,
        device: str = "cpu",
        precision: str = "float32",
        *,
        trust: bool = False,
        threads: int | None = None,
    ) -> None:
        archive = model if isinstance(model, Archive) else Archive(find_model(model))
        self.path, self._name, self._archive = archive.path, str(archive), archive
        self.metadata: Metadata = read_metadata(archive)
        self._fallback = read_fallback(archive, self.metadata)
        self._unlike_reported = False  # a trajectory would repeat it in each frame
        self.mixture: Mixture = self.metadata.mixture
        device = str(device)
        if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
            raise ValueError(f"expected device cpu, cuda or cuda:N, found {device}")
        if threads is not None and threads < 1:
            raise ValueError(f"expected threads 1 or more, found {threads}")
        if precision not in {"float32", "bfloat16"}:
            raise ValueError(f"expected precision float32 or bfloat16, found {precision}")
        self._device, self._trust, self._threads = device, trust, threads
        self._engine = self._make_engine(bfloat16=precision == "bfloat16")
        if self._engine is None:
            self._by_torch  # noqa: B018  what is wrong is told here
        self.engine = self._engine.instructions if self._engine else "torch"

    @cached_property
    def fallback(self) -> "Predictor | None":
        """The model for configurations without a history; None where the model file has none.

        It is another model, which sees positions and species only: `predict` never takes it by
        itself.
        """
        if self._fallback is None:
            return None
        return Predictor(self._fallback, self._device, trust=self._trust, threads=self._threads)

    def _make_engine(self, *, bfloat16: bool) -> Engine | None:
        wanted = self._device == "cpu" and os.environ.get("LAMMPS_BOTAN_ENGINE") != "torch"
        networks = read_weights(self._archive, self.metadata) if wanted else []
        if networks:
            try:
                engine = Engine(networks, bfloat16=bfloat16)
            except UnknownNetworkError:  # of a newer version, which torch may compute
                pass
            except ValueError as error:
                raise ValueError(f"{self._name}: {error}") from error
            else:
                self._check_sizes(engine)
                return engine
        if bfloat16:
            raise ValueError(
                "precision bfloat16 is for BOTAN with 64 features on device cpu, by the compiled "
                f"engine; {self._name} is scored by torch here: use precision float32"
            )
        return None

    def _check_sizes(self, engine: Engine) -> None:
        for name, expected in (
            ("rounds", self.metadata.rounds),
            ("width", self.metadata.width),
            ("node_outputs", len(self.metadata.node_outputs)),
            ("edge_outputs", len(self.metadata.edge_outputs)),
        ):
            if (found := getattr(engine, name)) != expected:
                raise ValueError(
                    f"{self._name}: the networks in the file have {name.replace('_', ' ')} "
                    f"{found}, and metadata.json says {expected}: the file was not made by "
                    "`lammps-botan export`"
                )

    @cached_property
    def _by_torch(self) -> "TorchModel":
        try:
            from lammps_botan.network.torch_model import TorchModel, check_plain_weights
        except ImportError as error:
            raise ValueError(
                f"{self._name}: torch computes this model here, and is not installed: type pip "
                f"install 'lammps-botan[torch]' ({_why_torch(self.metadata, self._device)})"
            ) from error
        trial = trial_arrays(self.mixture, self.metadata.cutoff, self.metadata.inputs)
        model = TorchModel(
            self._archive,
            self.metadata,
            trial,
            self._device,
            trust=self._trust,
            threads=self._threads,
        )
        check_plain_weights(model, self._archive, self.metadata, trial)
        return model

    def predict(
        self,
        configuration: Configuration,
        species: Sequence[str] | None = None,
        *,
        pair_range: float = np.inf,
    ) -> Prediction:
        """Predict for a configuration, whose graph is built with the cutoff of the model.

        Parameters
        ----------
        configuration : Configuration
            With a history or an inherent structure, where the model sees them
            (`metadata.inputs`).
        species : sequence of str, optional
            For each LAMMPS type in order a species of the model, or NULL to leave the type out;
            see `Configuration.as_mixture`.
        pair_range : float, optional
            Pairs at least so long get NaN, which saves a tenth of the time at the most; length
            unit. By default all pairs get a prediction.

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError
            If species, units or dimension are not those of the model, the configuration lacks what
            the model sees, a plane has images of itself within the cutoff, the model fails, or it
            predicts numbers that are not finite.

        Warns
        -----
        UserWarning
            If the configuration says its mixture, and bond lengths or diameter are not those of
            the mixture of the model; or if what the model sees is unlike what it saw in training.
            The latter once, and again only after a configuration that was like it.
        """
        mapped, inside = configuration.as_mixture(self.mixture, species)
        own = configuration.mixture
        if own is not None and species is None and (why := own.difference(self.mixture)):
            warnings.warn(
                f"{configuration.where}: is {own.name}, but {self._name} was trained on "
                f"{self.mixture.name}; they differ in {why}",
                stacklevel=2,
            )
        heights, box = mapped.positions[:, 2], mapped.box
        planar = len(heights) > 1 and not np.ptp(heights)
        if planar and box.periodic[2] and box.heights[2] <= self.metadata.cutoff:
            raise ValueError(
                f"{configuration.where}: all particles lie in one plane, and the box has images of "
                f"it every {box.heights[2]:g} along z, within the cutoff {self.metadata.cutoff:g}: "
                "for two dimensions expected Box(cell, (True, True, False))"
            )
        given = self._node_inputs(mapped)
        graph = build_graph(mapped, self.metadata.cutoff)
        is_whole = mapped.n_particles == configuration.n_particles
        self._compare_inputs(mapped, graph, *given, is_whole=is_whole)
        inputs = given if self.metadata.inputs.names else ()
        prediction = self.predict_graph(graph, *inputs, pair_range=pair_range)
        return replace(prediction, inside=inside)

    def _node_inputs(self, configuration: Configuration) -> tuple[Singles, Singles]:
        try:
            return node_inputs(configuration, self.metadata.inputs)
        except ValueError as error:
            if self._fallback is None or configuration.history is not None:
                raise
            name = self.metadata.provenance.get("fallback", "its fallback")
            raise ValueError(
                f"{error}; or take {name}, the fallback of the model, which sees positions and "
                "species only (predictor.fallback in Python)"
            ) from error

    def _compare_inputs(
        self,
        configuration: Configuration,
        graph: Graph,
        node_vectors: Singles,
        node_scalars: Singles,
        *,
        is_whole: bool,
    ) -> None:
        if self.metadata.seen is None:
            return
        trained, cutoff = self.metadata.density, self.metadata.cutoff
        unlike = unlike_density(configuration, trained, cutoff) if is_whole else []
        unlike += self.metadata.seen.unlike(
            graph,
            node_vectors,
            node_scalars,
            mixture=self.mixture,
            quantities=self.metadata.inputs.quantities(self.metadata.species),
        )
        if unlike and not self._unlike_reported:
            question = _OF_INPUTS if self.metadata.inputs.names else _OF_POSITIONS
            warnings.warn(
                f"{configuration.where}: what {self._name} sees is unlike what it saw in training: "
                f"{'; '.join(unlike)}. {question}",
                stacklevel=3,
            )
        self._unlike_reported = bool(unlike)

    def predict_graph(
        self,
        graph: Graph,
        node_vectors: Singles | None = None,
        node_scalars: Singles | None = None,
        *,
        pair_range: float = np.inf,
    ) -> Prediction:
        """Predict for a graph.

        Parameters
        ----------
        graph : Graph
            With the cutoff of the model, and its species.
        node_vectors : float32 [n_nodes, n_vectors, 3], optional
            Of a model with inputs, see `lammps_botan.network.inputs.node_inputs`.
        node_scalars : float32 [n_nodes, n_scalars], optional
        pair_range : float, optional
            As for `predict`.

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError
            If the graph has another cutoff or species that the model does not know, the inputs are
            not those of the model, the model fails, or it predicts numbers that are not finite.
        """
        check_graph(self._name, self.metadata, graph, node_vectors, node_scalars)
        if not pair_range >= 0:
            raise ValueError(f"expected a pair_range of at least 0, found {pair_range}")
        try:
            arrays = forward_arrays(graph, node_vectors, node_scalars)
            node, edge = (
                self._engine.score(
                    *arrays, pair_range=pair_range * (1 + _ROUNDING), threads=self._threads
                )
                if self._engine
                else self._by_torch.score(*arrays)
            )
        except RuntimeError as error:  # of torch
            raise ValueError(f"{self._name} fails: {_last_line(error)}") from error
        needed = np.s_[:] if pair_range == np.inf else graph.distances < pair_range
        for name, numbers in (("particles", node), ("pairs", edge[needed])):
            if not np.isfinite(numbers).all():
                raise ValueError(
                    f"{self._name} predicts numbers that are not finite for "
                    f"{int((~np.isfinite(numbers).all(axis=1)).sum())} {name}; are positions, "
                    "temperature and density those that the model was trained for?"
                )
        changes = np.full_like(edge, np.nan)
        changes[needed] = edge[needed]
        return Prediction(node, changes, graph, np.arange(graph.n_particles))

    def predict_by_torch(
        self,
        graph: Graph,
        node_vectors: Singles | None = None,
        node_scalars: Singles | None = None,
    ) -> Prediction:
        """Predict for a graph by the code in the model file, even if there is an engine.

        Parameters
        ----------
        graph, node_vectors, node_scalars
            As for `predict_graph`.

        Returns
        -------
        Prediction
        """
        check_graph(self._name, self.metadata, graph, node_vectors, node_scalars)
        outputs = self._by_torch.score(*forward_arrays(graph, node_vectors, node_scalars))
        return Prediction(*outputs, graph, np.arange(graph.n_particles))


def _last_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1]


def _why_torch(metadata: Metadata, device: str) -> str:
    if device != "cpu":
        return f"device {device} was asked for"
    if os.environ.get("LAMMPS_BOTAN_ENGINE") == "torch":
        return "LAMMPS_BOTAN_ENGINE is torch"
    return (
        f"the file has no plain weights of its network '{metadata.architecture}': the compiled "
        "engine does not know it, or an earlier version of lammps-botan wrote the file"
    )

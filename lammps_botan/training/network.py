"""The network of a training run, and its initial weights."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lammps_botan.files.sha256 import sha256_of
from lammps_botan.network.botan import Botan, BotanWithInputs, ThermalBotan
from lammps_botan.network.checkpoint import Checkpoint, Physics, load_checkpoint
from lammps_botan.network.equivariant import Equivariant
from lammps_botan.network.known_configurations import KnownConfiguration, known_in
from lammps_botan.network.network import Network as BaseNetwork
from lammps_botan.network.nt_gnn import NtGnn
from lammps_botan.training.config import Network


@dataclass(frozen=True)
class InitialWeights:
    """Weights of another training to start from.

    Attributes
    ----------
    checkpoint : Checkpoint
        A network like that of the configuration.
    file, sha256 : str
        Name and SHA-256 of the file of the checkpoint.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> weights = InitialWeights(Checkpoint(Botan(1, 4), physics), "before.ckpt", "ab")
    >>> weights.check(physics), weights.known
    (None, [])
    """

    checkpoint: Checkpoint
    file: str
    sha256: str

    @property
    def known(self) -> list[KnownConfiguration]:
        """The configurations that the weights know."""
        return known_in(self.checkpoint.provenance)

    def load_into(self, model: BaseNetwork, physics: Physics) -> None:
        """Load the weights into the network of a run, which measures lengths in diameters."""
        model.load_state_dict(self.checkpoint.model.state_dict())
        scale_lengths(model, 1 / physics.mixture.diameter)

    def check_validation(self, known: Iterable[KnownConfiguration]) -> None:
        """Refuse validation with a configuration that the weights have learned from.

        Parameters
        ----------
        known : iterable of KnownConfiguration
            Of the data of the run.

        Raises
        ------
        ValueError
            With its name.
        """
        learned = {one.sha256: one.name for one in self.known if one.role != "validation"}
        for one in known:
            if one.role == "validation" and one.sha256 in learned:
                raise ValueError(
                    f"{one.name}: is among data.validation, but the weights of {self.file} have "
                    f"learned from it ({learned[one.sha256]}); validate with another configuration"
                )

    def check(self, physics: Physics) -> None:
        """Refuse weights for another mixture, cutoff or inputs.

        Raises
        ------
        ValueError
            With what differs.
        """
        own = self.checkpoint.physics
        if why := physics.mixture.difference(own.mixture):
            raise ValueError(
                f"{self.file}: cannot start from it: expected the mixture {physics.mixture.name}, "
                f"as in the configuration, found {own.mixture.name}; they differ in {why}"
            )
        if not math.isclose(own.cutoff, physics.cutoff, rel_tol=1e-9):
            raise _cannot_start(self.file, "target.cutoff", physics.cutoff, own.cutoff)
        if physics.inputs != own.inputs:
            raise ValueError(
                f"{self.file}: cannot start from it: expected a network that sees "
                f"{physics.inputs.words}, as in the data, found {own.inputs.words}"
            )


def read_initial_weights(path: Path, network: Network) -> InitialWeights:
    """Read the weights of a checkpoint.

    Parameters
    ----------
    path : Path
    network : Network
        Network of the configuration.

    Returns
    -------
    InitialWeights

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no checkpoint, or of a network that differs from that of the configuration.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> from lammps_botan.network.checkpoint import save_checkpoint
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> save_checkpoint(Checkpoint(Botan(1, 4), physics), Path("before.ckpt"))
    >>> read_initial_weights(Path("before.ckpt"), Network(rounds=1, width=4)).file
    'before.ckpt'
    """
    path = Path(path)
    checkpoint = load_checkpoint(path)
    facts = [
        ("network.architecture", network.architecture, checkpoint.architecture),
        ("network.rounds", network.rounds, checkpoint.model.rounds),
        ("network.width", network.width, checkpoint.model.settings["width"]),
    ]
    if network.architecture == "equivariant":
        facts.append(("network.features", network.features, checkpoint.model.settings["features"]))
    for key, expected, found in facts:
        if found != expected:
            raise _cannot_start(str(path), key, expected, found)
    return InitialWeights(checkpoint, path.name, sha256_of(path))


def _cannot_start(file: str, key: str, expected: object, found: object) -> ValueError:
    return ValueError(
        f"{file}: cannot start from it: expected {key} = {expected!r}, as in the configuration, "
        f"found {found!r}"
    )


def scale_lengths(model: BaseNetwork, unit: float) -> None:
    """Change a network that measures lengths in `unit` to the unit of the data.

    The first layer on edge vectors takes up the factor, and the last one gives it back, so that a
    network learns the same in any units. Networks with inputs know the diameter and take lengths
    as they are; the equivariant ones give them back too.

    Parameters
    ----------
    model : Network
        Changed in place.
    unit : float
        Length unit.

    Examples
    --------
    >>> model = Botan(1, 4)
    >>> before = model.output.bias.clone()
    >>> scale_lengths(model, 2.0)
    >>> bool(torch.equal(model.output.bias, 2 * before))
    True
    """
    if not isinstance(model, Botan | NtGnn):
        return
    with torch.no_grad():
        if not model.inputs:
            model.edge_encoder.fc1.weight.div_(unit)
        model.output.weight.mul_(unit)
        model.output.bias.mul_(unit)


def make_network(
    network: Network, physics: Physics, *, aggregation: str = "index_add"
) -> BaseNetwork:
    """Make a network with random weights.

    Parameters
    ----------
    network : Network
    physics : Physics
        What the network is for.
    aggregation : str
        How messages are added up: "index_add" of torch, or "scatter" for torch-scatter
        (https://github.com/rusty1s/pytorch_scatter). The weights are the same ones: only training
        runs need torch-scatter.

    Returns
    -------
    Network
        Of `network.network`.

    Raises
    ------
    ValueError
        If torch-scatter is asked for and not installed.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> make_network(Network(rounds=1, width=4), physics).rounds
    1
    """
    n_species = physics.mixture.n_species
    if network.architecture == "equivariant":
        return Equivariant(
            cutoff=physics.cutoff,
            diameter=physics.mixture.diameter,
            rounds=network.rounds,
            width=network.width,
            features=network.features,
            n_times=len(physics.lag_times),
            n_species=n_species,
            inputs=physics.inputs.names,
        )
    made = _make(network, physics, aggregation)
    with torch.no_grad():
        for parameter in made.edge_encoder.fc1.parameters():
            parameter.mul_(network.edge_scale)
    return made


def _make(network: Network, physics: Physics, aggregation: str) -> Botan | NtGnn:
    botan: type[Botan] = Botan
    nt_gnn: type[NtGnn] = NtGnn
    if aggregation == "scatter":
        try:
            import torch_scatter  # noqa: F401
        except ModuleNotFoundError as error:
            raise ValueError(
                "recipe.aggregation = 'scatter' needs torch-scatter, which is compiled against the "
                "torch that is installed: type pip install --no-build-isolation torch-scatter"
            ) from error
        botan = _ScatterBotanWithInputs if physics.inputs.names else _ScatterBotan
        nt_gnn = _ScatterNtGnn
    size = (network.rounds, network.width, physics.mixture.n_species)
    if network.architecture == "nt-gnn":
        return nt_gnn(*size)
    return botan(*size, inputs=physics.inputs.names, diameter=physics.mixture.diameter)


class _Scatter:
    def aggregate(self, message: Tensor, center: Tensor, n_local: int) -> Tensor:
        from torch_scatter import scatter_sum

        total: Tensor = scatter_sum(message, center, dim=0, dim_size=n_local)
        return total


class _ScatterBotan(_Scatter, ThermalBotan):
    pass


class _ScatterBotanWithInputs(_Scatter, BotanWithInputs):
    pass


class _ScatterNtGnn(_Scatter, NtGnn):
    pass

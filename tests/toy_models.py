"""Model files whose outputs can be counted by hand (contract: docs/reference/model_file.md)."""

import io
import json
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn


class Walks(nn.Module):
    """Count walks on the graph, which goes wrong at every boundary if the exchange does.

    Node output 0 is the number of walks of `rounds` steps that start at an atom, each weighted by
    the species it ends on: one round counts neighbors, every further one needs an exchange.
    Node output 1 is the species of the atom, the others are 0.
    Edge output 0 is the distance, 1 is 10 * species of center + species of neighbor, 2 is the x
    component of r_center - r_neighbor.
    """

    def __init__(
        self,
        rounds: int = 1,
        width: int = 3,
        weights: tuple[float, ...] = (1.0, 1.0),
        node_outputs: int = 1,
        edge_outputs: int = 1,
        fault: str = "",
    ) -> None:
        super().__init__()
        self.rounds = rounds
        self.width = width
        self.node_outputs = node_outputs
        self.edge_outputs = edge_outputs
        self.fault = fault
        self.register_buffer("weights", torch.tensor(weights))

    @torch.jit.export
    def encode(self, species: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        # the last column carries the count, so that an odd width must arrive whole
        node = torch.zeros(species.shape[0], self.width, device=species.device)
        node[:, 0] = species
        node[:, -1] = self.weights[species]
        edge = torch.zeros_like(vectors)
        edge[:, 0] = vectors.square().sum(dim=1).sqrt()
        edge[:, 2] = vectors[:, 0]
        return node, species.to(torch.float32).unsqueeze(1), edge, vectors

    @torch.jit.export
    def step(
        self,
        round: int,
        node: Tensor,
        node_const: Tensor,
        edge: Tensor,
        edge_const: Tensor,
        center: Tensor,
        neighbor: Tensor,
        n_local: int,
    ) -> tuple[Tensor, Tensor]:
        species = node_const[:, 0]
        code = 10.0 * species[center] + species[neighbor]
        edge = torch.stack((edge[:, 0], code, edge[:, 2]), dim=1)
        walks = torch.zeros(n_local, device=node.device).index_add_(
            0, center, node[neighbor, self.width - 1]
        )
        node_local = node[:n_local].clone()
        node_local[:, -1] = walks
        if center.numel() > 0:
            if self.fault == "raise":
                raise RuntimeError("this toy is broken on purpose")
            if self.fault == "shape":
                node_local = node_local[1:]
            if self.fault == "nan":
                node_local = node_local / 0.0 * 0.0
            if self.fault == "nan edges":
                edge = edge / 0.0 * 0.0
        if self.fault == "dtype":
            return node_local.to(torch.float64), edge
        return node_local, edge

    @torch.jit.export
    def decode(self, node_local: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
        node_out = torch.zeros(node_local.shape[0], self.node_outputs, device=node_local.device)
        if self.node_outputs > 1:
            node_out[:, 1] = node_local[:, 0]
        node_out[:, 0] = node_local[:, -1]
        return node_out, edge[:, : self.edge_outputs].contiguous()

    def forward(
        self, species: Tensor, vectors: Tensor, center: Tensor, neighbor: Tensor
    ) -> tuple[Tensor, Tensor]:
        node, node_const, edge, edge_const = self.encode(species, vectors)
        for round in range(self.rounds):
            node, edge = self.step(
                round, node, node_const, edge, edge_const, center, neighbor, species.shape[0]
            )
        return self.decode(node, edge)


class Speciesless(Walks):
    """A model whose encode lacks an argument."""

    @torch.jit.export
    def encode(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return vectors, vectors, vectors, vectors

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.encode(vectors)


class Methodless(nn.Module):
    """A scripted module that is no model."""

    def forward(self, x: Tensor) -> Tensor:
        return x


KOB_ANDERSEN = {
    "name": "kob-andersen",
    "units": "lj",
    "species": ["A", "B"],
    "masses": [1.0, 1.0],
    "fractions": [0.8, 0.2],
    "bond_lengths": [[1.35, 1.08], [1.08, 1.188]],
    "breaking": 1.7 / 1.35,
    "diameter": 1.0,
    "density": 1.2,
    "dimension": 3,
    "reference_species": "A",
    "relaxation_times": {},
    "lag_times": {},
}


def mixture(*species: str, **changes: object) -> dict[str, object]:
    """Of any number of species, all alike but for what changes."""
    n = len(species)
    alike = {
        "name": "toy",
        "species": list(species),
        "masses": [1.0] * n,
        "fractions": [1.0 / n] * n,
        "bond_lengths": [[1.35] * n] * n,
        "reference_species": species[0],
    }
    return {**KOB_ANDERSEN, **alike, **changes}


def metadata(model: nn.Module) -> dict[str, object]:
    return {
        "format": "lammps-botan",
        "format_version": 2,
        "architecture": "toy",
        "mixture": KOB_ANDERSEN,
        "node_input": "number",
        "cutoff": 2.0,
        "rounds": getattr(model, "rounds", 1),
        "width": getattr(model, "width", 3),
        "node_outputs": [f"walks_{k}" for k in range(getattr(model, "node_outputs", 1))],
        "edge_outputs": [f"edge_{k}" for k in range(getattr(model, "edge_outputs", 1))],
        "lag_times": None,
        "temperature": None,
        "density": None,
        "provenance": {},
        "versions": {},
    }


def save_model(
    path: Path,
    model: nn.Module | None = None,
    *,
    drop: str = "",
    mixture: dict[str, object] | None = None,
    **changes: object,
) -> Path:
    """Write a model file.

    `changes` replace entries of its metadata, those of `mixture` entries of the Kob-Andersen
    mixture; `drop` leaves one out, of either.
    """
    entries = {**metadata(model or Walks()), **changes}
    if isinstance(entries["mixture"], dict):
        liquid = {**entries["mixture"], **(mixture or {})}
        liquid.pop(drop, None)
        entries["mixture"] = liquid
        if len(liquid.get("species", [])) > 2 and "node_input" not in changes:
            entries["node_input"] = "one-hot"  # numbers are for two species at the most
    entries.pop(drop, None)
    save_archive(path, model or Walks(), {"metadata.json": json.dumps(entries)})
    return path


def save_archive(path: Path, model: nn.Module, extra_files: dict[str, str]) -> None:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # torch announces the end of TorchScript; the C++ side has no successor yet
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(model), buffer, _extra_files=extra_files)
    path.write_bytes(buffer.getvalue())

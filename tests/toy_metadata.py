"""What the metadata of toys say (contract: docs/reference/model_file.md)."""

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


def metadata(model: object) -> dict[str, object]:
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


def entries(
    model: object,
    drop: str = "",
    mixture: dict[str, object] | None = None,
    **changes: object,
) -> dict[str, object]:
    """The metadata of a toy.

    `changes` replace entries, those of `mixture` entries of the Kob-Andersen mixture; `drop` leaves
    one out, of either.
    """
    found = {**metadata(model), **changes}
    if isinstance(found["mixture"], dict):
        liquid = {**found["mixture"], **(mixture or {})}
        liquid.pop(drop, None)
        found["mixture"] = liquid
        if len(liquid.get("species", [])) > 2 and "node_input" not in changes:
            found["node_input"] = "one-hot"  # numbers are for two species at the most
    found.pop(drop, None)
    return found

"""Largest numbers that a model file may have, from `limits.toml`, which the fix reads as well."""

import tomllib
from importlib import resources

LIMITS: dict[str, int] = tomllib.loads(
    resources.files(__package__).joinpath("limits.toml").read_text()
)

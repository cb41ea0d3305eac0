"""The largest numbers that a model file may have: `limits.toml`, which the fix knows as well."""

import tomllib
from importlib import resources

LIMITS: dict[str, int] = tomllib.loads(
    resources.files(__package__).joinpath("limits.toml").read_text()
)

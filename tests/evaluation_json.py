"""Files as `lammps-botan evaluate --json` writes them."""

import json
import re
from pathlib import Path
from typing import Any

from pictures import words


def correlation(rho: float | None, error: float = 0.02) -> dict[str, Any]:
    """Of two configurations, alike."""
    keys = ("rho_mean", "rho_mean_error", "rho_pooled", "rho_pooled_error")
    numbers = dict(zip(keys, (rho, error, rho, error), strict=True))
    return {**numbers, "per_configuration": [rho, rho]}


def model(name: str = "m.pt", s: Any = 0.7, e: float = 0.6, **changes: object) -> dict[str, Any]:
    """A BOTAN with these correlations of S and E."""
    content = {
        "model": name,
        "architecture": "botan",
        "rounds": 7,
        "width": 64,
        "members": 1,
        "p": 0.4,
        "temperature": 0.44,
        "lag_time": 130.0,
        "S": {"A": correlation(s), "B": correlation(s)},
        "E": {kind: correlation(e) for kind in ("A-A", "A-B", "B-B")},
    }
    return {**content, **changes}


def write(path: Path, *models: object, **changes: object) -> Path:
    """The file of an evaluation of these models."""
    content = {
        "time": None,
        "models": models,
        "ceiling": {"S": {"A": correlation(0.97)}, "E": {"A-A": correlation(0.93)}},
        "differences": [],
        "configurations": ["a/1.npz", "a/2.npz"],
    }
    path.write_text(json.dumps({**content, **changes}))
    return path


def legend(path: Path) -> list[str]:
    """The texts of an SVG picture that are neither numbers nor formulas."""
    return [text for text in words(path) if not re.fullmatch(r"[\W\d.]*|\$.*", text)]


def history(window: float) -> dict[str, Any]:
    """The inputs of a model that sees a history."""
    return {"history": {"window": window, "interval": 0.1, "parts": 10}}

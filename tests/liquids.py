"""A small liquid to train on, and the recipe that learns it within seconds."""

import json
from pathlib import Path

import numpy as np
from nearest import nearest_neighbors

from lammps_botan.structure.mixture import KOB_ANDERSEN

LENGTH = 4.6
N_PARTICLES = 120
DICTS = ("relaxation_times", "lag_times")
FILES = ("train_1", "train_2", "validation")
HISTORY_KEYS = ("history_displacement", "history_variance", "history_energy")
# what models that ship say of toys, whose positions are no glass
NO_GLASS = "ignore:.* is unlike what it saw in training:UserWarning"
SEES = "\n[inputs]\nhistory = true\n"  # of a configuration file

RECIPE = """
output = "out"
[data]
train = ["train_*.npz"]
validation = ["validation.npz"]
[target]
cutoff = 1.5
lag_time = 2.0
temperature = 0.7
[network]
rounds = 2
width = 16
[recipe]
epochs = {epochs}
learning_rate = 3e-3
schedule = "cosine"
averaging = 0.9
validate_every = 5
"""


def write_liquid(
    path: Path,
    seed: int,
    n: int = N_PARTICLES,
    *,
    length: float = LENGTH,
    dimension: int = 3,
    shares: tuple[float, ...] = (0.8, 0.2),
    drop: str = "",
    **keys: object,
) -> Path:
    """A configuration whose particles move the farther the fewer neighbors they have.

    The composition `shares`, and the density, are those of the Kob-Andersen mixture. Further keys
    replace those of the file, `drop` leaves one out.
    """
    rng = np.random.default_rng(seed)
    initial = rng.random((n, dimension)) * length
    apart = initial[:, None] - initial
    apart -= length * np.rint(apart / length)
    neighbors = (np.linalg.norm(apart, axis=2) < 1.4).sum(axis=1) - 1
    direction = rng.normal(size=(2, n, dimension))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    final = initial + direction * (0.4 / (1 + neighbors))[:, None]
    ends = np.cumsum(shares[:-1]) * n
    arrays = {
        "types": np.searchsorted(ends, np.arange(n), side="right").astype(np.int8),
        "initial_positions": initial,
        "positions": final,
        "box": length,
    }
    arrays |= keys
    np.savez(path, **{key: value for key, value in arrays.items() if key != drop})
    return path


def write_liquids(folder: Path) -> Path:
    """Two configurations to train on and one for validation."""
    for seed, name in enumerate(FILES):
        write_liquid(folder / f"{name}.npz", seed)
    return folder


def histories(seed: int, structures: int, velocities: int, scale: float = 1.0) -> dict[str, object]:
    """The keys of histories: the variance of a particle says how far it moves."""
    rng = np.random.default_rng(seed + 100)
    shape = (structures, velocities, N_PARTICLES)
    return {
        "history_window": 3.0,
        "history_interval": 0.1,
        "history_displacement": rng.normal(0, 0.1 * scale, (*shape, 3)).astype(np.float32),
        "history_variance": (0.03 * scale**2 * rng.lognormal(0, 0.5, shape)).astype(np.float32),
        "history_energy": rng.normal(-6, 1, shape).astype(np.float32),
    }


def write_histories(
    folder: Path, structures: int = 3, velocities: int = 3, **changes: object
) -> Path:
    """Two configurations to train on and one for validation, with histories."""
    for seed, name in enumerate(FILES):
        keys = histories(seed, structures, velocities) | changes
        kept = {key: value for key, value in keys.items() if value is not None}
        write_liquid(folder / f"{name}.npz", seed, **kept)
    return folder


def of_histories(paths: list[Path], cutoff: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation [2, 4] of what is compared, in the histories of the starts.

    Distance, variance, energy, and distance to the nearest neighbor.
    """
    rows: list[list[list[float]]] = [[], []]
    for path in paths:
        with np.load(path) as archive:
            kinds, (way, *scalars) = archive["types"], (archive[key][0] for key in HISTORY_KEYS)
            start, length = archive["initial_positions"], archive["box"]
        for velocity, ways in enumerate(way.astype(float)):
            nearest = nearest_neighbors(start, kinds, length, ways, cutoff)
            for particle, kind in enumerate(kinds):
                numbers = (
                    np.linalg.norm(ways[particle]),
                    *(s[velocity, particle] for s in scalars),
                )
                rows[kind].append([*map(float, numbers), nearest[particle]])
    return np.array([np.mean(r, axis=0) for r in rows]), np.array([np.std(r, axis=0) for r in rows])


def configure(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def recipe(epochs: int, **sections: str) -> str:
    """The recipe with further lines in its sections; a line replaces that of the same key."""
    lines = RECIPE.format(epochs=epochs).splitlines()
    for section, added in sections.items():
        keys = {line.split(" = ")[0] for line in added.splitlines()}
        start = lines.index(f"[{section}]") + 1
        later = [k for k, line in enumerate(lines) if k >= start and line.startswith("[")]
        end = later[0] if later else len(lines)
        own = [line for line in lines[start:end] if line.split(" = ")[0] not in keys]
        lines[start:end] = [*own, *added.splitlines()]
    return "\n".join(lines)


def write_mixture(path: Path, **changes: object) -> Path:
    """The TOML file of a mixture that differs from the Kob-Andersen mixture, named as the file."""
    content = KOB_ANDERSEN.model_dump(exclude_none=True, exclude={"interactions", *DICTS})
    content |= {"name": path.stem} | changes
    path.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in content.items()))
    return path


def _toml(value: object) -> str:
    return json.dumps(value)  # numbers, texts and lists are written alike

"""Every command that writes files, with small inputs, and what it writes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from small_files import RECIPE, liquid, random_checkpoint, write_arrays, write_model, write_network

from lammps_botan.network.export import export

T = "0.8"


@dataclass(frozen=True)
class Writing:
    """A command that writes.

    Attributes
    ----------
    words : str
        Of `lammps-botan`; inputs are in the folder `in`, and outputs go to the folder `out`.
    outputs : tuple of str
        Patterns of what it leaves in `out`; the same bytes each time.
    grows : str
        What is there before the command has ended, and may be used: whole "frames", or a
        "checkpoint" of the best epoch so far.
    """

    words: str
    outputs: tuple[str, ...]
    grows: str = ""


COMMANDS = {
    "export": Writing("export in/m.ckpt -o out/m.pt", ("m.pt",)),
    "data-file": Writing("data-file in/c.npz -o out/c.data", ("c.data",)),
    "score": Writing(
        "score in/run.dump --model in/m.pt --species A B -o out/scored.dump",
        ("scored.dump",),
        "frames",
    ),
    "targets": Writing("targets in/run.dump in/other.dump -o out/t.npz", ("t.npz",)),
    "plot map": Writing("plot map in/c.npz -m in/m.pt -o out/map.png", ("map.png",)),
    "movie": Writing("movie in/scored.dump -o out/movie", ("movie/*.png", "movie/movie.gif")),
    "simulate equilibrate": Writing(
        f"simulate equilibrate -o out/g --n 200 --temperature {T} --melt-time 2 --cooling-time 2 "
        "--time 20 --configurations 3 --spacing 10 --workers 1",
        ("g/*.data",),
    ),
    "simulate isoconfig": Writing(
        f"simulate isoconfig in/g.data -o out/e --temperature {T} --times 5 --runs 5 --workers 2",
        ("e/t5/*.npz",),
    ),
    "simulate history": Writing(
        "simulate history in/c.npz in/d.npz -o out/h --window 4 --interval 0.2 --temperature "
        f"{T} --ends 2 --workers 2",
        ("h/*.npz",),
    ),
    "simulate inherent": Writing(
        "simulate inherent in/c.npz in/d.npz -o out/i --workers 2", ("i/*.npz",)
    ),
    "distill": Writing("distill in/c.npz in/d.npz -m in/teacher.pt -o out/p", ("p/*.npz",)),
    "train": Writing("train in/recipe.toml", ("run/best.ckpt",), "checkpoint"),
}


def write_inputs(folder: Path, run: Callable[[str], None]) -> None:
    """All inputs, in the folder `in`, which `run` gives to commands that need a liquid at rest."""
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    write_network(folder / "in/m.ckpt")
    write_model(folder / "in/m.pt")
    # of the liquid that is simulated here
    own = random_checkpoint()
    physics = own.physics.model_copy(update={"lag_times": (0.1,), "temperature": float(T)})
    export(replace(own, physics=physics), folder / "in/teacher.pt")
    for name in ("run", "other", "scored"):
        _write_dump(folder / f"in/{name}.dump", 5 if name == "scored" else 100, name == "scored")
    run(
        f"simulate equilibrate -o in/glass --n 200 --temperature {T} --melt-time 1 "
        "--cooling-time 1 --time 2 --workers 1"
    )
    (data,) = (folder / "in/glass").glob("*.data")
    data.rename(folder / "in/g.data")
    for seed, name in enumerate("cd", 1):
        run(
            f"simulate isoconfig in/g.data -o in/{name} --temperature {T} --times 0.1 --runs 2 "
            f"--seed {seed} --workers 1"
        )
        (runs,) = (folder / f"in/{name}/t0.1").glob("*.npz")
        runs.rename(folder / f"in/{name}.npz")
    for seed, name in enumerate(("train_1", "train_2", "validation"), 10):
        write_arrays(folder / f"in/{name}.npz", initial_positions=liquid(seed).positions)
    recipe = RECIPE.replace('"out"', '"../out/run"').replace("epochs = 10", "epochs = 60")
    (folder / "in/recipe.toml").write_text(recipe)


def _write_dump(path: Path, n_frames: int, scored: bool) -> None:
    """A trajectory of a liquid whose particles move at random."""
    start = liquid()
    rng = np.random.default_rng(4)
    lines = []
    more = " d_propensity" if scored else ""
    for step in range(n_frames):
        places = start.positions + rng.normal(0, 0.1, start.positions.shape)
        edge = f"0 {start.box.cell[0, 0]}"
        lines += ["ITEM: TIMESTEP", str(step), "ITEM: NUMBER OF ATOMS", str(len(places))]
        lines += ["ITEM: BOX BOUNDS pp pp pp", edge, edge, edge]
        lines += [f"ITEM: ATOMS id type xu yu zu{more}"]
        for k, (kind, place) in enumerate(zip(start.types, places, strict=True), 1):
            value = " 0.5" if scored else ""
            lines.append(f"{k} {kind} {' '.join(f'{x:.9g}' for x in place)}{value}")
    path.write_text("\n".join([*lines, ""]))

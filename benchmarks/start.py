"""What the start of `lmp` with a `fix botan` costs, and the first scoring of a process.

    python benchmarks/start.py [--configuration FILE] [--turns 10] [--json]

The same input (in.start) is read without the fix, with a fix but no run, and with a run that scores
at each step, in turns. The first turn warms the caches of the disk and is not counted.
"""

import argparse
import tempfile
import time
from pathlib import Path

import configuration
from figures import Figure, Sections, ratio, show
from in_lammps import HERE, lmp
from peak import peak
from steps import steps

from lammps_botan.files.lammps_data import write_lammps_data

KINDS = ("none", "idle", "scores")
MODEL = "ka-t044"


def clocks(output: str) -> list[float]:
    """Seconds of the scorings of a run, as the fix says."""
    _, _, table = output.partition("f_mob[5]")
    rows = table.partition("Loop time")[0].splitlines()[1:]
    return [float(row.split()[1]) for row in rows]


def measure(path: Path, turns: int) -> Sections:
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    peaks: dict[str, list[float]] = {kind: [] for kind in KINDS}
    first: list[float] = []
    later: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "glass.data"
        write_lammps_data(data, configuration.read(path), path.name)

        def turn() -> None:
            for kind in KINDS:
                begun = time.perf_counter()
                output = lmp(HERE / "in.start", folder, data=data, model=MODEL, fix=kind)
                seconds[kind].append(time.perf_counter() - begun)
                peaks[kind].append(peak(output))
                if kind == "scores":
                    one, *others = clocks(output)
                    first.append(one)
                    later.append(sorted(others)[len(others) // 2])

        for action in steps([turn] * (turns + 1), "start"):
            action()
    apart = [b - a for a, b in zip(seconds["none"][1:], seconds["idle"][1:], strict=True)]
    more = [b - a for a, b in zip(peaks["none"][1:], peaks["idle"][1:], strict=True)]
    begin = [a - b for a, b in zip(first[1:], later[1:], strict=True)]
    return {
        f"start of a run with fix botan, {MODEL}, 1 rank": [
            Figure("whole command without the fix", seconds["none"][1:], "s"),
            Figure("more with a fix", apart, "s", at_most=0.03),
            Figure("peak memory without the fix", peaks["none"][1:], "B"),
            Figure("memory: more with a fix", more, "B", at_most=10e6),
            Figure("first scoring of a process", first[1:], "s"),
            Figure("later scorings", later[1:], "s"),
            Figure("first over later ones: more", begin, "s", at_most=0.03),
            ratio("first / later", first[1:], later[1:]),
        ]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    show(measure(arguments.configuration, arguments.turns), as_json=arguments.json)


if __name__ == "__main__":
    main()

"""Measure everything: one table and one file of results.

    python benchmarks/run.py [--out benchmarks/out] [--configuration FILE --temperature T]

Writes results.json, with every single value, and performance.md, which is
docs/notes/performance.md with the tables of this run. Each part runs in a process of its own. Some
ten minutes on two cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path

import configuration
from figures import Figure, Sections, markdown, read_json, show, to_json
from machine import in_words, machine
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from steps import read_step

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "notes" / "performance.md"
TABLES_FROM_HERE = "<!-- the rest is written by benchmarks/run.py -->\n"
# seconds on two cores, for the time left
PARTS = {
    "forward": 90,
    "with_inputs": 20,
    "start": 30,
    "in_lammps": 300,
    "ranks": 70,
    "history": 60,
    "models": 150,
    "train": 100,
    "score": 120,
    "targets": 40,
}


def run(part: str, options: list[str], progress: Progress, bar: int) -> Sections:
    """One script; its steps move the bar.

    Raises
    ------
    RuntimeError
        If it fails; with what it said last.
    """
    command = [sys.executable, str(HERE / f"{part}.py"), "--json", *options]
    begun = progress.tasks[bar].completed
    last: deque[str] = deque(maxlen=20)
    progress.update(bar, description=part)
    # into a file: a full pipe would stop the script while its error output is read here
    with (
        tempfile.TemporaryFile("w+") as printed,
        subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr
        for line in process.stderr:
            share = read_step(line)
            if share is None:
                last.append(line)
            else:
                progress.update(bar, completed=begun + share * PARTS[part])
        process.wait()
        printed.seek(0)
        text = printed.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}\nfailed:\n{''.join(last)}")
    return read_json(text)


def aims(sections: Sections) -> Sections:
    """The figures that have one, in one section."""
    figures = [
        Figure(**{**vars(figure), "name": f"{title}: {figure.name}"})
        for title, all_figures in sections.items()
        for figure in all_figures
        if figure.met is not None
    ]
    return {"what it should be": figures}


def page(facts: dict[str, object], tables: Sections) -> str:
    """docs/notes/performance.md with these tables."""
    head = PAGE.read_text().partition(TABLES_FROM_HERE)[0]
    results = f"## Results\n\n{in_words(facts)} Configuration: {facts['configuration']}.\n"
    parts = [f"### {title}\n\n{markdown(figures)}" for title, figures in tables.items()]
    return "\n".join([head + TABLES_FROM_HERE, results, *parts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder")
    parser.add_argument("--configuration", type=Path, default=configuration.GLASS)
    parser.add_argument("--temperature", type=float, default=0.64, help="of the configuration")
    parser.add_argument("--largest", type=int, default=262_144, help="particles in LAMMPS")
    arguments = parser.parse_args()
    configuration.read(arguments.configuration)  # an error now, not later
    arguments.out.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    facts = machine()
    if os.getloadavg()[0] > 0.5:
        console.print(f"load {facts['load']:.1f}: something else is running, times will be longer")

    given = ["--configuration", str(arguments.configuration)]
    temperature = ["--temperature", str(arguments.temperature)]
    options = {
        "in_lammps": [*temperature, "--largest", str(arguments.largest)],
        "history": temperature,
        "models": temperature,
    }
    columns = (TextColumn("{task.description:9}"), BarColumn(), TimeElapsedColumn())
    columns += (TextColumn("left"), TimeRemainingColumn(elapsed_when_finished=True))
    sections: Sections = {}
    failures: list[str] = []
    with Progress(*columns, console=console, speed_estimate_period=600) as progress:
        bar = progress.add_task("", total=sum(PARTS.values()))
        for part in PARTS:
            try:
                sections |= run(part, given + options.get(part, []), progress, bar)
            except RuntimeError as error:  # the others took minutes, and are worth having
                failures.append(str(error))

    facts["configuration"] = arguments.configuration.name
    (arguments.out / "results.json").write_text(
        json.dumps({"machine": facts, "figures": to_json(sections)}, indent=1) + "\n"
    )
    tables = aims(sections) | sections
    (arguments.out / "performance.md").write_text(page(facts, tables))
    show(tables, as_json=False)
    console.print(f"wrote {arguments.out / 'results.json'} and {arguments.out / 'performance.md'}")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")

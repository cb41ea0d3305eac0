"""Try everything that breaks programs: one table, and one of all cases.

    python reliability/run.py [--tries 1] [--part readers] [--write docs/notes/reliability.md]

The exit status is 1 where something broke, or gave a wrong number. Seeds are the same every time.
Some forty minutes on two cores; `--tries 10` takes ten times as many tries. The cases go to a page
beside that of the tables.
"""

import argparse
import importlib
import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from fault import COLUMNS, SIGNS, Fault, from_json, markdown, table_of_cases, to_json
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "benchmarks"))
from machine import in_words, machine  # noqa: E402

TABLES_FROM_HERE = "<!-- the rest is written by reliability/run.py -->\n"
# seconds on two cores, for the time left
PARTS = {
    "parsers": 240,
    "sanitizers": 600,
    "readers": 180,
    "in_fix": 150,
    "between": 300,
    "disk_and_signals": 800,
    "versions": 60,
    "endurance": 300,
    "invariance": 100,
    "agreement": 200,
}
TITLES = {
    "parsers": "Parsers of the plugin, with sanitizers",
    "sanitizers": "The plugin and the engine as a whole, with sanitizers",
    "readers": "Files in Python",
    "in_fix": "The fix: files and words",
    "between": "The fix: commands between two scorings",
    "disk_and_signals": "Commands that write: disks, signals and rivals",
    "versions": "Releases of LAMMPS and torch",
    "endurance": "Endurance",
    "invariance": "Invariance of every model that ships",
    "agreement": "Agreement of ranks, threads and engines",
}


def run(part: str, tries: float) -> list[Fault]:
    """One part in a process of its own, so that it leaves nothing behind."""
    command = [sys.executable, __file__, "--json", "--part", part, "--tries", str(tries)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if not done.stdout:
        raise SystemExit(f"{' '.join(command)}\nfailed with {done.returncode}")
    return from_json(json.loads(done.stdout.splitlines()[-1]))


def show(title: str, faults: list[Fault], console: Console) -> None:
    """Print a table, and what should not have been."""
    table = Table(title=title)
    for k, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if 0 < k < 6 else "left")
    for fault in faults:
        table.add_row(*fault.cells())
    console.print(table)
    for fault in faults:
        for example in fault.examples:
            console.print(f"{fault.name}: {example}", markup=False)


def summary(faults: list[Fault], seconds: float, share: float) -> str:
    """A sentence: how many tries, what they ended in, when."""
    total = {key: sum(f.counts[key] for f in faults) for key in ("broken", "refused", "right")}
    wrong = sum(fault.counts["other"] for fault in faults if not fault.allowed)
    tries = sum(fault.tries for fault in faults)
    return (
        f"{tries:,} tries of {len(faults)} faults in {seconds / 60:.1f} minutes on "
        f"{datetime.now(UTC):%d %B %Y} with TRIES={share:g}: {total['refused']:,} refused "
        f"with a sentence, {total['right']:,} right, {wrong:,} with a wrong "
        f"result, {total['broken']:,} with a crash, a hang or a traceback."
    )


def write(path: Path, results: str, sections: dict[str, str]) -> None:
    """The page with the sections of these parts; those of other parts stay as they are."""
    head, mark, rest = path.read_text().partition(TABLES_FROM_HERE)
    _, *former = re.split(r"^### ", rest, flags=re.MULTILINE)
    kept = dict(section.split("\n\n", 1) for section in former)
    kept |= {TITLES[part]: text for part, text in sections.items()}
    tables = [
        f"### {title}\n\n{kept[title].strip()}\n" for title in TITLES.values() if title in kept
    ]
    path.write_text("\n".join([head + mark, f"## Results\n\n{results}\n", *tables]))


def cases(faults: list[Fault]) -> str:
    """Their number and their table."""
    n = sum(fault.n_cases for fault in faults)
    return f"{n:,} cases.\n\n{table_of_cases(faults)}"


def main() -> int:
    """The exit status: whether nothing broke and no number was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=float, default=1.0, help="times as many tries")
    parser.add_argument("--part", choices=PARTS, action="append", help="one of them; several times")
    parser.add_argument("--write", type=Path, help="the page that gets the tables")
    parser.add_argument("--json", action="store_true", help="of one part, on standard output")
    arguments = parser.parse_args()
    parts = arguments.part or list(PARTS)
    if arguments.json:
        faults = list(importlib.import_module(parts[0]).faults(arguments.tries))
        print(json.dumps(to_json(faults)))
        return 0

    # wide enough for the table where there is no terminal
    console = Console(stderr=True, width=None if sys.stderr.isatty() else 160)
    columns = (TextColumn("{task.description:11}"), BarColumn(), TimeElapsedColumn())
    columns += (TextColumn("left"), TimeRemainingColumn(elapsed_when_finished=True))
    sections: dict[str, str] = {}
    of_cases: dict[str, str] = {}
    good = True
    with Progress(*columns, console=console, speed_estimate_period=3600) as progress:
        bar = progress.add_task("", total=sum(PARTS[part] for part in parts))
        for part in parts:
            progress.update(bar, description=part)
            begun = time.monotonic()
            faults = run(part, arguments.tries)
            said = summary(faults, time.monotonic() - begun, arguments.tries)
            show(TITLES[part], faults, console)
            console.print(said)
            good = good and all(fault.is_good for fault in faults)
            sections[part] = f"{said}\n\n{markdown(faults)}"
            if any(fault.cases for fault in faults):
                of_cases[part] = cases(faults)
            progress.advance(bar, PARTS[part])
    if arguments.write:
        page: Path = arguments.write
        write(page, in_words(machine()), sections)
        meaning = ", ".join(f"`{sign}` {outcome}" for outcome, sign in SIGNS.items())
        write(page.with_name(f"{page.stem}_cases.md"), f"{meaning}.", of_cases)
    return int(not good)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")

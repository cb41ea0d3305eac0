"""Try everything that breaks programs: one table.

    python reliability/run.py [--tries 1] [--part readers] [--write docs/notes/reliability.md]

The exit status is 1 where something broke, or gave a wrong number. Seeds are the same every time.
Some twenty minutes on two cores; `--tries 10` takes ten times as many tries.
"""

import argparse
import importlib
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from fault import COLUMNS, Fault, from_json, markdown, to_json
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "benchmarks"))
from machine import in_words, machine  # noqa: E402

TABLES_FROM_HERE = "<!-- the rest is written by reliability/run.py -->\n"
# seconds on two cores, for the time left
PARTS = {
    "parsers": 190,
    "readers": 180,
    "in_fix": 120,
    "between": 180,
    "disk_and_signals": 400,
    "versions": 60,
    "endurance": 90,
    "invariance": 100,
}
TITLES = {
    "parsers": "Parsers of the plugin, with sanitizers",
    "readers": "Files in Python",
    "in_fix": "The fix: files and words",
    "between": "The fix: commands between two scorings",
    "disk_and_signals": "Commands that write: disks, signals and rivals",
    "versions": "Releases of LAMMPS",
    "endurance": "Endurance",
    "invariance": "Invariance of every model that ships",
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


def summary(sections: dict[str, list[Fault]], seconds: float, share: float) -> str:
    """Sentences: how many tries, what of them went wrong, when, where."""
    faults = [fault for part in sections.values() for fault in part]
    total = {key: sum(f.counts[key] for f in faults) for key in ("broken", "refused", "right")}
    wrong = sum(fault.counts["other"] for fault in faults if not fault.allowed)
    tries = sum(fault.tries for fault in faults)
    return (
        f"{tries:,} tries of {len(faults)} faults in {seconds / 60:.0f} minutes on "
        f"{datetime.now(UTC):%d %B %Y} with TRIES={share:g}: {total['refused']:,} refused "
        f"with a sentence, {total['right']:,} right, {wrong:,} with a wrong "
        f"result, {total['broken']:,} with a crash, a hang or a traceback.\n\n"
        f"{in_words(machine())}\n"
    )


def write(path: Path, sections: dict[str, list[Fault]], said: str) -> None:
    """The page with the tables of this run."""
    head = path.read_text().partition(TABLES_FROM_HERE)[0]
    tables = [f"### {TITLES[part]}\n\n{markdown(faults)}" for part, faults in sections.items()]
    path.write_text("\n".join([head + TABLES_FROM_HERE, f"## Results\n\n{said}", *tables]))


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
    sections: dict[str, list[Fault]] = {}
    begun = time.monotonic()
    with Progress(*columns, console=console, speed_estimate_period=3600) as progress:
        bar = progress.add_task("", total=sum(PARTS[part] for part in parts))
        for part in parts:
            progress.update(bar, description=part)
            sections[part] = run(part, arguments.tries)
            show(TITLES[part], sections[part], console)
            progress.advance(bar, PARTS[part])
    said = summary(sections, time.monotonic() - begun, arguments.tries)
    console.print(said)
    if arguments.write:
        write(arguments.write, sections, said)
    return int(not all(fault.is_good for part in sections.values() for fault in part))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")

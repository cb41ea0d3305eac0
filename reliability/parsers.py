"""The parsers of the plugin under sanitizers, and the agreement of C++ and Python.

`parsers/parsers.cpp` is compiled with address and undefined-behaviour sanitizers. Any report of
theirs ends the process, and counts as a crash. Where clang++ is installed, libFuzzer looks for ways
through the code as well (`parsers/fuzz.cpp`).
"""

import copy
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from fault import BROKEN, OTHER, REFUSED, RIGHT, Fault

from lammps_botan.network.archive import Archive
from lammps_botan.network.metadata import parse_metadata
from lammps_botan.network.shipped import shipped_models

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(__file__).resolve().parent / "build"
SHARE = 20_000  # tries of one process
TRIES = {
    "metadata": 300_000,
    "checksum": 400_000,
    "weights": 20_000,
    "images": 320_000,
    "agreement": 20_000,
    "fuzz": 200_000,
}
LEAST_FUZZ = 0.01  # a share of the tries for which its build of two minutes is worth the time
FUZZ = "what libFuzzer finds for `metadata.json`, weights, archives and the engine"
# one linear network, one BOTAN: whose other half completes what libFuzzer makes
FUZZED = ("ka-t044-history", "ka-t044")
EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
NAMES = {
    "metadata": "`metadata.json` with other words and bits: the parser of the fix",
    "checksum": "archives of all lengths with other bits: the checksum of the fix",
    "weights": "archives and headers of plain weights with other words and bits: the fix",
    "images": "vectors in all boxes that LAMMPS allows: the shortest image",
}
AGREEMENT = "`metadata.json` with other words and bits: the fix against Python"
VALUES = "each value of `metadata.json` replaced: the fix against Python"
NOT_NEEDED = "Python alone refuses a key that the fix does not need"
OF_VALUES = "ka-t064-history"  # it has all keys; those in provenance are for people
REPLACED_BY = (
    *("null", "true", "-1", "0", "-0.0", "1.5", "1e-320", "1e308", "2147483648"),
    *("9223372036854775808", "NaN", "Infinity", '"1"', '""', "[]", "[[1]]", "{}"),
)
MISSING = "missing"
MARK = "the value that is replaced"
# keys that the fix does not need (docs/reference/model_file.md), and that Python checks
PYTHON_ALONE = re.compile(
    r"no key 'mixture\.(masses|fractions|diameter|interactions\b[^']*)'"
    r"|'mixture\.(masses|fractions|breaking|diameter|density|relaxation_times|lag_times|units"
    r"|interactions)\b"
    r"|'(versions|provenance)\b"
    r"|'mixture\.[^:]*': Extra inputs"
    r"|'mixture': (fractions must sum to 1|(masses|fractions) needs one number)"
)
# in an order that hash functions do not change
SEED = 1


def build(target: str = "parsers", folder: Path = BUILD, *options: str) -> Path:
    """Compile the parsers; what CMake finds is what the plugin is built with."""
    for command in (
        ["cmake", "-S", str(ROOT), "-B", str(folder), *options],
        ["cmake", "--build", str(folder), "--target", target, "--parallel"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\nfailed:\n{done.stdout}{done.stderr}")
    return folder / target


def write_seeds(folder: Path) -> list[str]:
    """The metadata of each shipped model, with one of the configurations that it knows."""
    paths = []
    for model in shipped_models():
        content = json.loads(Archive(model.path).extra_file("metadata.json"))
        provenance = content["provenance"]
        provenance["configurations"] = provenance.get("configurations", [])[:1]
        provenance.pop("committee", None)
        paths.append(folder / f"{model.name}.json")
        paths[-1].write_text(json.dumps(content))
    return [str(path) for path in paths]


def run(program: Path, kind: str, seed: int, tries: int, files: list[str]) -> tuple[bytes, str]:
    """Standard output, and why the process failed or an empty string."""
    command = [str(program), kind, str(seed), str(tries), *files]
    limits = {"ASAN_OPTIONS": "hard_rss_limit_mb=2000", "UBSAN_OPTIONS": "print_stacktrace=1"}
    try:
        done = subprocess.run(command, capture_output=True, timeout=900, env=limits)
    except subprocess.TimeoutExpired:
        return b"", "hangs"
    failure = done.stderr.decode(errors="replace")[-800:] if done.returncode else ""
    return done.stdout, f"parsers {kind} {seed} {tries}: {failure}" if failure else ""


def faults(share: float) -> Iterator[Fault]:
    """Each parser, with a share of the tries."""
    program = build()
    with tempfile.TemporaryDirectory() as name:
        yield values(program, Path(name), share)
        seeds = write_seeds(Path(name))
        archives = [str(model.path) for model in shipped_models()]
        files = {"metadata": seeds, "checksum": archives, "weights": archives, "images": []}
        for kind, words in NAMES.items():
            yield _parser(program, kind, words, max(1, round(share * TRIES[kind])), files[kind])
        yield agreement(program, max(1, round(share * TRIES["agreement"])), seeds)
        if shutil.which("clang++") and share >= LEAST_FUZZ:
            yield fuzz(max(1, round(share * TRIES["fuzz"])), Path(name))


def _parser(program: Path, kind: str, words: str, tries: int, files: list[str]) -> Fault:
    fault = Fault(words)
    for seed, begin in enumerate(range(0, tries, SHARE), SEED):
        n = min(SHARE, tries - begin)
        output, failure = run(program, kind, seed, n, files)
        if failure:
            fault.add(BROKEN, failure)
            continue
        refused, wrong = map(int, output.split()[1::2])
        fault.add(REFUSED, n=refused)
        fault.add(OTHER, f"parsers {kind} {seed} {n}", n=wrong)
        fault.add(RIGHT, n=n - refused - wrong)
    return fault


def fuzz(tries: int, corpus: Path, seed: int = SEED) -> Fault:
    """What libFuzzer makes of the seeds; it keeps input that takes new ways."""
    folder = BUILD.with_name("build-clang")
    program = build("fuzz", folder, "-DCMAKE_CXX_COMPILER=clang++")
    command = [str(program), f"-runs={tries}", f"-seed={seed}", "-timeout=10", str(corpus)]
    command += ["-rss_limit_mb=2000", "-print_final_stats=1", f"-artifact_prefix={corpus}/"]
    paths = {model.name: model.path for model in shipped_models()}
    weights = Archive(paths[FUZZED[0]]).extra_file("weights.safetensors")
    (corpus / "weights.safetensors").write_bytes(weights)
    given = {"MODELS": " ".join(str(paths[name]) for name in FUZZED)}
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=os.environ | given
    )
    fault, executed = Fault(FUZZ), EXECUTED.search(done.stderr)
    fault.add(RIGHT, n=int(executed[1]) if executed else 0)
    if done.returncode:
        fault.add(BROKEN, f"{' '.join(command)}: {done.stderr[-800:]}")
    return fault


def agreement(program: Path, tries: int, files: list[str], seed: int = SEED) -> Fault:
    """Whether Python refuses what the fix refuses, and takes what it takes."""
    fault = Fault(AGREEMENT, NOT_NEEDED)
    output, failure = run(program, "mutants", seed, tries, files)
    if failure:
        fault.add(BROKEN, failure)
        return fault
    for text, of_fix in mutants(output, tries):
        outcome = compare(text, of_fix)
        fault.add(outcome, f"fix: {of_fix or 'taken'}; {text[:200]!r}")
    return fault


def values(program: Path, folder: Path, share: float) -> Fault:
    """Each value in turn is replaced by each extreme one, or lost."""
    fault = Fault(VALUES, NOT_NEEDED)
    (path,) = (model.path for model in shipped_models() if model.name == OF_VALUES)
    content = json.loads(Archive(path).extra_file("metadata.json"))
    content["provenance"] = {}
    texts = dict(replaced(content))
    names = list(texts)[:: max(1, round(1 / share))]
    files = []
    for k, name in enumerate(names):
        files.append(str(folder / f"values-{k}"))
        Path(files[-1]).write_text(texts[name])
    output, failure = run(program, "given", 0, len(names), files)
    if failure:
        fault.add(BROKEN, failure)
        return fault
    for case, (text, of_fix) in zip(names, mutants(output, len(names)), strict=True):
        outcome = compare(text, of_fix)
        fault.add(outcome, f"fix: {of_fix or 'taken'}; {': '.join(case)}", case=case)
    return fault


def replaced(content: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """Row and column of a case, and its text, for each value and what replaces it."""
    for name, *keys, last in places(content):
        for word in (MISSING, *REPLACED_BY):
            changed = copy.deepcopy(content)
            holder = reduce(getitem, keys, changed)
            if word == MISSING:
                del holder[last]
            else:
                holder[last] = MARK
            yield (f"`{name}`", f"`{word}`"), json.dumps(changed).replace(f'"{MARK}"', word)


def places(content: Any, name: str = "", *before: Any) -> Iterator[tuple[Any, ...]]:
    """Name and keys of each value, and of the first one in each list."""
    for key in content if isinstance(content, dict) else range(min(1, len(content))):
        own = f"{name}[{key}]" if isinstance(key, int) else f"{name}.{key}".lstrip(".")
        yield own, *before, key
        if isinstance(content[key], dict | list):
            yield from places(content[key], own, *before, key)


def mutants(output: bytes, tries: int) -> Iterator[tuple[bytes, str]]:
    """Each text, and what the fix says of it or an empty string."""
    place = 0
    for _ in range(tries):
        start = output.index(b"\n", place) + 1
        n_text, n_failure = map(int, output[place:start].split())
        end = start + n_text
        place = end + n_failure + 1
        yield output[start:end], output[end : place - 1].decode(errors="replace")


def compare(text: bytes, of_fix: str) -> str:
    """The outcome: refused by both, taken by both, or by one; that which is not allowed breaks."""
    try:
        parse_metadata("m.pt", text)
    except ValueError as error:
        if of_fix:
            return REFUSED
        problems = [line.partition("metadata.json: ")[2] for line in str(error).splitlines()]
        return OTHER if all(map(PYTHON_ALONE.match, problems)) else BROKEN
    except Exception:
        return BROKEN
    return BROKEN if of_fix else RIGHT

"""Full disks, folders that cannot be written, signals and rivals, at every command that writes.

A command is disturbed once, and then started again in peace. Files with the names of outputs must
be whole at any time, and after the second start they must be those of a command that nothing
disturbed, to the last bit.
"""

import contextlib
import ctypes
import io
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from child import Attempt, make_tries
from fault import BROKEN, OTHER, REFUSED, RIGHT, Fault
from writing_commands import COMMANDS, Writing, write_inputs

from lammps_botan.network.checkpoint import load_checkpoint

BIN = Path(sys.executable).parent
# Python drops a Ctrl-C that comes in a callback, says so, and goes on
IGNORED = re.compile(r"Exception ignored in:.*?KeyboardInterrupt:? ?\n", re.DOTALL)
SECONDS = 120.0  # that a command may take
NEW_MOUNTS = 0x00020000  # CLONE_NEWNS
SIGNALS = {
    "Ctrl-C": [signal.SIGINT],
    "Ctrl-C twice": [signal.SIGINT, signal.SIGINT],
    "SIGTERM": [signal.SIGTERM],
    "SIGHUP": [signal.SIGHUP],
    "SIGKILL": [signal.SIGKILL],
}
DISTURBANCES = {
    **{name: f"{name} at any time" for name in SIGNALS},
    "background": "started with SIGINT ignored, and SIGTERM at any time",
    "full": "a file system that is full",
    "quota": "a disk quota that is used up",
    "read-only": "a file system that is read-only",
    "limit": "a limit of the size of files",
    "rival": "the same command twice at a time",
}
OF_ROOT = ("full", "quota", "read-only")  # which may mount file systems
# of a file system that has quotas whatever the kernel was built with; no smaller one is possible
QUOTA_IMAGE = 128 << 20  # bytes, hardly any in use
TRIES = 132  # all pairs of commands and disturbances
Files = dict[str, bytes]


def start(words: str, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """A command in a session of its own, as a terminal starts it."""
    return subprocess.Popen(
        [str(BIN / "lammps-botan"), *words.split()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status, and what was said on standard error; the whole session is ended if it hangs."""
    try:
        _, said = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return -99, "hangs"
    return process.returncode, said


def files(folder: Path, patterns: tuple[str, ...]) -> Files:
    """The content of what the patterns name."""
    found = sorted(path for pattern in patterns for path in folder.glob(pattern))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def prepare(with_mounts: bool, folder: Path) -> Attempt:
    """The remainder of the seed says which command is disturbed, and how."""
    if with_mounts:
        _own_mounts()
    references: dict[str, tuple[Files, float]] = {}

    def in_peace(words: str) -> None:
        status, said = finish(start(words))
        if status:
            raise RuntimeError(f"{words}: {status}: {said}")

    write_inputs(folder, in_peace)
    out = folder / "out"

    def reference(writing: Writing) -> tuple[Files, float]:
        if writing.words not in references:
            begun = time.monotonic()
            in_peace(writing.words)
            references[writing.words] = files(out, writing.outputs), time.monotonic() - begun
            _empty(out)
        return references[writing.words]

    def attempt(seed: int) -> tuple[str, str]:
        command, disturbance = pair_of(seed, with_mounts)
        writing, rng = COMMANDS[command], random.Random(seed)
        whole, seconds = reference(writing)
        assert whole, writing.words
        try:
            return _judge(
                out, writing, whole, _disturb(disturbance, writing, out, rng, whole, seconds)
            )
        finally:
            if with_mounts:
                subprocess.run(["umount", "-l", out], stderr=subprocess.DEVNULL)
            _empty(out)

    return attempt


def pair_of(seed: int, with_mounts: bool) -> tuple[str, str]:
    """A command and a disturbance: all pairs, in an order that is mixed and fixed."""
    names = [name for name in DISTURBANCES if with_mounts or name not in OF_ROOT]
    if not shutil.which("mkfs.btrfs"):
        names = [name for name in names if name != "quota"]
    pairs = [(command, name) for command in COMMANDS for name in names]
    random.Random(0).shuffle(pairs)
    return pairs[seed % len(pairs)]


def _disturb(
    disturbance: str, writing: Writing, out: Path, rng: random.Random, whole: Files, seconds: float
) -> list[tuple[int, str]]:
    """Exit status and words of each process; afterwards there is room and peace."""
    if disturbance in SIGNALS or disturbance == "background":
        ignored = disturbance == "background"
        process = start(writing.words, _ignore_interrupts if ignored else None)
        # in the first moments it is Python that starts, and answers with a traceback of its own
        time.sleep(0.4 + rng.uniform(0, 1.1) * seconds)
        for one in [signal.SIGTERM] if ignored else SIGNALS[disturbance]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, one)
            time.sleep(0.1)
        return [finish(process)]
    if disturbance == "rival":
        both = [start(writing.words)]
        time.sleep(rng.choice((0.0, rng.uniform(0, seconds))))
        return [finish(process) for process in [*both, start(writing.words)]]
    share = rng.uniform(0.02, 0.95)
    if disturbance == "limit":
        most = max(1, round(share * max(map(len, whole.values()))))
        return [finish(start(writing.words, partial(_limit_files, most)))]
    kilobytes = max(4, round(share * sum(map(len, whole.values())) / 1024))
    if disturbance == "quota":
        _mount_with_quota(out, kilobytes)
        found = [finish(start(writing.words))]
        _run("btrfs", "qgroup", "limit", "none", out)
        return found
    options = f"size={kilobytes}k" if disturbance == "full" else "size=64k,ro"
    _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", out)
    found = [finish(start(writing.words))]
    _run("mount", "-o", "remount,rw,size=100m", out)
    return found


def _mount_with_quota(out: Path, kilobytes: int) -> None:
    """Mount a file system in which `out` may hold so much."""
    image = out.with_name("image")
    with image.open("wb") as file:
        file.truncate(QUOTA_IMAGE)
    _run("mkfs.btrfs", "-q", "-f", image)
    _run("mount", "-o", "loop", image, out)
    _run("btrfs", "quota", "enable", out)
    _run("btrfs", "subvolume", "create", out / "part")
    used = 64  # before the first file has content
    _run("btrfs", "qgroup", "limit", f"{used + kilobytes}K", out / "part")
    _run("umount", out)
    _run("mount", "-o", "loop,subvol=part", image, out)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _judge(
    out: Path, writing: Writing, whole: Files, ended: list[tuple[int, str]]
) -> tuple[str, str]:
    for status, printed in ended:
        said = IGNORED.sub("", printed)
        if status == -99 or "Traceback" in said or (status > 0 and not said.strip()):
            return BROKEN, f"{writing.words}: {status}: {said[-400:]}"
    killed = any(status == -signal.SIGKILL for status, _ in ended)
    for name, content in files(out, writing.outputs).items():
        before = whole.get(name, b"")
        if not (same(name, content, before) or _is_part(writing, content, before, killed)):
            there = f"{len(content)} of {len(before)} bytes"
            return OTHER, f"{writing.words}: {name} is not whole after {ended[-1][0]}, {there}"
    done = any(status == 0 for status, _ in ended)
    if done and not all_same(files(out, writing.outputs), whole):
        return OTHER, f"{writing.words}: exit status 0, and outputs are missing"
    if not done:
        status, said = finish(start(writing.words))
        if status:
            return BROKEN, f"{writing.words}: started again: {status}: {said[-400:]}"
        if not all_same(files(out, writing.outputs), whole):
            return OTHER, f"{writing.words}: started again, and other outputs"
    left = [path.name for path in out.rglob("*.part")]
    if left:
        return OTHER, f"{writing.words}: leaves {left}"
    return (RIGHT if done else REFUSED), ""


def all_same(found: Files, whole: Files) -> bool:
    """Whether these are the outputs of a command that nothing disturbed."""
    return found.keys() == whole.keys() and all(same(k, found[k], whole[k]) for k in whole)


def same(name: str, content: bytes, other: bytes) -> bool:
    """To the last bit; torch writes the code in a model file in one order or another."""
    if content == other or not name.endswith(".pt"):
        return content == other
    return _weights(content) == _weights(other)


def _weights(content: bytes) -> dict[str, bytes]:
    """The metadata and the weights of a model file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name.partition("/")[2]: archive.read(name)
            for name in archive.namelist()
            if "/data/" in name or name.endswith("metadata.json")
        }


def _is_part(writing: Writing, content: bytes, whole: bytes, killed: bool) -> bool:
    """Whether an output that grows is as it may be before the end."""
    if writing.grows == "checkpoint":
        with tempfile.NamedTemporaryFile(suffix=".ckpt") as file:
            file.write(content)
            file.flush()
            load_checkpoint(Path(file.name))
        return True
    if writing.grows == "frames":
        # a process may be killed when the file is there and the first frame is not
        rest = whole[len(content) :]
        whole_frames = bool(content) and rest.startswith(b"ITEM: TIMESTEP")
        return whole.startswith(content) and (killed or whole_frames)
    return False


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _limit_files(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def _own_mounts() -> None:
    """What is mounted from now on is seen by this process and its children alone."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "no mount namespace")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def faults(share: float) -> Iterator[Fault]:
    """One for each disturbance."""
    with_mounts = os.geteuid() == 0
    found = {name: Fault(f"commands that write: {words}") for name, words in DISTURBANCES.items()}
    seeds = range(max(1, round(share * TRIES)))
    task = partial(prepare, with_mounts)
    for seed, outcome, text in make_tries(task, seeds, seconds=5 * SECONDS):
        command, disturbance = pair_of(seed, with_mounts)
        case = f"`{command}`", DISTURBANCES[disturbance]
        found[disturbance].add(outcome, f"{disturbance}, seed {seed}: {text}", case=case)
    yield from (fault for fault in found.values() if fault.tries)

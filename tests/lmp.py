"""Run LAMMPS on an input script, read what it wrote, and count walks without it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BIN = Path(sys.executable).parent

# Kob-Andersen mixture without its force shift: any liquid will do for counting
LIQUID = """
units lj
{before_box}
lattice fcc {density}
region box {region}
create_box 2 box
create_atoms 1 box
set group all type/fraction 2 0.2 4321
mass * 1.0
displace_atoms all random 0.12 0.12 {dz} 1234
pair_style lj/cut {pair_cutoff}
pair_coeff * * 1.0 1.0
pair_coeff 1 2 1.5 0.8
pair_coeff 2 2 0.5 0.88
neighbor 0.3 bin
{after_box}
velocity all create 1.0 99 loop geom
fix integrate all nve/limit 0.05
"""
# the glass that ships, as a run of it begins
GLASS = f"""
units lj
read_data {Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"}
timestep 0.001
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
velocity all create 0.64 1 loop geom
fix nve all nve
"""


@dataclass
class Finished:
    returncode: int
    output: str

    @property
    def error(self) -> str:
        """The line of the first LAMMPS error."""
        lines = [line for line in self.output.splitlines() if line.startswith("ERROR")]
        return lines[0] if lines else ""

    def thermo(self) -> list[dict[str, float]]:
        """All rows of thermodynamic output."""
        rows: list[dict[str, float]] = []
        names: list[str] = []
        for line in self.output.splitlines():
            words = line.split()
            if words[:1] == ["Step"]:
                names = words
            elif line.startswith("Loop time"):
                names = []
            elif names and len(words) == len(names) and words[0].isdigit():
                rows.append(dict(zip(names, map(float, words), strict=True)))
        return rows


def liquid(
    cells: str = "3 3 3",
    *,
    density: float = 1.2,
    pair_cutoff: float = 2.5,
    before_box: str = "",
    after_box: str = "",
    region: str = "",
    dz: float = 0.12,
) -> str:
    """First part of an input script: a displaced fcc crystal of two species."""
    if not region:
        nx, ny, nz = cells.split()
        region = f"block 0 {nx} 0 {ny} 0 {nz}"
    return LIQUID.format(**locals())


def liquid_in_the_plane(length: int = 6, after_box: str = "") -> str:
    """The same on a square lattice in two dimensions."""
    script = liquid(
        before_box="dimension 2",
        region=f"block 0 {length} 0 {length} -0.1 0.1",
        dz=0.0,
        after_box=f"fix plane all enforce2d\n{after_box}",
    )
    return script.replace("lattice fcc", "lattice sq")


def of_types(script: str, n: int) -> str:
    """The script of a liquid with n atom types, in equal parts."""
    two = "set group all type/fraction 2 0.2 4321"
    sets = [f"set group all type/fraction {k} {1 / k} {4320 + k}" for k in range(2, n + 1)]
    script = script.replace("create_box 2", f"create_box {n}").replace(two, "\n".join(sets))
    return script if n > 1 else re.sub("pair_coeff [12] 2 .*", "", script)


def run_lmp(
    script: str,
    folder: Path,
    *,
    ranks: int = 1,
    options: Sequence[str] = (),
    succeeds: bool = True,
    timeout: float = 120,
) -> Finished:
    """Run `lmp` on a script in a folder; a run that neither ends nor fails is killed."""
    (folder / "in.test").write_text(script)
    command = [str(BIN / "lmp"), "-in", "in.test", "-log", "none", *options]
    if ranks > 1:
        command = [str(BIN / "mpirun"), "-np", str(ranks), *command]
    # threads of several ranks would fight for the same two cores
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        raise AssertionError(f"LAMMPS hangs:\n{output}") from None
    if succeeds and process.returncode != 0:
        raise AssertionError(f"LAMMPS failed:\n{output}")
    return Finished(process.returncode, output)


def check_fails(folder: Path, script: str, *messages: str, ranks: int = 1) -> Finished:
    """Run a script that must stop with an error, not with a crash and not with a hang."""
    run = run_lmp(script, folder, ranks=ranks, succeeds=False, timeout=60)
    assert run.returncode == 1, run.output
    for message in messages:
        assert message in run.error, run.output
    for crash in ("Segmentation", "terminate called", "BAD TERMINATION", "SIGSEGV"):
        assert crash not in run.output
    return run


@dataclass
class Frame:
    """One snapshot of a dump file: columns by name, rows by atom ID where there is one."""

    step: int
    cell: NDArray[np.float64]  # rows are the edges of the box, [3, 3]
    periodic: tuple[bool, ...]
    columns: dict[str, NDArray[np.float64]]

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.columns[name]

    @property
    def positions(self) -> NDArray[np.float64]:
        return np.stack([self[axis] for axis in "xyz"], axis=1)


def read_dump(path: Path) -> list[Frame]:
    """Read frames of `dump custom` and `dump local` files."""
    frames = []
    lines = iter(path.read_text().splitlines())
    for _ in lines:
        step = int(next(lines))
        next(lines)
        n_rows = int(next(lines))
        box_words = next(lines).split()
        bounds = np.array([next(lines).split() for _ in range(3)], dtype=float)
        names = next(lines).split()[2:]
        rows = [next(lines).split() for _ in range(n_rows)]
        table = np.array(rows, dtype=float).reshape(n_rows, len(names))
        if "id" in names:
            table = table[np.argsort(table[:, names.index("id")])]
        periodic = tuple(word == "pp" for word in box_words[-3:])
        frames.append(Frame(step, cell(bounds), periodic, dict(zip(names, table.T, strict=True))))
    return frames


def cell(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of the box from the bounding box and tilts in a dump header."""
    tilts = bounds[:, 2] if bounds.shape[1] == 3 else np.zeros(3)
    xy, xz, yz = tilts
    low, high = bounds[:, 0].copy(), bounds[:, 1].copy()
    low[0] -= min(0.0, xy, xz, xy + xz)
    high[0] -= max(0.0, xy, xz, xy + xz)
    low[1] -= min(0.0, yz)
    high[1] -= max(0.0, yz)
    lx, ly, lz = high - low
    return np.array([[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]])


@dataclass
class Edges:
    center: NDArray[np.intp]
    neighbor: NDArray[np.intp]
    vectors: NDArray[np.float64]  # r_center - r_neighbor, [n_edges, 3]

    def walks(
        self, n_atoms: int, rounds: int, ends: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Walks of `rounds` steps from each atom, weighted by the atom they end on."""
        walks = np.ones(n_atoms) if ends is None else ends
        for _ in range(rounds):
            walks = np.bincount(self.center, walks[self.neighbor], n_atoms)
        return walks


def all_images(frame: Frame, cutoff: float) -> Edges:
    """Every ordered pair closer than the cutoff, by trying all images: slow and safe."""
    positions = frame.positions
    heights = 1.0 / np.linalg.norm(np.linalg.inv(frame.cell), axis=0)
    # one more than needed, since LAMMPS lets atoms leave the box between reneighborings
    reach = [
        int(np.ceil(cutoff / height)) + 1 if periodic else 0
        for height, periodic in zip(heights, frame.periodic, strict=True)
    ]
    found = []
    for image in np.ndindex(*(2 * n + 1 for n in reach)):
        steps = np.array(image) - reach
        vectors = positions[:, None] - positions[None, :] - steps @ frame.cell
        near = (vectors**2).sum(axis=2) < cutoff**2
        if not steps.any():
            np.fill_diagonal(near, False)
        center, neighbor = np.nonzero(near)
        found.append((center, neighbor, vectors[center, neighbor]))
    center, neighbor, vectors = (np.concatenate(part) for part in zip(*found, strict=True))
    return Edges(center, neighbor, vectors)

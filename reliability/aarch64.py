"""The engine on another processor: compiled for 64-bit ARM, and run by qemu.

    make aarch64

Every shipped model scores a part of the glass of inputs/ on this processor, by the engine that is
installed, and on an emulated one. Needs a cross-compiler and qemu; on Debian type
apt-get install g++-aarch64-linux-gnu qemu-user
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lammps_botan.files.lammps_data import read_lammps_data
from lammps_botan.network.archive import Archive
from lammps_botan.network.engine.scoring import Engine, UnknownNetworkError
from lammps_botan.network.metadata import Metadata, read_metadata
from lammps_botan.network.shipped import shipped_models
from lammps_botan.network.weights import NetworkWeights, read_weights
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import Graph, build_graph

SOURCE = Path(__file__).resolve().parents[1]
COMPILER, EMULATOR = "aarch64-linux-gnu-g++", "qemu-aarch64"
LIBRARIES = Path("/usr/aarch64-linux-gnu")
ROUNDING = 1e-4  # of float32, relative to outputs of order 1 or larger
Arrays = npt.NDArray[np.generic]


def compile_engine(folder: Path) -> tuple[Path, Path]:
    """Build libbotan_engine.so as CMakeLists.txt says it, and the scorer."""
    options = {
        "CMAKE_SYSTEM_NAME": "Linux",
        "CMAKE_SYSTEM_PROCESSOR": "aarch64",
        "CMAKE_CXX_COMPILER": COMPILER,
        "Python_EXECUTABLE": sys.executable,
    }
    words = [f"-D{name}={value}" for name, value in options.items()]
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run(["cmake", "-S", SOURCE, "-B", folder, *words], **quiet)
    build = ["cmake", "--build", folder, "--target", "botan_engine", "-j", str(os.cpu_count())]
    subprocess.run(build, **quiet)
    (library,) = folder.rglob("libbotan_engine.so")
    scorer = folder / "scorer"
    include = SOURCE / "lammps_botan" / "network" / "engine"
    source = SOURCE / "reliability" / "aarch64" / "scorer.cpp"
    words = ["-std=c++20", "-O2", f"-I{include}", str(source), "-o", str(scorer), "-ldl"]
    subprocess.run([COMPILER, *words], check=True)
    return library, scorer


def fused_products(library: Path) -> int:
    """Number of NEON instructions that multiply and add four floats."""
    words = ["aarch64-linux-gnu-objdump", "-d", str(library)]
    listing = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return len(re.findall(r"\tfmla\tv\d+\.4s", listing))


def _list(array: Arrays, kind: str) -> bytes:
    return struct.pack("<q", array.size) + np.ascontiguousarray(array).astype(kind).tobytes()


def _text(text: str) -> bytes:
    return struct.pack("<q", len(text)) + text.encode()


def _network(network: NetworkWeights) -> bytes:
    parts = [_text(network.kind), struct.pack("<q", len(network.settings))]
    for name, value in network.settings.items():
        parts += [_text(name), struct.pack("<d", value)]
    parts.append(struct.pack("<q", len(network.tensors)))
    for name, tensor in network.tensors.items():
        shape = np.array(tensor.shape, np.int64)
        parts += [_text(name), _list(shape, "<i8"), _list(tensor, "<f4")]
    return b"".join(parts)


def given(networks: Sequence[NetworkWeights], arrays: Sequence[Arrays], threads: int) -> bytes:
    """Write what scorer.cpp reads, from the arguments of `Engine.score`."""
    species, vectors, *inputs, center, neighbor = arrays
    first_edge = np.searchsorted(center, np.arange(len(species) + 1))
    none = np.zeros(0)
    return b"".join(
        [
            struct.pack("<q", len(networks)),
            *map(_network, networks),
            struct.pack("<q", threads),
            _list(species, "<i8"),
            _list(neighbor, "<i4"),
            _list(first_edge, "<i8"),
            *(_list(one, "<f4") for one in (vectors, *(inputs or [none, none]))),
        ]
    )


def corner(configuration: Configuration, cutoff: float) -> Graph:
    """An eighth of the graph of a configuration, since the emulator is slow."""
    graph = build_graph(configuration, cutoff)
    at = configuration.positions - configuration.positions.min(axis=0)
    inside = (at < at.max(axis=0) / 2).all(axis=1)
    kept = graph.only(inside[graph.center] & inside[graph.neighbor])
    number = np.cumsum(inside) - 1
    return replace(
        kept,
        species=kept.species[inside],
        center=number[kept.center],
        neighbor=number[kept.neighbor],
    )


def arrays_of(graph: Graph, metadata: Metadata) -> list[Arrays]:
    """Make arguments of `Engine.score`; inputs of particles are random, as large as real ones."""
    inputs: list[Arrays] = []
    if metadata.inputs.names:
        n, n_vectors = len(graph.species), metadata.inputs.n_vectors
        seen, rng = metadata.seen, np.random.default_rng(5)
        mean, deviation = np.array(seen.mean), np.array(seen.deviation)
        drawn = rng.normal(mean[graph.species], deviation[graph.species] / 3)
        directions = rng.normal(size=(n, n_vectors, 3))
        directions /= np.linalg.norm(directions, axis=2, keepdims=True)
        last = n_vectors + metadata.inputs.n_scalars
        lengths, scalars = drawn[:, :n_vectors], drawn[:, n_vectors:last]
        inputs = [one.astype(np.float32) for one in (lengths[..., None] * directions, scalars)]
    return [graph.species, graph.vectors, *inputs, graph.center, graph.neighbor]


def main() -> None:
    """Compare all shipped models, and print how far apart the two processors are."""
    missing = [name for name in (COMPILER, EMULATOR, "cmake") if shutil.which(name) is None]
    if missing:
        print(f"skipped: {', '.join(missing)} not found; {__doc__.strip().splitlines()[-1]}")
        return
    configuration = read_lammps_data(SOURCE / "inputs" / "ka-t064.data")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library, scorer = compile_engine(folder)
        print(f"fmla of four floats in {library.name}: {fused_products(library)}")
        worst = 0.0
        for model in shipped_models():
            archive = Archive(model.path)
            metadata = read_metadata(archive)
            networks = read_weights(archive, metadata)
            if not networks:
                print(f"{model.name}: no plain weights, which the engine needs")
                continue
            try:
                engine = Engine(networks)
            except UnknownNetworkError as error:
                print(f"{model.name}: {error}")
                continue
            graph = corner(configuration, metadata.cutoff)
            arrays = arrays_of(graph, metadata)
            expected = np.concatenate([one.ravel() for one in engine.score(*arrays)])
            (folder / "given").write_bytes(given(networks, arrays, threads=2))
            words = [EMULATOR, "-L", LIBRARIES, scorer, library, folder / "given", folder / "found"]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            found = np.fromfile(folder / "found", "<f4")
            apart = float((abs(found - expected) / (1 + abs(expected))).max())
            worst = max(worst, apart)
            there = done.stdout.strip()
            kinds = ", ".join(network.kind for network in networks)
            print(
                f"{model.name} ({kinds}): {apart:.1e} apart at most, of outputs up to "
                f"{abs(expected).max():.1f} ({engine.instructions} here, {there} there)"
            )
    if not worst < ROUNDING:
        raise SystemExit(f"expected {ROUNDING} at most")


if __name__ == "__main__":
    main()

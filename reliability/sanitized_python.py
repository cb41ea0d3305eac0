"""Score and train in Python, in two threads, with whatever libraries the package has.

`sanitizers.py` runs this program.
"""

import os
import tempfile
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import torch
from invariance import configuration, with_history
from model_files import write_network
from small_files import liquid

from lammps_botan.network.botan import Botan
from lammps_botan.network.engine import training
from lammps_botan.network.predictor import Predictor
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.graph import build_graph

END = "all has been done"
# instructions, members of a committee, precision
MODELS = (
    ("portable", 1, "float32"),
    ("avx2", 1, "float32"),
    ("avx512", 3, "float32"),
    ("avx512", 1, "bfloat16"),
)
# the other kinds of network, with history and without
SHIPPED = ("ka-t044-equivariant", "ka-t064-history", "ka-t044-history")
INSTRUCTIONS = ("portable", "avx2", "avx512")


def score(folder: Path) -> None:
    """With each of the engines that this processor has."""
    several = liquid(seed=1, n=400, length=7.0)
    none = Configuration(np.zeros((0, 3)), np.zeros(0, np.int64), several.box)
    for instructions, members, precision in MODELS:
        os.environ["LAMMPS_BOTAN_ENGINE"] = instructions
        path = write_network(folder / "model.pt", members=members)
        try:
            predictor = Predictor(path, precision=precision, threads=2)
        except ValueError as error:
            print(f"{instructions}, {precision}: {error}")
            continue
        for _ in range(3):
            predictor.predict(several)
        predictor.predict(none)
    for name, instructions in product(SHIPPED, INSTRUCTIONS):
        os.environ["LAMMPS_BOTAN_ENGINE"] = instructions
        try:
            predictor = Predictor(name, threads=2)
        except ValueError as error:
            print(f"{instructions}: {error}")
            continue
        history = predictor.metadata.inputs.history
        here = configuration(np.random.default_rng(1))
        if history is not None:
            here = with_history(here, np.random.default_rng(1), history.window)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # this history is nobody's
            predictor.predict(here)
    del os.environ["LAMMPS_BOTAN_ENGINE"]


def train() -> None:
    """Two steps of each of the kernels that there are."""
    graph = build_graph(liquid(seed=2, n=400, length=7.0), 2.0)
    arrays = (graph.species, graph.vectors.astype(np.float32), graph.center, graph.neighbor)
    kernels: tuple[tuple[str, training.Precision], ...]
    kernels = (("avx2", "float32"), ("avx512", "float32"), ("avx512", "bfloat16"))
    for instructions, precision in kernels:
        os.environ["LAMMPS_BOTAN_ENGINE"] = instructions
        model = Botan(2)
        try:
            known = training.available(model, precision)
        except ValueError:
            known = False
        if not known:
            print(f"no kernels of training: {instructions}, {precision}")
            continue
        for _ in range(2):
            node, edge = training.forward(
                model, *map(torch.from_numpy, arrays), precision=precision
            )
            (node.square().mean() + edge.square().mean()).backward()
    del os.environ["LAMMPS_BOTAN_ENGINE"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        score(Path(name))
    train()
    print(END)

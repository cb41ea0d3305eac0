"""Model files of each kind, of networks that learned nothing: what they see, and how many."""

from pathlib import Path

import torch

from lammps_botan.network.botan import Botan
from lammps_botan.network.checkpoint import Checkpoint, Physics
from lammps_botan.network.export import export
from lammps_botan.network.inputs import HistoryInput, InherentInput, Inputs
from lammps_botan.structure.mixture import KOB_ANDERSEN

# a coarse minimization, and times so short that a run of some hundred steps of 0.002 has many of
# them
LAG_TIME = 0.2
INPUTS = {
    "history": HistoryInput(window=0.2, interval=0.02, parts=5),
    "inherent": InherentInput(force=5.0),
}


def write_network(path: Path, *sees: str, members: int = 1, width: int = 64) -> Path:
    """The file of a model that sees a "history", the "inherent" structure, both or none.

    Networks of 64 features are computed by the engine, others by torch.
    """
    physics = Physics(
        mixture=KOB_ANDERSEN,
        cutoff=2.0,
        lag_times=(LAG_TIME,),
        inputs=Inputs(**{name: INPUTS[name] for name in sees}),
    )
    networks = []
    for seed in range(members):
        torch.manual_seed(seed)
        networks.append(Checkpoint(Botan(2, width, inputs=sees), physics))
    export(networks[0] if members == 1 else networks, path)
    return path

"""Processes that share a training: who starts them, and which is the first of them."""

import os
import warnings
from dataclasses import dataclass

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.lsf import LSFEnvironment
from lightning.fabric.plugins.environments.mpi import MPIEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

# in the order in which Lightning looks for them
_STARTERS = (TorchElasticEnvironment, SLURMEnvironment, LSFEnvironment, MPIEnvironment)
STEP = "SLURM_STEP_NUM_TASKS"  # of what srun starts
_OPTIONS = "--ntasks-per-node={0.devices} --nodes={0.num_nodes}"


@dataclass(frozen=True)
class Processes:
    """How many share a run.

    Attributes
    ----------
    devices : int
        Processes on each machine, with one GPU each where there are any.
    num_nodes : int
        Machines.

    Examples
    --------
    >>> Processes(devices=4, num_nodes=2).number
    8
    """

    devices: int
    num_nodes: int

    @property
    def number(self) -> int:
        """Number of processes, of all machines together."""
        return self.devices * self.num_nodes

    @property
    def is_first(self) -> bool:
        """Whether this process is the first of them; the only one of a run is."""
        if self.number == 1:
            return True
        started = _starter()
        return started.local_rank() == 0 and started.node_rank() == 0

    def check(self) -> None:
        """Refuse numbers that Lightning would refuse, or wait for, after the data are read.

        Raises
        ------
        ValueError
            If torchrun or SLURM has another number of processes, nothing starts processes on the
            other machines, or there are fewer GPUs on this one.

        Examples
        --------
        >>> Processes(devices=1, num_nodes=1).check()
        """
        if TorchElasticEnvironment.detect():
            self._check_torchrun()
        elif _is_slurm():
            self._check_slurm()
        elif self.num_nodes > 1 and not (
            {"NODE_RANK", "GROUP_RANK", "LOCAL_RANK"} & os.environ.keys()
            or LSFEnvironment.detect()
            or MPIEnvironment.detect()
        ):
            raise ValueError(
                f"--num-nodes {self.num_nodes}: nothing starts the processes of the other "
                "machines: expected srun or torchrun in front of the command, found neither; type "
                f"srun {_OPTIONS.format(self)} lammps-botan train ..."
            )
        n_gpus = torch.cuda.device_count()
        if 0 < n_gpus < self.devices:
            raise ValueError(
                f"--devices {self.devices}: each process takes a GPU of its own: expected "
                f"{self.devices} GPUs or more on this machine, found {n_gpus}; type --devices "
                f"{n_gpus}, or CUDA_VISIBLE_DEVICES= in front of the command to train on the CPU"
            )

    def _check_torchrun(self) -> None:
        number = int(os.environ["WORLD_SIZE"])
        here = int(os.environ.get("LOCAL_WORLD_SIZE", self.devices))
        if (here, number) != (self.devices, self.number):
            raise ValueError(
                f"torchrun starts {here} processes on this machine and {number} in all: expected "
                f"{self.devices} and {self.number}, as --devices {self.devices} --num-nodes "
                f"{self.num_nodes} say; give torchrun's --nproc-per-node as --devices, and its "
                "--nnodes as --num-nodes"
            )

    def _check_slurm(self) -> None:
        tasks = int(os.environ["SLURM_NTASKS"])
        per_node = os.environ.get("SLURM_NTASKS_PER_NODE")
        if self.number == 1:
            # in a job with several tasks one process may train without srun
            if tasks > 1 and (per_node is None or int(os.environ.get(STEP, 1)) > 1):
                raise ValueError(
                    f"SLURM has {tasks} tasks here: expected 1, which is --devices 1 x "
                    "--num-nodes 1; type srun --ntasks=1 lammps-botan train ..., or let several "
                    "processes share the training (docs/reference/train.md, Faster)"
                )
            return
        nodes = int(os.environ.get("SLURM_NNODES", self.num_nodes))
        found = f"--ntasks={tasks}" if per_node is None else f"--ntasks-per-node={per_node}"
        if per_node is None or (int(per_node), nodes) != (self.devices, self.num_nodes):
            raise ValueError(
                f"SLURM has {found} --nodes={nodes}: expected {_OPTIONS.format(self)}, as "
                "--devices and --num-nodes say; give both the same numbers, in the job or behind "
                "srun"
            )
        if not tasks == int(os.environ.get(STEP, 0)) == self.number:
            raise ValueError(
                f"--devices {self.devices} --num-nodes {self.num_nodes}: in a job of SLURM srun "
                "starts the processes, found a command without it; type srun lammps-botan train ..."
            )


def _is_slurm() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning remarks that there is srun
        return SLURMEnvironment.detect()


def _starter() -> ClusterEnvironment:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in _STARTERS:
            if kind.detect():
                return kind()
    return LightningEnvironment()

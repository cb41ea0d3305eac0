"""MPI ranks of one LAMMPS instance, which succeed or fail together."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Ranks:
    """MPI ranks that share a LAMMPS instance.

    Every method is collective: all ranks must call it. An exception on one rank becomes an
    exception on every rank, since ranks that went on alone would wait for the failed one for ever.

    Parameters
    ----------
    lmp : lammps.lammps

    Attributes
    ----------
    size, rank : int

    Raises
    ------
    ModuleNotFoundError
        If there are several ranks, but mpi4py is not installed.
    """

    def __init__(self, lmp: Any) -> None:
        self.size = int(lmp.extract_setting("world_size"))
        self.rank = 0
        if self.size == 1:
            return
        try:
            from mpi4py import MPI
        except ImportError as error:
            raise ModuleNotFoundError(
                f"LAMMPS runs on {self.size} MPI ranks, which Python cannot reach without mpi4py; "
                "type pip install mpi4py, or use one rank, or fix botan",
                name="mpi4py",
            ) from error
        # not get_mpi_comm of the module: that of 2021 refuses newer mpi4py, which serves as well
        self._comm = MPI.Comm.f2py(lmp.lib.lammps_get_mpi_comm(lmp.lmp))
        self.rank = self._comm.Get_rank()

    def gather(self, own: T) -> list[T] | None:
        """Gather a value of each rank, in their order, on rank 0; None on the others."""
        return [own] if self.size == 1 else self._comm.gather(own, root=0)

    def together(self, work: Callable[[], T]) -> T:
        """Run on every rank; each returns its own result.

        Raises
        ------
        BaseException
            The exception of `work` on this rank.
        RuntimeError
            If `work` failed on another rank only; names the rank.
        """
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as raised:  # KeyboardInterrupt too must not leave others waiting
            error = raised
        if self.size > 1:
            own = None if error is None else f"{type(error).__name__}: {error}"
            for rank, text in enumerate(self._comm.allgather(own)):
                if text is not None and error is None:
                    raise RuntimeError(f"on MPI rank {rank}: {text}")
        if error is not None:
            raise error
        return result

    def on_first(self, work: Callable[[], T]) -> T:
        """Run on rank 0 alone; every rank gets the result.

        Raises
        ------
        BaseException
            As `together`.
        """
        result = self.together(lambda: work() if self.rank == 0 else None)
        return cast(T, result if self.size == 1 else self._comm.bcast(result, root=0))

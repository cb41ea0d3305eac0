"""The TorchScript module of a model file; only here torch loads code of a file."""

import warnings
from pathlib import Path

import torch

from lammps_botan.network.archive import Archive
from lammps_botan.network.program import check_program


def load_module(
    path: Path | Archive, device: torch.device, *, trust: bool = False
) -> torch.jit.ScriptModule:
    """Load the TorchScript module of a model file.

    Parameters
    ----------
    path : Path or Archive
    device : torch.device
    trust : bool
        Whether to run code that `check_program` refuses.

    Returns
    -------
    torch.jit.ScriptModule

    Raises
    ------
    ValueError
        If it cannot be loaded, or its code may do more than compute.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> hasattr(load_module(find_model("ka-t044"), torch.device("cpu")), "encode")
    True
    """
    archive = path if isinstance(path, Archive) else Archive(path)
    check_program(archive, trust=trust)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as such
            module: torch.jit.ScriptModule = torch.jit.load(archive.buffer(), map_location=device)
            module.eval()
            return module
    except Exception as error:  # torch fails in many ways on a damaged archive
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: not a model file: {reason}") from error

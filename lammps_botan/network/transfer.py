"""Transfer of arrays to the device of a network."""

import numpy as np
import torch

from lammps_botan.network.arrays import Arrays


def send_together(arrays: Arrays, device: torch.device) -> list[torch.Tensor]:
    """Send arrays to a device in one transfer, from page-locked memory to a GPU.

    Parameters
    ----------
    arrays : list of arrays
        Integers become int64, other numbers float32.
    device : torch.device

    Returns
    -------
    list of tensors

    Examples
    --------
    >>> send_together([np.array([0, 1]), np.array([0.5])], torch.device("cpu"))
    [tensor([0, 1]), tensor([0.5000])]
    """
    types = [torch.float32 if a.dtype.kind == "f" else torch.int64 for a in arrays]
    # the larger numbers first, so that all are aligned
    order = sorted(range(len(arrays)), key=lambda k: -types[k].itemsize)
    sizes = [arrays[k].size * types[k].itemsize for k in order]

    def parts(together: torch.Tensor) -> list[torch.Tensor]:
        cut = dict(zip(order, together.split(sizes), strict=True))
        return [cut[k].view(types[k]).view(arrays[k].shape) for k in range(len(arrays))]

    here = torch.empty(sum(sizes), dtype=torch.uint8, pin_memory=device.type == "cuda")
    for part, array in zip(parts(here), arrays, strict=True):
        np.copyto(part.numpy(), array, casting="same_kind")
    return parts(here.to(device))

"""Files of `torch.save` with plain data, which are read without running code of them."""

import io
from pathlib import Path
from typing import Any

import torch

from lammps_botan.files.checksum import has_checksum


def load_plain(path: Path) -> dict[str, Any]:
    """Read the dict in a file of `torch.save`; no code of the file is run.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, or holds something else than plain data.

    Examples
    --------
    >>> torch.save({"bias": torch.zeros(2)}, "weights.pth")
    >>> load_plain(Path("weights.pth"))
    {'bias': tensor([0., 0.])}
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    archive = path.read_bytes()
    has_checksum(archive, str(path))
    try:
        content = torch.load(io.BytesIO(archive), map_location="cpu", weights_only=True)
    except Exception as error:  # torch fails in many ways on a damaged file without a checksum
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path}: not a file of plain weights: {reason}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a dict of weights, found {type(content).__name__}")
    return content

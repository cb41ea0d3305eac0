"""Check of the code in a model file.

A TorchScript archive is a program: torch runs code of it while it loads the archive, and more while
it predicts. Some operators of torch write files. Before torch sees an archive, each name in its
code is therefore looked up: a name of an operator must be in `operators.txt`, which has those that
compute. plugin/torch_program.cpp does the same for the fix.
"""

import itertools
import os
import re
from functools import cache
from importlib import resources

import torch

from lammps_botan.network.archive import Archive

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# the parts of an archive that torch.jit.save writes; another one could be code of an older format
KNOWN = re.compile(
    r"data\.pkl|constants\.pkl|version|byteorder|(code|data|constants|extra)/.*|\..*"
)
NAMESPACES = frozenset({"aten", "prim"})  # torch's own
# not operators, but the language's own: other threads, classes of C++, output
REFUSED = frozenset({"awaitable", "classes", "fork", "print"})
TRUST = "LAMMPS_BOTAN_TRUST"  # of the environment: yes for all that a process and its workers load
MOST_NAMED = 3  # in a message


def check_program(archive: Archive, *, trust: bool = False) -> None:
    """Refuse an archive whose code names an operator that models do not need.

    Parameters
    ----------
    archive : Archive
        No code of it is run.
    trust : bool
        Whether to accept all code; the environment variable LAMMPS_BOTAN_TRUST=yes does so too.

    Raises
    ------
    ValueError
        If it names such an operator, holds an object of C++, or cannot be read.

    Examples
    --------
    >>> from lammps_botan.network.shipped import find_model
    >>> check_program(Archive(find_model("ka-t044")))
    """
    if trust or os.environ.get(TRUST) == "yes":
        return
    try:
        found = sorted(_operators(archive) - _allowed())
    except Exception as error:  # torch fails in many ways on a damaged archive
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{archive}: not a model file: {reason}") from error
    if found:
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise ValueError(
            f"{archive}: its code names {', '.join(found[:MOST_NAMED])}{more}, which the models of "
            "lammps-botan do not need and which may do more than compute. If you trust whoever "
            "made the file, say so: --trust, Predictor(..., trust=True), or in the fix "
            "`trust yes`"
        )


def _operators(archive: Archive) -> set[str]:
    """Names of operators in the code of an archive, and of other parts that are not allowed."""
    reader = torch._C.PyTorchFileReader(archive.buffer())
    found: set[str] = set()
    for record in reader.get_all_records():
        if not KNOWN.fullmatch(record):
            found.add(f"the part {record}")
        if record.endswith(".py"):
            found |= _in_code(reader.get_record(record).decode("latin-1"))
        elif record.endswith(".pkl"):
            # a class is a line for its module, and one for its name
            pickled = reader.get_record(record).replace(b"\n", b".")
            found |= {"torch.classes"} if b"torch.classes" in pickled else set()
    return found


def _in_code(code: str) -> set[str]:
    names = NAME.findall(code)
    found = {name for name in names if name in REFUSED or name in _registered()}
    # operators of other libraries than torch, which may have any name
    spaces = {after for name, after in itertools.pairwise(names) if name == "ops"}
    found |= {f"ops.{space}" for space in spaces - NAMESPACES}
    # letters of other alphabets, which torch might read, are in no name here
    return found if code.isascii() else found | {"letters that are not ASCII"}


@cache
def _allowed() -> frozenset[str]:
    lines = resources.files(__package__).joinpath("operators.txt").read_text().splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


@cache
def _registered() -> frozenset[str]:
    """Names of all operators that this torch has, without their namespace."""
    return frozenset(schema.name.split("::")[1] for schema in torch._C._jit_get_all_schemas())

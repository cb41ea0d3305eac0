"""Check of the memory and time that a pickle asks for, before they are taken."""

import io
import pickle
import pickletools
from typing import Any

SHARED = 10  # parts for each byte; more only where a value holds itself again and again
_CHANGED = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}  # below their items


def check_pickle(content: bytes) -> None:
    """Refuse a pickle of a few bytes that stands for much more.

    Lengths of text and of bytes lie in the file. Names of the memo must not exceed the number of
    bytes, since the memo has room for all smaller names. A tuple that holds another one many times,
    and so on, counts with its size written out, which is its size as the key of a dict.

    Parameters
    ----------
    content : bytes

    Raises
    ------
    ValueError, pickle.UnpicklingError
        If the pickle asks for more than its bytes allow, or is damaged.

    Examples
    --------
    >>> check_pickle(pickle.dumps({"types": [0, 1]}))
    """
    stack: list[list[int]] = []  # size of each value, in a list of its own
    memo: dict[int, list[int]] = {}
    argument: Any
    for opcode, argument, _ in pickletools.genops(io.BytesIO(content)):
        name = opcode.name
        if name.endswith("GET"):
            stack.append(memo.get(int(argument), [1]))
        elif name.endswith("PUT") or name == "MEMOIZE":
            key = len(memo) if name == "MEMOIZE" else int(argument)
            if key > len(content):
                raise pickle.UnpicklingError(f"it names number {key} of {len(content)} bytes")
            memo[key] = stack[-1] if stack else [1]
        elif name == "DUP":
            stack.append(stack[-1] if stack else [1])
        else:
            _step(opcode, stack, SHARED * len(content))


def _step(opcode: Any, stack: list[list[int]], limit: int) -> None:
    """Take from the stack what an opcode takes, and put the result of the opcode on it."""
    before, name = opcode.stack_before, opcode.name
    if name == "MARK":
        stack.append(_MARK)
        return
    taken: list[list[int]] = []
    if pickletools.markobject in before:
        while stack and (one := stack.pop()) is not _MARK:
            taken.append(one)
        n_below = before.index(pickletools.markobject)
    else:
        n_below = len(before)
    taken += [stack.pop() for _ in range(min(n_below, len(stack)))]
    size = 1 + sum(one[0] for one in taken)
    if size > limit:
        raise pickle.UnpicklingError(f"it holds itself again and again: {size} parts")
    if name in _CHANGED and taken:
        taken[-1][0] = size
        stack.append(taken[-1])
    elif opcode.stack_after:
        stack.append([size])


_MARK = [0]

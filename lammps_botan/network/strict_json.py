"""JSON by RFC 8259, as the fix reads it.

Python's `json` also reads NaN and Infinity, numbers beyond those of float64, texts in UTF-16, and
letters that UTF-8 cannot write.
"""

import json
from typing import Any

from lammps_botan.network.limits import LIMITS


def parse_json(text: bytes) -> Any:
    """Parse a JSON text.

    Parameters
    ----------
    text : bytes

    Returns
    -------
    object

    Raises
    ------
    ValueError
        If it is not JSON in UTF-8, or has objects inside objects beyond the limit of a model file.

    Examples
    --------
    >>> parse_json(b'{"rounds": 7}')
    {'rounds': 7}
    """
    decoded = text.decode()
    if (found := _depth(decoded)) > LIMITS["depth"]:
        raise ValueError(
            f"expected objects inside objects up to a depth of {LIMITS['depth']}, found a depth of "
            f"{found}"
        )
    return json.loads(decoded, parse_int=_integer)


def check_numbers_and_letters(value: Any) -> None:
    """Refuse values that Python's `json` reads but RFC 8259 does not allow.

    Parameters
    ----------
    value : object

    Raises
    ------
    ValueError
        If a number is not finite, or a text has half of a pair of surrogates.

    Examples
    --------
    >>> check_numbers_and_letters({"rounds": 7})
    """
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


def _depth(text: str) -> int:
    now = deepest = 0
    quoted = escaped = False
    for letter in text:
        if escaped:
            escaped = False
        elif quoted and letter == "\\":
            escaped = True
        elif letter == '"':
            quoted = not quoted
        elif not quoted and letter in "{[":
            now += 1
            deepest = max(deepest, now)
        elif not quoted and letter in "}]":
            now -= 1
    return deepest


def _integer(digits: str) -> int | float:
    # beyond 64 bits they are no integers to the fix
    if len(digits) > 20:
        return float(digits)
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(digits)

"""Temperature and density of configurations that an average is taken over."""

import math
from collections.abc import Sequence

from lammps_botan.structure.configuration import Configuration

SAME_TEMPERATURE = 0.01  # relative differences up to which the conditions are the same
SAME_DENSITY = 0.05  # which fluctuates in a barostat


def same_temperature(a: float | None, b: float | None) -> bool:
    """Whether two temperatures are the same within 1 %, or one of them is not known.

    Parameters
    ----------
    a, b : float, optional
        In units of the runs; None where a file says nothing of its temperature.

    Returns
    -------
    bool

    Examples
    --------
    >>> same_temperature(0.44, 0.442), same_temperature(0.44, 0.5), same_temperature(None, 0.5)
    (True, False, True)
    """
    return a is None or b is None or math.isclose(a, b, rel_tol=SAME_TEMPERATURE)


def check_same_state(one: Configuration, before: Sequence[Configuration]) -> None:
    """Refuse a configuration at another temperature or density than those before.

    A temperature that is not known fits any other, and so does the density of a box without images
    along a direction, whose faces may be anywhere.

    Parameters
    ----------
    one : Configuration
    before : sequence of Configuration
        Of one temperature and density; none for the first configuration.

    Raises
    ------
    ValueError
        If the temperature differs by more than 1 %, or the density by more than 5 %.

    Examples
    --------
    >>> import numpy as np
    >>> from lammps_botan import Box
    >>> box = Box(9.0, (True, True, True))
    >>> cold, warm = (Configuration(np.eye(2, 3), [0, 0], box, temperature=t) for t in (0.4, 0.5))
    >>> check_same_state(cold, [cold])
    >>> check_same_state(warm, [cold])
    Traceback (most recent call last):
    ValueError: the configuration: temperature 0.5, expected 0.4 as in the configuration; an ...
    """
    known = [other for other in before if other.temperature is not None]
    if one.temperature is not None and known:
        found, expected = one.temperature, float(known[0].temperature or 0)
        if not same_temperature(found, expected):
            _fail(one, known[0], "temperature", found, expected)
    if before and _fills_space(one) and _fills_space(before[0]):
        found, expected = one.density, before[0].density
        if not math.isclose(found, expected, rel_tol=SAME_DENSITY):
            _fail(one, before[0], "density", found, expected)


def _fills_space(configuration: Configuration) -> bool:
    return all(configuration.box.periodic[: configuration.dimension])


def _fail(
    one: Configuration, other: Configuration, name: str, found: float, expected: float
) -> None:
    raise ValueError(
        f"{one.where}: {name} {found:.4g}, expected {expected:.4g} as in {other.where}; an average "
        "is over one temperature and density: give the files of each on their own"
    )

"""The history of particles: their motion and energy in a window of time that ends now.

In equilibrium the past of a configuration says as much of its future as a run that starts from the
configuration, and a simulation gives the past for nothing. The mean position of a particle is the
center of its cage, the variance the size of the cage, and the mean energy tells how well the
particle fits into the cage.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lammps_botan.structure.box import Floats


@dataclass(frozen=True, eq=False)
class History:
    """Averages over the last time t_w for each particle.

    Parameters
    ----------
    window : float
        t_w, time unit.
    displacement : float [n_particles, 3]
        Mean of the unwrapped positions in the window, minus the position now; length unit.
    variance : float [n_particles]
        Mean of ``|r - <r>|^2`` over the window, length unit squared.
    energy : float [n_particles]
        Mean of the potential energy of the particle, energy unit.

    Raises
    ------
    ValueError
        If the arrays do not fit together, hold numbers that are not finite, or a variance or the
        window is negative.

    Examples
    --------
    >>> at_rest = History(30.0, np.zeros((2, 3)), np.zeros(2), np.array([-5.0, -6.0]))
    >>> at_rest.n_particles, at_rest.select([1]).energy
    (2, array([-6.]))
    """

    window: float
    displacement: Floats
    variance: Floats
    energy: Floats

    def __post_init__(self) -> None:
        if not 0 < self.window < np.inf:
            raise ValueError(f"the window of a history must be positive, found {self.window}")
        n = len(self.displacement)
        for name, shape in (("displacement", (n, 3)), ("variance", (n,)), ("energy", (n,))):
            values = np.array(getattr(self, name), dtype=np.float64, order="C")
            if values.shape != shape:
                raise ValueError(
                    f"{name} of a history must have shape {list(shape)}, found {list(values.shape)}"
                )
            if not np.isfinite(values).all():
                raise ValueError(f"{name} of a history holds values that are not finite")
            object.__setattr__(self, name, values)
        if n and self.variance.min() < 0:
            raise ValueError(
                f"variances of a history must not be negative, found {self.variance.min():g}"
            )

    @property
    def n_particles(self) -> int:
        """Number of particles."""
        return len(self.variance)

    def select(self, some: npt.NDArray[Any]) -> "History":
        """Give the history of some of the particles.

        Parameters
        ----------
        some : bool [n_particles], or int [n_some]
            A mask, or indices.

        Returns
        -------
        History
        """
        return replace(
            self,
            displacement=self.displacement[some],
            variance=self.variance[some],
            energy=self.energy[some],
        )

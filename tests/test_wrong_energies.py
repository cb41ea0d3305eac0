"""Models that see energies, given those of other interactions."""

import numpy as np
import pytest

from lammps_botan import Box, Configuration, Predictor
from lammps_botan.structure.history import History


def crystal(energy):
    """A simple cubic crystal, and particles of this mean energy in it."""
    sites = np.stack(np.meshgrid(*[np.arange(6.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    n = len(sites)
    history = History(30.0, np.zeros((n, 3)), np.full(n, 0.02), np.full(n, energy))
    species = np.arange(n) % 5 // 4
    box = Box(6.0, (True, True, True))
    return Configuration(positions=sites, species=species, box=box, history=history)


def test_a_negative_propensity_is_told():
    """A particle that is bound more firmly moves less, down to less than nothing."""
    predictor = Predictor("ka-t044-history")
    with pytest.warns(UserWarning, match=r"mean propensity of species [AB] is -\d.* not negative"):
        firm = predictor.predict(crystal(-100.0))
    loose = predictor.predict(crystal(0.0))
    assert firm.node.mean() < 0 < loose.node.mean()

"""The melt of a mixture: the energy that scales what the mixture says in no other way."""

from lammps_botan.structure.mixture import Mixture

# Boltzmann's constant in the units of LAMMPS, as LAMMPS has it
BOLTZMANN = {
    "lj": 1.0,
    "real": 0.0019872067,
    "metal": 8.617343e-5,
    "si": 1.3806504e-23,
    "cgs": 1.3806504e-16,
    "electron": 3.16681534e-6,
    "micro": 1.3806504e-8,
    "nano": 0.013806504,
}


def melt_energy(mixture: Mixture) -> float | None:
    """Give k_B T of the melt.

    Parameters
    ----------
    mixture : Mixture

    Returns
    -------
    float or None
        Energy unit; None for a mixture without interactions, which do not say its temperature.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> melt_energy(KOB_ANDERSEN)
    5.0
    """
    if mixture.interactions is None:
        return None
    return BOLTZMANN[mixture.units] * mixture.interactions.melt_temperature

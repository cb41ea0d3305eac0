"""Simulations with LAMMPS: equilibration, isoconfigurational runs, minima and histories.

LAMMPS runs the scripts of inputs/ with the interactions of a mixture, in its units. The protocol
is that of Shiba et al., J. Chem. Phys. 158, 084503 (2023), sec. III, doi:10.1063/5.0129791.

Every function can be interrupted at any moment and called again with the same arguments: finished
files are kept, unfinished runs go on. Files appear under their final names when they are whole.
"""

from lammps_botan.simulation.equilibration import equilibrate
from lammps_botan.simulation.history import history
from lammps_botan.simulation.inherent import inherent
from lammps_botan.simulation.isoconfigurational import isoconfig
from lammps_botan.simulation.protocol import named_times

__all__ = ["equilibrate", "history", "inherent", "isoconfig", "named_times"]

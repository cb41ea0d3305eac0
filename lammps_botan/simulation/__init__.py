"""Make the glass: equilibrated configurations, isoconfigurational ensembles, inherent structures.

The protocol is that of Shiba et al., J. Chem. Phys. 158, 084503 (2023), sec. III,
doi:10.1063/5.0129791, in the LAMMPS scripts of inputs/. LJ units.

Everything here can be interrupted at any moment and called again with the same arguments: what is
whole is kept, what was begun goes on. Files appear under their final names when they are whole.
"""

from lammps_botan.simulation.equilibration import equilibrate
from lammps_botan.simulation.inherent import inherent
from lammps_botan.simulation.isoconfigurational import isoconfig
from lammps_botan.simulation.protocol import PAPER_TIMES, named_times

__all__ = ["PAPER_TIMES", "equilibrate", "inherent", "isoconfig", "named_times"]

"""Pictures of `lammps-botan plot`, one module for each, and the readers of their data.

Figures and equations are those of Shiba et al., J. Chem. Phys. 158, 084503 (2023),
doi:10.1063/5.0129791.
"""

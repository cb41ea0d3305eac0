"""Predict particle mobility in a glass-forming liquid while LAMMPS runs it.

BOTAN (BOnd TArgeting Network): H. Shiba, M. Hanai, T. Suzumura, T. Shimokawabe,
J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791.

Importing this package imports nothing else: LAMMPS does it at every start. Take what you need from
its modules, for example `from lammps_botan.scorer import Scorer`.
"""

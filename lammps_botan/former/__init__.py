"""Addresses of modules from before the rooms; each warns, and passes on its former names.

`lammps_botan` searches this folder after its own, so that `from lammps_botan.callbacks import
attach` in somebody's input script goes on working.
"""

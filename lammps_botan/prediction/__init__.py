"""Predictions of a model: for trajectories, for one frame, inside a LAMMPS that Python drives."""

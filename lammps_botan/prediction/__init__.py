"""A model at work: on trajectories, on one frame, inside a LAMMPS that Python drives."""

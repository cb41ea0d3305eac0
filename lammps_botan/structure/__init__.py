"""Configurations: boxes, mixtures, particles and the graphs of their neighbors."""

"""Training, on Lightning.

Shiba et al., J. Chem. Phys. 158, 084503 (2023), doi:10.1063/5.0129791, sec. IV: the loss is
p L_S + (1 - p) L_E, mean squared errors over all particles and over all edges; Adam at a constant
learning rate, the gradient norm clipped at 1, one graph a step (five for p = 1). Before each step
the graph is turned by a rotation or reflection drawn uniformly from O(3), or by one of the 48
operations of the cube, as the public implementation does it.

Beyond the paper a recipe may let the learning rate fall along a cosine, average the weights
exponentially, and take Muon for an optimizer: after 300 steps on the public data, with 3 rounds and
equal learning rates, rho_S was .19 and rho_E .36; with Adam .12 and .34 (one run each).
"""

from lammps_botan.training.run import train

__all__ = ["train"]

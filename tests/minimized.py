"""Runs near their minimum, and how LAMMPS itself finds it."""

# the same minimum, found by the simulation itself
MINIMIZE = """
undump g
unfix g
unfix integrate
compute e all pe/atom
min_style cg
min_modify norm inf dmax 0.1
minimize 0 {force} 1000 10000
run 0
write_dump all custom after.txt id xu yu zu c_e modify format float %.17g
"""


def smooth(script):
    """A warm crystal, whose minimum is near, by forces that do not jump at the cutoff."""
    near = script.replace("random 0.12 0.12 0.12", "random 0.03 0.03 0.03")
    near = near.replace("random 0.12 0.12 0.0", "random 0.03 0.03 0.0")
    return near.replace("pair_style lj/cut", "pair_style lj/smooth/linear")

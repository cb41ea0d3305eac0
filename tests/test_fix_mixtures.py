"""`fix botan` for liquids of any number of species, in any units."""

import json

import numpy as np
import pytest
from fix_toys import Walks, save_model
from lmp import all_images, liquid, liquid_in_the_plane, of_types, read_dump, run_lmp
from toy_metadata import mixture

pytestmark = [pytest.mark.slow, pytest.mark.long]

CUTOFF = 2.0
RANKS = pytest.mark.parametrize("ranks", [1, 2])
WEIGHTS = (1.0, 3.0, 7.0, 20.0)  # float32 counts exactly up to 1.6e7
PLANE = {"dimension": 2}


SYSTEMS = {"3 dimensions": (liquid(), {}), "2 dimensions": (liquid_in_the_plane(), PLANE)}


@RANKS
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("n", [1, 3, 4])
def test_walks_over_any_number_of_species_are_exact(tmp_path, n, system, ranks):
    script, changes = SYSTEMS[system]
    names = ("Zr", "Cu", "Al", "Ag")[:n]
    model = Walks(rounds=3, weights=WEIGHTS[:n], node_outputs=2)
    save_model(tmp_path / "m.pt", model, mixture=mixture(*names, **changes))
    means = " ".join(f"f_g[{k + 1}]" for k in range(n))
    script = f"""{of_types(script, n)}
    fix g all botan 10 m.pt {" ".join(names)}
    dump d all custom 10 d.txt id type x y z f_g[1] f_g[2]
    dump_modify d format float %.17g
    thermo 10
    thermo_style custom step {means}
    thermo_modify format float %.12g
    run 20"""
    rows = run_lmp(script, tmp_path, ranks=ranks).thermo()
    frames = read_dump(tmp_path / "d.txt")
    assert len(rows) == len(frames) == 3
    for row, frame in zip(rows, frames, strict=True):
        frame.periodic = (True, True, changes != PLANE)
        species = frame["type"].astype(int) - 1
        assert set(species) == set(range(n))
        walks = all_images(frame, CUTOFF).walks(len(species), 3, np.array(WEIGHTS)[species])
        np.testing.assert_array_equal(frame["f_g[1]"], walks)
        np.testing.assert_array_equal(frame["f_g[2]"], species)
        for k in range(n):
            assert row[f"f_g[{k + 1}]"] == pytest.approx(walks[species == k].mean())


def test_bonds_are_those_within_the_longest_bond_of_the_mixture_by_default(tmp_path):
    lengths = [[1.1, 1.2, 1.3], [1.2, 1.0, 1.5], [1.3, 1.5, 1.4]]
    liquid_of_three = mixture("A", "B", "C", bond_lengths=lengths)
    for name, cutoff in (("m.pt", 2.0), ("short.pt", 1.4)):
        model = Walks(weights=WEIGHTS[:3])
        save_model(tmp_path / name, model, mixture=liquid_of_three, cutoff=cutoff)
    script = f"""{of_types(liquid(), 3)}
    fix g all botan 10 m.pt A B C
    fix short all botan 10 short.pt A B C
    compute longest all reduce max f_g[3] inputs local
    compute short all reduce max f_short[3] inputs local
    thermo_style custom step c_longest c_short
    run 0"""
    run = run_lmp(script, tmp_path)
    (row,) = run.thermo()
    assert 1.4 < row["c_longest"] < 1.5
    assert 1.3 < row["c_short"] < 1.4
    assert "cutoff 2, bonds 1.5, every 10 steps" in run.output


ARGON = 3.405  # Angstrom


@RANKS
@pytest.mark.parametrize("units", ["metal", "real"])
def test_another_length_unit_gives_what_reduced_units_give(tmp_path, units, ranks):
    """The same positions in Angstrom: same walks, distances as many times longer."""
    bonds = [[1.35 * ARGON, 1.08 * ARGON], [1.08 * ARGON, 1.188 * ARGON]]
    angstrom = {"units": units, "bond_lengths": bonds, "diameter": ARGON}
    save_model(tmp_path / "lj.pt", Walks(rounds=3))
    save_model(tmp_path / "m.pt", Walks(rounds=3), mixture=angstrom, cutoff=2.0 * ARGON)
    output = """
    fix g all botan 1 {model} A B
    run 0
    write_dump all custom {name}.txt id type x y z f_g modify format float %.17g sort id
    write_dump all local {name}.bonds f_g[1] f_g[2] f_g[3] f_g[4] modify format float %.9g
    """
    write = "write_data lj.data nocoeff\n"
    run_lmp(liquid() + write + output.format(model="lj.pt", name="lj"), tmp_path, ranks=ranks)
    script = f"""units {units}
    read_data lj.data
    change_box all x scale {ARGON} y scale {ARGON} z scale {ARGON} remap
    pair_style lj/cut {2.5 * ARGON}
    pair_coeff * * 0.01 {ARGON}
    neighbor 1.0 bin
    """
    run_lmp(script + output.format(model="m.pt", name="other"), tmp_path, ranks=ranks)
    (lj,), (other,) = (read_dump(tmp_path / f"{name}.txt") for name in ("lj", "other"))
    np.testing.assert_allclose(other.cell, ARGON * lj.cell)
    np.testing.assert_array_equal(other["f_g"], lj["f_g"])
    for short, long in zip(
        read_dump(tmp_path / "lj.bonds"), read_dump(tmp_path / "other.bonds"), strict=True
    ):
        for column, scale in (("f_g[3]", ARGON), ("f_g[4]", ARGON), ("f_g[1]", 1.0)):
            np.testing.assert_allclose(
                np.sort(long[column]), scale * np.sort(short[column]), rtol=1e-6
            )
        assert len(short["f_g[3]"]) > 100


def test_units_of_time_are_those_of_lammps(tmp_path):
    """A lag time of 0.04 ps is 40 fs in units real: verified after 20 steps of 2 fs."""
    save_model(
        tmp_path / "m.pt",
        mixture=mixture("Ar", units="real", bond_lengths=[[1.35 * ARGON]], diameter=ARGON),
        cutoff=2.0 * ARGON,
        lag_times=[40.0],
    )
    script = f"""units real
    lattice fcc 5.3
    region box block 0 3 0 3 0 3
    create_box 1 box
    create_atoms 1 box
    mass 1 39.95
    pair_style lj/cut {2.5 * ARGON}
    pair_coeff 1 1 0.238 {ARGON}
    timestep 2.0
    velocity all create 300 1 loop geom
    fix nve all nve
    fix g all botan 10 m.pt Ar verify yes
    thermo 10
    thermo_style custom step f_g[5] f_g[7]
    run 40"""
    rows = run_lmp(script, tmp_path, ranks=2).thermo()
    assert [row["f_g[7]"] for row in rows] == [0, 0, 1, 2, 3]


def test_what_the_fix_does_not_use_may_be_anything(tmp_path):
    """Masses and fractions are those of the input, and keys to come do not disturb."""
    other = {"masses": [3.0, 4.0], "fractions": [0.1, 0.9], "to_come": json.loads("{}")}
    save_model(tmp_path / "m.pt", mixture=other, node_input="one-hot", to_come=None)
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B
    thermo_style custom step f_g
    run 0"""
    (row,) = run_lmp(script, tmp_path).thermo()
    assert row["f_g"] > 0

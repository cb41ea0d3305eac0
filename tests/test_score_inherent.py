"""Inherent structures for models that see them, where Python scores."""

import json
from dataclasses import replace

import numpy as np
import pytest
from lmp import liquid
from public_data import CONFIGURATION_401, needs_public_data
from python_runs import run_python
from toy_inputs import save_inherent

from lammps_botan.files.ensemble import read_start
from lammps_botan.prediction.trajectory import score
from lammps_botan.simulation.inherent_structure import inherent_structure
from lammps_botan.structure.box import Box
from lammps_botan.structure.configuration import Configuration
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

pytest.importorskip("torch")  # toy_inputs.py gives single numbers back with it only


def pair(distance, *, mixture=KOB_ANDERSEN, species=(0, 0), **changes):
    """Two particles, far from their images."""
    flat = mixture.dimension == 2
    keys = {
        "positions": [[4.0, 5.0, 0.0], [4.0 + distance, 5.0, 0.0]],
        "species": species,
        "box": Box([10.0, 10.0] if flat else 10.0, (True, True, not flat)),
        "mixture": mixture,
    }
    return Configuration(**(keys | changes))


@pytest.mark.parametrize(("species", "sigma"), [((0, 0), 1.0), ((0, 1), 0.8), ((1, 1), 0.88)])
def test_a_pair_ends_at_the_minimum_of_its_potential(species, sigma):
    """Where -u'(r) of Lennard-Jones and the constant force shift of its cutoff 2.5 cancel."""
    positions, energies = inherent_structure(pair(1.3, species=species), 1e-8)
    r = np.linspace(1.1, 1.15, 500001)  # units of sigma
    cut = 2.5
    force = 48 * r**-13 - 24 * r**-7 - (48 * cut**-13 - 24 * cut**-7)
    expected = r[np.abs(force).argmin()] * sigma
    assert np.linalg.norm(positions[1] - positions[0]) == pytest.approx(expected, abs=1e-6)
    assert positions.mean(axis=0) == pytest.approx([4.65, 5.0, 0.0], abs=1e-6)
    assert energies[0] == pytest.approx(energies[1], abs=1e-9)


def test_particles_keep_their_order_and_their_plane():
    """IDs that descend, and a plane that is not z = 0."""
    flat = pair(1.3, mixture=KA2D)
    raised = replace(flat, positions=flat.positions + np.array([0.0, 0.0, 0.3]), ids=[7, 3])
    (one, _), (other, _) = (inherent_structure(each, 1e-4) for each in (flat, raised))
    np.testing.assert_allclose(other - one, [[0.0, 0.0, 0.3]] * 2, atol=1e-9)
    assert other[0, 0] < other[1, 0]


def test_a_minimization_needs_a_positive_force_and_images_all_around():
    with pytest.raises(ValueError, match="must be positive, found 0"):
        inherent_structure(pair(1.3), 0.0)
    places = [[4.0, 5.0, 5.0], [5.3, 5.0, 5.1]]
    walls = pair(1.3, positions=places, box=Box(10.0, (True, True, False)))
    with pytest.raises(ValueError, match="images along all directions"):
        inherent_structure(walls, 0.1)


@pytest.mark.slow
@needs_public_data
def test_a_force_of_a_tenth_is_near_enough_to_the_minimum():
    """7.6e-4 of the diameter, root mean square, where particles are .137 from it."""
    start = read_start(CONFIGURATION_401)
    near, exact = (inherent_structure(start, force)[0] for force in (0.1, 1e-3))
    apart, moved = (start.box.minimum_image(near - other) for other in (exact, start.positions))
    assert np.sqrt((apart**2).sum(axis=1).mean()) == pytest.approx(7.6e-4, rel=0.1)
    assert np.sqrt((moved**2).sum(axis=1).mean()) == pytest.approx(0.137, abs=0.001)


@pytest.fixture
def model(tmp_path):
    interactions = KOB_ANDERSEN.model_dump()["interactions"]
    return save_inherent(tmp_path / "m.pt", 1e-6, interactions=interactions)


def test_score_minimizes_where_it_is_told_to(model):
    """The displacement that the model is given, and the distance there."""
    positions, _ = inherent_structure(pair(1.3), 1e-6)
    (scored,) = score(pair(1.3), model, inherent=True, bonds=1.35)
    np.testing.assert_allclose(scored.propensity[:, :3], positions - pair(1.3).positions, atol=1e-6)
    assert scored.changes[0, 0] == pytest.approx(positions[1, 0] - positions[0, 0], abs=1e-6)


def test_score_takes_the_inherent_structure_that_a_configuration_has(model):
    known = pair(1.3, inherent_positions=pair(1.2).positions, inherent_energies=[-1.0, -2.0])
    (scored,) = score(known, model, inherent=True)
    np.testing.assert_allclose(scored.propensity[:, 0], [0.0, -0.1], atol=1e-6)
    np.testing.assert_allclose(scored.propensity[:, 3], [-1.0, -2.0])


def test_score_says_what_is_missing(model, tmp_path):
    with pytest.raises(ValueError, match="lammps-botan score --inherent"):
        list(score(pair(1.3), model))
    with pytest.raises(ValueError, match="leave --inherent"):
        list(score(pair(1.3), "ka-t044", inherent=True))
    with pytest.raises(ValueError, match="1 particles are NULL"):
        list(score(pair(1.3, species=(0, 1)), model, species=["A", "NULL"], inherent=True))
    silent = save_inherent(tmp_path / "silent.pt", 1e-6)
    with pytest.raises(ValueError, match="does not say the interactions of kob-andersen"):
        list(score(pair(1.3), silent, inherent=True))


@pytest.mark.slow
def test_attach_gives_what_the_fix_gives(model, tmp_path):
    """By the same copy of the simulation, which stays the same to the last bit."""
    script = liquid("3 3 3").replace("lj/cut", "lj/smooth/linear")
    code = f"""
ends = []
for here in (True, False):
    lmp = start({script!r})
    if here:
        lmp.command("fix g all botan 10 m.pt A B")
        mob = attach(lmp, model="m.pt", every=10, species="A B", inherent=True)
    lmp.command("run 20")
    if here:
        n = lmp.extract_global("nlocal")
        ids = lmp.numpy.extract_atom("id")[:n]
        fix = lmp.numpy.extract_fix("g", 1, 2)[:n][np.argsort(ids)]
        Path("0.json").write_text(json.dumps([fix.tolist(), mob.propensities.tolist()]))
    ends.append(state(lmp))
assert all(np.array_equal(one, other) for one, other in zip(*ends, strict=True))
lmp = start({script!r})
print(fails(lambda: attach(lmp, model="m.pt", every=10, species="A B")))
print(fails(lambda: attach(lmp, model="ka-t044", every=10, species="A B", inherent=True)))
"""
    output = run_python(code, tmp_path)
    fix, python = (np.array(rows) for rows in json.loads((tmp_path / "0.json").read_text()))
    np.testing.assert_allclose(python, fix, rtol=1e-6, atol=1e-5)
    assert "write inherent=True" in output
    assert "sees no inherent structures; leave inherent=True out" in output

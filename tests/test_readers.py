"""Trajectories of LAMMPS by MDAnalysis's readers: unwrapped with known times, or refused."""

import warnings
from dataclasses import replace

import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest
from lmp import liquid, run_lmp

from lammps_botan.analysis import (
    BondBreakage,
    IntermediateScattering,
    MeanSquaredDisplacement,
    PairDistanceChange,
    Propensity,
    RelativeDisplacement,
    Runs,
)
from lammps_botan.analysis.targets import propensity
from lammps_botan.files.trajectory import open_dump
from lammps_botan.structure.box import Box
from lammps_botan.structure.graph import build_graph
from lammps_botan.structure.mixture import KA2D, KOB_ANDERSEN

FLOAT32 = 2e-5  # rounding of positions up to 50
N = 108

# a hot gas, in which some particles leave the box within a few frames
THREE_DIMENSIONS = """
velocity all create 6.0 99 loop geom
dump text all custom 100 run.dump id type xu yu zu
dump_modify text sort id format float %.15g
dump wrapped all dcd 100 wrapped.dcd
dump unwrapped all dcd 100 unwrapped.dcd
dump_modify unwrapped unwrap yes
dump gromacs all xtc 100 run.xtc
dump_modify gromacs unwrap yes precision 1000000
dump_modify gromacs sort id
timestep 0.005
run 1000
"""

TWO_DIMENSIONS = """
units lj
dimension 2
lattice hex 0.9
region box block 0 10 0 6 -0.25 0.25
create_box 2 box
create_atoms 1 box
set group all type/fraction 2 0.3 4321
mass * 1.0
displace_atoms all random 0.1 0.1 0 1234
pair_style lj/cut 2.5
pair_coeff * * 1.0 1.0
velocity all create 1.0 99 loop geom
fix integrate all nve
fix plane all enforce2d
dump text all custom 100 run.dump id type xu yu zu
dump_modify text sort id format float %.15g
timestep 0.005
run 400
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    run_lmp(liquid("3 3 3", density=0.6) + THREE_DIMENSIONS, folder)
    return folder


def universe(folder, name, **options):
    """By MDAnalysis's own reader, with the types of the dump."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = MDAnalysis.Universe.empty(N)
        made.add_TopologyAttr("types", open_dump(folder / "run.dump").atoms.types)
        return made.load_new(str(folder / name), **options)


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="DCDReader currently makes independent")
        yield


def test_particles_of_this_gas_leave_the_box(folder):
    run = Runs(open_dump(folder / "run.dump", dt=0.005))
    _, moved = run.displacements(10)
    assert np.abs(moved).max() > run.box.heights.min() / 2


def test_a_wrapped_trajectory_is_refused(folder):
    with pytest.raises(
        ValueError, match=r"wrapped.dcd: frame \d: .* may be wrapped.*dump_modify ID unwrap yes"
    ):
        Runs(universe(folder, "wrapped.dcd"), dt=0.5)


@pytest.mark.parametrize(("name", "options"), [("unwrapped.dcd", {"dt": 0.5}), ("run.xtc", {})])
def test_an_unwrapped_trajectory_has_the_displacements_of_the_dump(folder, name, options):
    expected = Runs(open_dump(folder / "run.dump", dt=0.005))
    own = universe(folder, name, convert_units=False)
    found = Runs(own, unwrapped=True, **options)
    for frame in (1, 10):
        time, moved = expected.displacements(frame)
        other_time, other = found.displacements(frame)
        assert other_time == pytest.approx(time, rel=1e-6)
        np.testing.assert_allclose(other, moved, atol=FLOAT32)
    np.testing.assert_allclose(found.times(), expected.times(), rtol=1e-6)


def test_short_steps_show_that_a_trajectory_is_unwrapped(folder, tmp_path):
    """Nothing needs to be said where no particle goes farther than a quarter of the box."""
    script = (liquid("3 3 3", density=0.6) + THREE_DIMENSIONS).replace(" 100 ", " 20 ")
    run_lmp(script.replace("run 1000", "run 200"), tmp_path)
    own = universe(tmp_path, "unwrapped.dcd")
    expected = Runs(open_dump(tmp_path / "run.dump", dt=0.005)).displacements(10)[1]
    np.testing.assert_allclose(Runs(own, dt=0.1).displacements(10)[1], expected, atol=FLOAT32)
    with pytest.raises(ValueError, match="may be wrapped"):
        Runs(universe(tmp_path, "wrapped.dcd"), dt=0.1)


def test_times_that_a_file_does_not_hold_are_asked_for(folder):
    """MDAnalysis takes the time step of a DCD file for one of CHARMM, .0489 of what it was."""
    own = universe(folder, "unwrapped.dcd")
    with pytest.raises(ValueError, match=r"MDAnalysis finds times in AKMA .*dt=TIME"):
        Runs(own, unwrapped=True)
    assert Runs(own, unwrapped=True, dt=0.5).times() == pytest.approx(0.5 * np.arange(11))


def test_lengths_that_are_converted_are_refused(folder):
    """LAMMPS writes lj lengths where XTC has nm; MDAnalysis makes them ten times as long."""
    own = universe(folder, "run.xtc")
    with pytest.raises(ValueError, match=r"for nm and gives Angstrom.*convert_units=False"):
        Runs(own, unwrapped=True)
    metal = KOB_ANDERSEN.model_copy(update={"units": "metal"})
    raw = universe(folder, "run.xtc", convert_units=False)
    with pytest.raises(ValueError, match=r"leaves them so, but the liquid is in metal units"):
        Runs(raw, unwrapped=True, mixture=metal)
    si = KOB_ANDERSEN.model_copy(update={"units": "si"})
    for either in (own, raw):
        with pytest.raises(ValueError, match=r"the liquid is in si units; take a LAMMPS dump"):
            Runs(either, unwrapped=True, mixture=si)


def test_a_trajectory_of_hoomd_is_wrapped_and_has_steps_but_no_times(tmp_path):
    """Its image flags, which say where a particle is, are not read by MDAnalysis."""
    path = tmp_path / "run.gsd"
    with gsd.hoomd.open(path, "w") as file:
        for k, x in enumerate((2.8, 3.2)):  # across the face at 3
            snapshot = gsd.hoomd.Frame()
            snapshot.configuration.step = 100 * k
            snapshot.configuration.box = [6, 6, 6, 0, 0, 0]
            snapshot.particles.N = 2
            snapshot.particles.position = [[x - 6 * (x > 3), 0, 0], [1, 1, 1]]
            snapshot.particles.image = [[int(x > 3), 0, 0], [0, 0, 0]]
            file.append(snapshot)
    own = MDAnalysis.Universe(path, to_guess=())
    with pytest.raises(ValueError, match=r"run.gsd: MDAnalysis finds no times in this file"):
        Runs(own)
    with pytest.raises(ValueError, match=r"run.gsd: frame 1: atom 0 in order is 0.933 of the box"):
        Runs(own, dt=0.1)


def skewed(folder):
    """A file of HOOMD with one frame in a triclinic box."""
    path = folder / "run.gsd"
    with gsd.hoomd.open(path, "w") as file:
        snapshot = gsd.hoomd.Frame()
        snapshot.configuration.box = [6, 6, 6, 0.3, 0.1, -0.2]
        snapshot.particles.N = 2
        snapshot.particles.position = [[0, 0, 0], [1, 1, 1]]
        file.append(snapshot)
    return path


def test_a_triclinic_box_of_hoomd_is_refused(tmp_path):
    """MDAnalysis takes its tilt factors for cosines of angles."""
    path = skewed(tmp_path)
    with pytest.raises(ValueError, match=r"run.gsd: a triclinic box by MDAnalysis's reader of GSD"):
        Runs(MDAnalysis.Universe(path, to_guess=()), dt=0.1)


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    run_lmp(TWO_DIMENSIONS, folder)
    return open_dump(folder / "run.dump", dt=0.005)


def test_a_two_dimensional_dump_has_the_neighbors_of_the_plane(plane):
    """LAMMPS calls the thin direction periodic, where each particle would see its own images."""
    runs = Runs(plane)
    assert runs.box.cell[2, 2] < 1
    assert runs.box.periodic == (True, True, False)
    graph = PairDistanceChange(plane, cutoff=2.0).graph
    positions = runs.configuration.positions
    between = positions[:, None, :2] - positions[:, :2]
    edges = runs.box.heights[:2]
    apart = np.linalg.norm(between - edges * np.rint(between / edges), axis=2)
    expected = (apart < 2.0).sum() - len(positions)
    assert graph.n_edges == expected
    # which the images that LAMMPS speaks of would more than double
    stacked = Box(runs.box.cell, (True, True, True))
    assert build_graph(replace(runs.configuration, box=stacked), 2.0).n_edges > 2 * expected


def test_quantities_of_a_two_dimensional_dump_lie_in_the_plane(plane):
    runs = Runs(plane)
    initial = runs.configuration.positions
    _, (moved,) = runs.displacements(4)
    assert not moved[:, 2].any()
    assert Propensity(plane).run(frames=[4]).results.propensity[0] == pytest.approx(
        np.linalg.norm(moved[:, :2], axis=1)
    )
    np.testing.assert_array_equal(
        Propensity(plane).run(frames=[4]).results.propensity[0],
        propensity(initial, (initial + moved)[None]),
    )
    scattering = IntermediateScattering(plane, k=6.0)
    np.testing.assert_allclose(scattering.vectors[:, 2], 0, atol=1e-12)
    phases = moved[:, :2] @ scattering.vectors[:, :2].T
    one = (runs.species == 0)[:, None] & np.ones(len(scattering.vectors), bool)
    assert scattering.run(frames=[4]).results.scattering[0, 0] == pytest.approx(
        np.cos(phases[one]).mean()
    )
    squares = MeanSquaredDisplacement(plane).run(frames=[4]).results.mean_squared_displacement
    assert squares[0, 0] == pytest.approx((moved[runs.species == 0] ** 2).sum(axis=1).mean())


def test_the_strain_of_a_two_dimensional_dump_has_four_components(plane):
    """D of a particle by least squares over its neighbors, two unknowns for each direction."""
    analysis = RelativeDisplacement(plane)
    _, (moved,) = analysis.runs.displacements(4)
    mine = analysis.graph.center == 7
    v = analysis.graph.vectors[mine, :2]
    change = moved[7, :2] - moved[analysis.graph.neighbor[mine], :2]
    left = change - v @ np.linalg.lstsq(v, change, rcond=None)[0]
    assert len(v) > 4
    expected = np.sqrt((left**2).sum(axis=1).mean())
    assert analysis.run(frames=[4]).results.d[0, 7] == pytest.approx(expected)


def test_bonds_of_a_two_dimensional_dump_are_counted_in_the_plane(plane):
    bonds = BondBreakage(plane, mixture=KA2D)
    runs = bonds.runs
    between = runs.configuration.positions[:, None, :2] - runs.configuration.positions[:, :2]
    edges = runs.box.heights[:2]
    apart = np.linalg.norm(between - edges * np.rint(between / edges), axis=2)
    lengths = np.array(KA2D.bond_lengths)[runs.species[:, None], runs.species]
    assert bonds.graph.n_edges == (apart < lengths).sum() - len(apart)
    broken = bonds.run(frames=[4]).results.broken[0]
    assert np.nanmin(broken) >= 0
    assert np.nanmax(broken) <= 1


def test_a_mixture_of_three_dimensions_is_refused_for_a_plane(plane):
    with pytest.raises(ValueError, match="kob-andersen is three-dimensional, but all particles"):
        Propensity(plane, mixture=KOB_ANDERSEN)


@pytest.mark.parametrize("name", ["run.xtc", "unwrapped.dcd"])
def test_a_copy_of_a_file_in_memory_is_refused(folder, name):
    """It has the lengths and times that the reader of the file made, and does not say which."""
    own = universe(folder, name)
    own.transfer_to_memory()
    with pytest.raises(ValueError, match=rf"{name}: a copy of the file in memory.* in_memory=True"):
        Runs(own, unwrapped=True, dt=0.5)


def test_a_triclinic_box_is_refused_from_memory_too(tmp_path):
    path = skewed(tmp_path)
    own = MDAnalysis.Universe(path, to_guess=(), dt=0.1)
    own.transfer_to_memory()
    with pytest.raises(ValueError, match=r"run.gsd: a copy of the file in memory"):
        Runs(own, dt=0.1)


def test_times_of_a_file_are_not_replaced(folder):
    own = universe(folder, "run.xtc", convert_units=False)
    with pytest.raises(ValueError, match=r"run.xtc: MDAnalysis knows the time .* found dt=2"):
        Runs(own, unwrapped=True, dt=2)


def test_frames_at_uneven_steps_have_no_single_time_between_them(tmp_path):
    for steps in ([0, 100, 200], [0, 100, 1000]):
        with gsd.hoomd.open(tmp_path / "run.gsd", "w") as file:
            for step in steps:
                snapshot = gsd.hoomd.Frame()
                snapshot.configuration.step = step
                snapshot.configuration.box = [6, 6, 6, 0, 0, 0]
                snapshot.particles.N = 2
                snapshot.particles.position = [[0, 0, 0], [1, 1, 1]]
                file.append(snapshot)
        own = MDAnalysis.Universe(tmp_path / "run.gsd", to_guess=())
        if steps[-1] == 200:
            assert Runs(own, dt=0.5).times().tolist() == [0, 0.5, 1]
        else:
            with pytest.raises(ValueError, match=r"run.gsd: frame 2 is 900 steps after"):
                Runs(own, dt=0.5)

"""Scores of trajectories: equal to the fix, whatever the file they come from."""

import gzip
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import MDAnalysis
import numpy as np
import pytest
from dumps import write
from lmp import all_images, liquid, read_dump, run_lmp
from score_runs import LENGTHS, dump_text, liquid_configuration, liquid_frames, neighbors, run, toy
from toy_models import Walks, save_model

from lammps_botan.files.lammps_data import write_lammps_data
from lammps_botan.files.trajectory import open_dump, open_frames
from lammps_botan.network.predictor import Predictor
from lammps_botan.prediction.trajectory import score
from lammps_botan.structure.graph import build_graph

ROOT = Path(__file__).resolve().parents[1]
GLASS = ROOT / "inputs" / "ka-t064.data"
ROUNDING = 2e-5  # one graph, other order of float32 sums

# two frames of the shipped glass, scored by the fix
RUN = f"""
units lj
read_data {GLASS}
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
fix mob all botan {{every}} ka-t044 A B
dump atoms all custom {{every}} {{name}}.dump id type x y z f_mob
dump_modify atoms format float %.15g
dump bonds all local {{every}} {{name}}.bonds f_mob[1] f_mob[2] f_mob[3] f_mob[4]
dump_modify bonds format float %.9g
{{run}}
"""


def bonds_by_ids(frame, names):
    table = np.column_stack([frame[name] for name in names])
    return table[np.lexsort((table[:, 1], table[:, 0]))]


@pytest.fixture(scope="module")
def glass(tmp_path_factory):
    """A run of the shipped glass that the fix scored, scored again from its dump."""
    folder = tmp_path_factory.mktemp("glass")
    motion = "timestep 0.003\nvelocity all create 0.64 7\nfix nve all nve\nrun 100"
    run_lmp(RUN.format(every=100, name="fix", run=motion), folder)
    run(
        *("score", folder / "fix.dump", "--model", "ka-t044", "--species", "A", "B"),
        *("--out", folder / "scored.dump", "--bonds", folder / "scored.bonds"),
    )
    return folder


def test_score_gives_the_numbers_of_the_fix(glass):
    fix, scored = read_dump(glass / "fix.dump"), read_dump(glass / "scored.dump")
    assert [frame.step for frame in scored] == [frame.step for frame in fix] == [0, 100]
    for a, b in zip(fix, scored, strict=True):
        np.testing.assert_array_equal(a["id"], b["id"])
        np.testing.assert_array_equal(a["type"], b["type"])
        np.testing.assert_allclose(b.cell, a.cell, rtol=1e-15)
        np.testing.assert_allclose(b["d_propensity"], a["f_mob"], atol=ROUNDING)
    fix_bonds, scored_bonds = read_dump(glass / "fix.bonds"), read_dump(glass / "scored.bonds")
    for a, b in zip(fix_bonds, scored_bonds, strict=True):
        theirs = bonds_by_ids(a, [f"f_mob[{k}]" for k in (1, 2, 3, 4)])
        names = ["id_center", "id_neighbor", "distance", "pair_distance_change"]
        ours = bonds_by_ids(b, names)
        np.testing.assert_array_equal(ours[:, :2], theirs[:, :2])
        np.testing.assert_allclose(ours[:, 2:], theirs[:, 2:], atol=ROUNDING)


def test_rerun_of_the_scored_dump_gives_its_numbers(glass):
    again = "rerun scored.dump dump x y z"
    run_lmp(RUN.format(every=1, name="rerun", run=again), glass)
    scored, rerun = read_dump(glass / "scored.dump"), read_dump(glass / "rerun.dump")
    assert [frame.step for frame in rerun] == [0, 100]
    for a, b in zip(scored, rerun, strict=True):
        np.testing.assert_allclose(b["f_mob"], a["d_propensity"], atol=ROUNDING)
        assert a["d_propensity"].std() > 0.1  # there is something to compare


BOXES = {
    "orthogonal": {},
    "triclinic": {"region": "prism 0 3 -1 2 0 3 0.9 0.4 -0.7"},
    "not periodic along y": {
        "before_box": "boundary p f p",
        "after_box": "change_box all y delta -1 1",
    },
}
DUMPS = """
dump a all custom 10 xu.dump id type xu yu zu
dump b all custom 10 x.dump id type x y z
dump c all custom 10 xs.dump.gz zs ys xs vx type id
dump d all custom 10 xsu.dump id type xsu ysu zsu
dump e all custom 10 images.dump id type x y z ix iy iz
dump_modify a format float %.16g units yes time yes
dump_modify b format float %.16g sort id
dump_modify c format float %.16g
dump_modify d format float %.16g
dump_modify e format float %.16g
run 20
"""


@pytest.mark.parametrize("box", BOXES)
def test_all_coordinates_of_a_dump_do(box, tmp_path):
    run_lmp(liquid(**BOXES[box]) + DUMPS, tmp_path)
    model = save_model(tmp_path / "toy.pt", Walks(rounds=3))
    expected = [all_images(f, 2.0).walks(len(f["id"]), 3) for f in read_dump(tmp_path / "x.dump")]
    assert len(expected) == 3
    for name in ("xu.dump", "x.dump", "xs.dump.gz", "xsu.dump", "images.dump"):
        out = tmp_path / f"scored {name}"
        printed = run("score", tmp_path / name, "-m", model, "-o", out).output
        assert f"wrote {out}, 3 frames" in printed
        if name.endswith(".gz"):
            out.with_suffix("").write_bytes(gzip.decompress(out.read_bytes()))
            out = out.with_suffix("")
        scored = read_dump(out)
        for a, b in zip(read_dump(tmp_path / "x.dump"), scored, strict=True):
            assert (a.step, a.periodic) == (b.step, b.periodic)
            np.testing.assert_allclose(b.cell, a.cell, atol=1e-12)
            inside = (b.positions - a.positions) @ np.linalg.inv(a.cell)
            np.testing.assert_allclose(inside, np.rint(inside), atol=1e-10)
        for frame, walks in zip(scored, expected, strict=True):
            np.testing.assert_array_equal(frame["d_propensity"], walks)


@pytest.fixture
def trajectory(tmp_path):
    positions, types = liquid_frames()
    return positions, types, write(tmp_path / "run.dump", *dump_text(positions, types))


def propensities(path):
    return np.array([frame["d_propensity"] for frame in read_dump(path)])


def test_files_of_other_programs_do(trajectory, tmp_path):
    positions, types, _ = trajectory
    model, out = toy(tmp_path), tmp_path / "scored.dump"
    expected = [neighbors(x) for x in positions]
    first = liquid_configuration(positions[0], types)
    write_lammps_data(tmp_path / "run.data", first, "liquid")
    run("score", tmp_path / "run.data", "--model", model, "--out", out)
    np.testing.assert_array_equal(propensities(out), expected[:1])

    universe = open_dump(write(tmp_path / "xu.dump", *dump_text(positions, types, columns=XU)))
    universe.atoms.write(tmp_path / "run.dcd", frames="all")
    topology = ("--topology", tmp_path / "run.data")
    run("score", tmp_path / "run.dcd", *topology, "--model", model, "--out", out)
    np.testing.assert_array_equal(propensities(out), expected)

    names = np.array(["A", "B"], dtype=object)[types - 1]
    universe.add_TopologyAttr("names", names)
    universe.atoms.write(tmp_path / "run.xyz", frames="all")
    box = ("--box", *LENGTHS)
    for species in ([], ["--species", "A", "B"]):
        run("score", tmp_path / "run.xyz", *box, "--model", model, "--out", out, *species)
        np.testing.assert_array_equal(propensities(out), expected)
        assert [frame["type"].tolist() for frame in read_dump(out)] == [types.tolist()] * 3


XU = "id type xu yu zu"


def test_gsd_files_do(trajectory, tmp_path):
    gsd = pytest.importorskip("gsd.hoomd", reason="gsd is not installed; MDAnalysis needs it")
    positions, types, _ = trajectory
    with gsd.open(tmp_path / "run.gsd", "w") as file:
        for k, x in enumerate(positions):
            frame = gsd.Frame()
            frame.configuration.step = 100 * k
            frame.configuration.box = [*LENGTHS, 0, 0, 0]
            frame.particles.N = len(types)
            # its box is centered
            centered = x - LENGTHS / 2
            frame.particles.position = centered - LENGTHS * np.rint(centered / LENGTHS)
            frame.particles.types, frame.particles.typeid = ["A", "B"], types - 1
            file.append(frame)
    out = tmp_path / "scored.dump"
    run("score", tmp_path / "run.gsd", "--model", toy(tmp_path), "--out", out)
    np.testing.assert_array_equal(propensities(out), [neighbors(x) for x in positions])
    assert [frame.step for frame in read_dump(out)] == [0, 100, 200]


def test_every_kth_frame_is_scored(tmp_path):
    positions, types = liquid_frames(7)
    dump = write(tmp_path / "run.dump.gz", *dump_text(positions, types))
    out = tmp_path / "scored.dump"
    run("score", dump, "--model", toy(tmp_path), "--out", out, "--every", "3")
    assert [frame.step for frame in read_dump(out)] == [0, 30, 60]
    np.testing.assert_array_equal(propensities(out), [neighbors(x) for x in positions[::3]])


def test_atoms_may_come_and_go(tmp_path):
    positions, types = liquid_frames(2)
    first = dump_text(positions[:1], types)[0]
    fewer = [x[:50] for x in positions[1:]]
    second = dump_text(np.array(fewer), types[:50], ids=np.arange(50, 0, -1))[0]
    out = tmp_path / "scored.dump"
    dump = write(tmp_path / "run.dump", first, second)
    run("score", dump, "--model", toy(tmp_path), "--out", out)
    a, b = read_dump(out)
    np.testing.assert_array_equal(a["d_propensity"], neighbors(positions[0]))
    np.testing.assert_array_equal(b["d_propensity"], neighbors(positions[1][:50])[::-1])


def test_workers_keep_the_order_of_the_frames(tmp_path):
    positions, types = liquid_frames(7)
    dump = write(tmp_path / "run.dump", *dump_text(positions, types))
    out, bonds = tmp_path / "scored.dump", tmp_path / "scored.bonds"
    arguments = ("score", dump, "--model", toy(tmp_path), "--out", out, "--bonds", bonds)
    run(*arguments)
    one = out.read_bytes(), bonds.read_bytes()
    run(*arguments, "--workers", "2")
    assert (out.read_bytes(), bonds.read_bytes()) == one
    np.testing.assert_array_equal(propensities(out), [neighbors(x) for x in positions])


def test_a_type_mapped_to_null_is_not_in_the_graph(trajectory, tmp_path):
    positions, types, dump = trajectory
    out, bonds = tmp_path / "scored.dump", tmp_path / "scored.bonds"
    model = toy(tmp_path)
    command = ("score", dump, "--model", model, "--out", out, "--bonds", bonds)
    run(*command, "--species", "A", "NULL", "--every", "1")
    expected = np.zeros((3, len(types)))
    for k, x in enumerate(positions):
        expected[k, types == 1] = neighbors(x[types == 1])
    np.testing.assert_array_equal(propensities(out), expected)
    ids = set(np.flatnonzero(types == 1) + 1)
    for frame in read_dump(bonds):
        assert set(frame["id_center"]) | set(frame["id_neighbor"]) <= ids


def test_species_are_in_the_order_of_the_types(trajectory, tmp_path):
    positions, types, _ = trajectory
    model = save_model(tmp_path / "toy.pt", Walks(node_outputs=2))
    frame = liquid_configuration(positions[0], types)
    (swapped,) = score(frame, model, species=["B", "A"])
    np.testing.assert_array_equal(swapped.propensity[:, 1], 2 - types)
    later = liquid_configuration(positions[0], types + 1)
    (several,) = score(later, model, species=["NULL", "A", "B"])
    np.testing.assert_array_equal(several.propensity[:, 1], types - 1)


def test_several_outputs_have_a_column_each(trajectory, tmp_path):
    positions, types, dump = trajectory
    model = save_model(tmp_path / "toy.pt", Walks(node_outputs=2, edge_outputs=2))
    out, bonds = tmp_path / "scored.dump", tmp_path / "scored.bonds"
    run("score", dump, "--model", model, "--out", out, "--bonds", bonds)
    for frame, x in zip(read_dump(out), positions, strict=True):
        np.testing.assert_array_equal(frame["d_propensity"], neighbors(x))
        np.testing.assert_array_equal(frame["d_walks_1"], types - 1)
    for frame in read_dump(bonds):
        first, second = (
            types[frame[name].astype(int) - 1] - 1 for name in ("id_center", "id_neighbor")
        )
        change = frame["pair_distance_change"]  # the toy says the distance
        np.testing.assert_allclose(change, frame["distance"], rtol=1e-6)
        np.testing.assert_array_equal(frame["edge_1"], 10 * first + second)


def test_a_model_without_edge_outputs_has_bonds_without_a_change(trajectory, tmp_path):
    model = save_model(tmp_path / "toy.pt", Walks(edge_outputs=0))
    bonds = tmp_path / "scored.bonds"
    run("score", trajectory[2], "-m", model, "-o", tmp_path / "s.dump", "--bonds", bonds)
    for frame, x in zip(read_dump(bonds), trajectory[0], strict=True):
        assert list(frame.columns) == ["id_center", "id_neighbor", "distance"]
        assert len(frame["distance"]) == neighbors(x, 1.35).sum()
        assert frame["distance"].max() < 1.35


def test_configurations_and_universes_give_what_the_predictor_gives(trajectory, tmp_path):
    positions, types, dump = trajectory
    expected = []
    for x in positions:
        graph = build_graph(liquid_configuration(x, types), cutoff=2.0)
        expected.append((graph, Predictor("ka-t044").predict_graph(graph)))
    universe = MDAnalysis.Universe.empty(len(types), trajectory=True)
    universe.add_TopologyAttr("types", types.astype(str))
    universe.load_new(positions.astype(np.float32), dimensions=[*LENGTHS, 90, 90, 90])
    sources = {
        "frames": (liquid_configuration(x, types, step=k) for k, x in enumerate(positions)),
        "dump": open_frames(dump),
        "universe": universe,
        "dump universe": open_dump(
            write(tmp_path / "u.dump", *dump_text(positions, types, columns=XU))
        ),
    }
    for source in sources.values():
        for scored, (graph, prediction) in zip(score(source, "ka-t044"), expected, strict=True):
            np.testing.assert_allclose(scored.propensity, prediction.node, atol=ROUNDING)
            near = graph.distances < 1.35
            np.testing.assert_array_equal(scored.center, graph.center[near] + 1)
            np.testing.assert_array_equal(scored.neighbor, graph.neighbor[near] + 1)
            np.testing.assert_allclose(scored.changes, prediction.edge[near], atol=ROUNDING)


def dump_universe(path):
    """A Universe by MDAnalysis's own reader of dumps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MDAnalysis.Universe(str(path), format="LAMMPSDUMP", topology_format="LAMMPSDUMP")


def test_a_universe_over_a_dump_is_scored_with_the_types_of_each_frame(trajectory, tmp_path):
    """MDAnalysis itself gives all frames the types of the first one."""
    positions, types, _ = trajectory
    swapped = 3 - types
    text = dump_text(positions[:1], types) + dump_text(positions[1:2], swapped)
    path = write(tmp_path / "u.dump", *text)
    for scored, x, own in zip(
        score(dump_universe(path), "ka-t044"), positions, (types, swapped), strict=False
    ):
        expected = Predictor("ka-t044").predict(liquid_configuration(x, own)).node
        np.testing.assert_array_equal(scored.ids, np.arange(len(types)) + 1)
        np.testing.assert_array_equal(scored.types, own)
        np.testing.assert_allclose(scored.propensity, expected, atol=ROUNDING)


def test_a_universe_with_other_types_than_its_dump_is_refused(trajectory):
    universe = dump_universe(trajectory[2])
    universe.atoms.types = 3 - universe.atoms.types.astype(int)
    with pytest.raises(ValueError, match="other types than those of the file"):
        score(universe, "ka-t044")


FLAT = liquid(
    before_box="dimension 2",
    region="block 0 8 0 8 -0.1 0.1",
    dz=0.0,
    after_box="fix plane all enforce2d",
).replace("lattice fcc", "lattice sq")


def test_two_dimensional_runs_are_scored_in_the_plane(tmp_path):
    """LAMMPS writes `pp pp pp` and a thin box; there are no images along z."""
    dump = "dump a all custom 10 flat.dump id type x y z\ndump_modify a format float %.17g\n"
    run_lmp(f"{FLAT}\n{dump}run 20\nwrite_data flat.data", tmp_path)
    model = save_model(tmp_path / "flat.pt", Walks(rounds=2), mixture={"dimension": 2})
    frames = read_dump(tmp_path / "flat.dump")
    for frame in frames:
        frame.periodic = (True, True, False)
    expected = [all_images(frame, 2.0).walks(len(frame["id"]), 2) for frame in frames]
    out = tmp_path / "scored.dump"
    run("score", tmp_path / "flat.dump", "-m", model, "--out", out)
    np.testing.assert_array_equal(propensities(out), expected)
    run("score", tmp_path / "flat.data", "-m", model, "--out", out)
    np.testing.assert_array_equal(propensities(out), expected[-1:])


def test_files_in_nanometers_are_scored_in_the_units_of_the_run(tmp_path):
    dumps = """
    dump a all custom 10 run.dump id type x y z
    dump_modify a format float %.17g
    dump b all xtc 10 run.xtc
    dump_modify b precision 1000000
    run 20
    """
    run_lmp(liquid().replace("units lj", "units metal") + dumps, tmp_path)
    model = save_model(tmp_path / "metal.pt", mixture={"units": "metal", "name": "metallic"})
    expected = [all_images(f, 2.0).walks(len(f["id"]), 1) for f in read_dump(tmp_path / "run.dump")]
    command = ("score", tmp_path / "run.xtc", "-m", model, "--topology", tmp_path / "run.dump")
    out = ("--out", tmp_path / "scored.dump")
    assert "say the units of the simulation" in run(*command, *out, fails=True).output
    run(*command, *out, "--units", "metal")
    np.testing.assert_array_equal(propensities(out[1]), expected)
    assert "kob-andersen in lj units" in run(
        *command[:3], toy(tmp_path), *command[4:], *out, "--units", "metal", fails=True
    ).output.replace("\n", " ")


def test_species_are_told_by_their_names_where_there_are_names(trajectory, tmp_path):
    positions, types, _ = trajectory
    model = save_model(tmp_path / "toy.pt", Walks(node_outputs=2))
    plain = liquid_configuration(positions[0], types)
    (named,) = score(replace(plain, species_names=("B", "A")), model)
    np.testing.assert_array_equal(named.propensity[:, 1], 2 - types)
    words = score(replace(plain, species_names=("x", "y")), model, species="B A")
    np.testing.assert_array_equal(next(words).propensity[:, 1], 2 - types)


def test_bonds_end_at_the_longest_bond_length_of_the_mixture_or_where_told(trajectory, tmp_path):
    positions, types, _ = trajectory
    lengths = [[1.1, 1.6], [1.6, 0.7]]
    model = save_model(tmp_path / "toy.pt", mixture={"bond_lengths": lengths})
    plain = liquid_configuration(positions[0], types)
    for options, length in (({}, 1.6), ({"bonds": 1.2}, 1.2)):
        (scored,) = score(plain, model, **options)
        assert len(scored.center) == neighbors(positions[0], length).sum()


def test_scoring_from_python_needs_no_file_and_takes_frames_when_asked(tmp_path):
    positions, types = liquid_frames(1)
    asked = []

    def frames():
        for k in range(1000):
            asked.append(k)
            yield liquid_configuration(positions[0], types)

    scores = score(frames(), toy(tmp_path), every=2)
    np.testing.assert_array_equal(next(scores).propensity[:, 0], neighbors(positions[0]))
    next(scores)
    assert asked == [0, 1, 2]


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path):
    positions, types = liquid_frames(1)
    text = dump_text(positions, types)[0]
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from lammps_botan.prediction.trajectory import score_file\n"
        "peaks = []\n"
        "for n, *_ in score_file(*sys.argv[1:3], Path(sys.argv[3])):\n"
        "    if n % 200 == 0: peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        "print(*peaks)"
    )
    write(tmp_path / "run.dump", *[text] * 600)
    command = [sys.executable, "-P", "-c", code]
    command += [tmp_path / "run.dump", toy(tmp_path), tmp_path / "s"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peaks = [int(word) for word in done.stdout.split()]
    assert len(peaks) == 3
    # kB; the dump has 2.6 MB
    assert peaks[-1] - peaks[0] < 1500

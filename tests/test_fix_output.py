"""What `fix botan` computes can be used wherever LAMMPS takes the output of a fix."""

import numpy as np
import pytest
from fix_toys import EDGE_OUTPUTS, Walks, edge_columns, save_model, save_without_edges
from lmp import all_images, liquid, read_dump, run_lmp

CUTOFF = 2.0
RANKS = pytest.mark.parametrize("ranks", [1, 2])
FULL = "dump_modify {} format float %.17g"


def table(path):
    """Rows of a file of fix ave/time or fix print: numbers below the lines of comment."""
    return np.loadtxt(path, comments="#", ndmin=2)


@RANKS
def test_global_values_are_averages_of_the_atoms(tmp_path, ranks):
    """Scalar: mean; vector: mean of A, of B, deviation, edges, seconds."""
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B
    dump d all custom 10 d.txt id type x y z f_g
    {FULL.format("d")}
    thermo 10
    thermo_style custom step f_g f_g[1] f_g[2] f_g[3] f_g[4] f_g[5]
    thermo_modify format float %.12g
    run 40"""
    rows = run_lmp(script, tmp_path, ranks=ranks).thermo()
    frames = read_dump(tmp_path / "d.txt")
    assert [row["Step"] for row in rows] == [frame.step for frame in frames] == [0, 10, 20, 30, 40]
    for row, frame in zip(rows, frames, strict=True):
        values, second = frame["f_g"], frame["type"] == 2
        assert row["f_g"] == pytest.approx(values.mean())
        assert row["f_g[1]"] == pytest.approx(values[~second].mean())
        assert row["f_g[2]"] == pytest.approx(values[second].mean())
        assert row["f_g[3]"] == pytest.approx(values.std())
        assert row["f_g[4]"] == len(all_images(frame, CUTOFF).center)
        assert row["f_g[5]"] > 0.0


@RANKS
def test_bond_rows_hold_both_ids_the_distance_and_the_edge_outputs(tmp_path, ranks):
    save_model(tmp_path / "m.pt", Walks(edge_outputs=EDGE_OUTPUTS))
    columns = [f"f_g[{k}]" for k in range(1, 4 + EDGE_OUTPUTS)]
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B bonds 1.2
    dump d all custom 10 d.txt id type x y z
    {FULL.format("d")}
    dump b all local 10 b.txt {" ".join(columns)}
    {FULL.format("b")}
    run 20"""
    run_lmp(script, tmp_path, ranks=ranks)
    frames, bonds = read_dump(tmp_path / "d.txt"), read_dump(tmp_path / "b.txt")
    assert len(frames) == len(bonds) == 3
    for frame, rows in zip(frames, bonds, strict=True):
        edges = all_images(frame, 1.2)
        r = np.linalg.norm(edges.vectors, axis=1)
        ids, species = frame["id"], frame["type"] - 1
        code = 10 * species[edges.center] + species[edges.neighbor]
        outputs = edge_columns(edges.vectors, code)
        expected = np.column_stack((ids[edges.center], ids[edges.neighbor], r, outputs))
        found = np.stack([rows[name] for name in columns], axis=1)
        # no row is twice there: the third key parts images of one neighbor
        keys = (2, 1, 0)
        np.testing.assert_allclose(
            found[np.lexsort(found.T[list(keys)])],
            expected[np.lexsort(expected.T[list(keys)])],
            atol=1e-6,
        )


def test_bonds_are_those_within_1_35_by_default(tmp_path):
    save_model(tmp_path / "m.pt")
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B
    compute longest all reduce max f_g[3] inputs local
    thermo_style custom step c_longest
    run 0"""
    (row,) = run_lmp(script, tmp_path).thermo()
    assert 1.3 < row["c_longest"] < 1.35


def test_a_model_without_edge_outputs_still_gives_the_bonds(tmp_path):
    save_without_edges(tmp_path / "m.pt")
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B bonds 2.0
    dump b all local 10 b.txt f_g[1] f_g[2] f_g[3]
    thermo_style custom step f_g[4]
    run 0"""
    (row,) = run_lmp(script, tmp_path).thermo()
    (bonds,) = read_dump(tmp_path / "b.txt")
    assert len(bonds["f_g[1]"]) == row["f_g[4]"]


@RANKS
def test_several_node_outputs_make_an_array(tmp_path, ranks):
    """Columns stay with their atoms while these migrate."""
    save_model(tmp_path / "m.pt", Walks(rounds=2, node_outputs=3))
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B
    dump d all custom 10 d.txt id type x y z f_g[1] f_g[2] f_g[3]
    {FULL.format("d")}
    thermo_style custom step f_g
    thermo_modify format float %.12g
    run 100"""
    rows = run_lmp(script, tmp_path, ranks=ranks).thermo()
    frames = read_dump(tmp_path / "d.txt")
    for frame in frames:
        walks = all_images(frame, CUTOFF).walks(len(frame["id"]), 2)
        np.testing.assert_array_equal(frame["f_g[1]"], walks)
        np.testing.assert_array_equal(frame["f_g[2]"], frame["type"] - 1)
        assert not frame["f_g[3]"].any()
    assert rows[-1]["f_g"] == pytest.approx(frames[-1]["f_g[1]"].mean())


@RANKS
def test_the_group_selects_what_is_reported_not_what_is_in_the_graph(tmp_path, ranks):
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"""{liquid()}
    group some id 1:40
    fix every all botan 10 m.pt A B bonds 2.0
    fix some some botan 10 m.pt A B bonds 2.0
    dump d all custom 10 d.txt id f_every f_some
    dump b all local 10 b.txt f_some[1] f_some[2] f_some[3] f_some[4]
    thermo_style custom step f_every[4] f_some f_some[4]
    thermo_modify format float %.12g
    run 0"""
    (row,) = run_lmp(script, tmp_path, ranks=ranks).thermo()
    (frame,) = read_dump(tmp_path / "d.txt")
    (bonds,) = read_dump(tmp_path / "b.txt")
    inside = frame["id"] <= 40
    np.testing.assert_array_equal(frame["f_some"][inside], frame["f_every"][inside])
    assert not frame["f_some"][~inside].any()
    assert row["f_some"] == pytest.approx(frame["f_some"][inside].mean())
    assert row["f_some[4]"] == row["f_every[4]"]
    assert max(bonds["f_some[1]"].max(), bonds["f_some[2]"].max()) == 40


def test_an_empty_group_and_an_absent_species_average_to_zero(tmp_path):
    save_model(tmp_path / "m.pt")
    script = f"""{liquid()}
    group nobody id 99999
    fix empty nobody botan 10 m.pt A B
    fix half all botan 10 m.pt A NULL
    thermo_style custom step f_empty f_empty[1] f_empty[3] f_half f_half[1] f_half[2]
    run 0"""
    (row,) = run_lmp(script, tmp_path).thermo()
    assert row["f_empty"] == row["f_empty[1]"] == row["f_empty[3]"] == row["f_half[2]"] == 0
    assert row["f_half"] == row["f_half[1]"] > 0


@RANKS
def test_computes_variables_and_averaging_fixes_take_the_output(tmp_path, ranks):
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B
    compute atoms all reduce ave f_g
    compute bonds all reduce ave f_g[3] inputs local
    variable mean equal f_g[1]
    variable relative atom f_g/v_mean
    variable twice equal 2*f_g
    compute relative all reduce ave v_relative
    fix average all ave/time 10 1 10 f_g f_g[3] file average.txt
    fix atoms all ave/atom 10 2 20 f_g
    fix spread all ave/histo 10 1 10 0 4000 40 f_g mode vector kind peratom file histogram.txt
    dump d all custom 20 d.txt id f_g f_atoms v_relative
    thermo 10
    thermo_style custom step f_g f_g[1] f_g[3] c_atoms c_bonds c_relative v_twice
    thermo_modify format float %.10g
    run 40"""
    rows = run_lmp(script, tmp_path, ranks=ranks).thermo()
    for row in rows:
        assert row["c_atoms"] == pytest.approx(row["f_g"])
        assert row["v_twice"] == pytest.approx(2 * row["f_g"])
        assert row["c_relative"] == pytest.approx(row["f_g"] / row["f_g[1]"])
        assert 0.8 < row["c_bonds"] < 1.35
    averages = table(tmp_path / "average.txt")
    np.testing.assert_allclose(averages[:, 1], [row["f_g"] for row in rows], rtol=1e-4)
    np.testing.assert_allclose(averages[:, 2], [row["f_g[3]"] for row in rows], rtol=1e-4)
    frames = read_dump(tmp_path / "d.txt")
    assert frames[-1]["f_atoms"].mean() == pytest.approx(
        (rows[-1]["f_g"] + rows[-2]["f_g"]) / 2, rel=1e-4
    )
    assert (tmp_path / "histogram.txt").exists()


def test_output_between_scorings_is_refused_by_lammps(tmp_path):
    save_model(tmp_path / "m.pt")
    script = f"{liquid()}\nfix g all botan 10 m.pt A B\nthermo_style custom step f_g\nthermo 5"
    run = run_lmp(script + "\nrun 10", tmp_path, succeeds=False)
    assert "not computed at compatible times" in run.error

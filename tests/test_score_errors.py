"""What `lammps-botan score` refuses, with its message; frames already written stay."""

import gzip
import os
from dataclasses import replace
from pathlib import Path

import MDAnalysis
import numpy as np
import pytest
from dumps import write
from lmp import read_dump
from score_runs import (
    LENGTHS,
    dump_text,
    liquid_configuration,
    liquid_frames,
    neighbors,
    run,
    toy,
    whole_frames,
)
from toy_models import Walks, save_model

from lammps_botan.prediction.trajectory import score, score_file
from lammps_botan.structure.box import Box

POSITIONS, TYPES = liquid_frames(3)
FIRST = liquid_configuration(POSITIONS[0], TYPES)


def refused(path, model, *arguments, out=None):
    """What the command says when it fails."""
    out = out or Path(model).parent / "scored.dump"
    printed = run("score", path, "--model", model, "--out", out, *arguments, fails=True).output
    assert "Traceback" not in printed
    return " ".join(printed.split())


def with_nan(positions):
    bad = positions.copy()
    bad[4, 1] = np.nan
    return bad


@pytest.mark.parametrize("workers", [1, 2])
def test_the_frames_before_a_bad_one_are_written(workers, tmp_path):
    texts = [
        dump_text(
            x[None],
            TYPES,
        )[0]
        for x in (*POSITIONS[:2], with_nan(POSITIONS[2]))
    ]
    dump = write(tmp_path / "run.dump", *texts)
    message = refused(dump, toy(tmp_path), "--workers", workers)
    assert f"stopped; {tmp_path / 'scored.dump'} holds the 2 frames scored so far" in message
    assert f"{dump}: frame 2 (step 0): atom ID 5 is at" in message
    assert "nan" in message
    assert "not a number; remove the frame" in message
    assert whole_frames(tmp_path / "scored.dump", [neighbors(x) for x in POSITIONS]) == 2


def second(**changes):
    options = {"types": TYPES, "positions": POSITIONS[1], **changes}
    return dump_text(options.pop("positions")[None], options.pop("types"), **options)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (second(types=TYPES + 1), "atoms of type 3, but species for 2 types: A B; give --species"),
        (second(types=TYPES - 1), "expected integers from 1 to 10000 as type, found 0"),
        (second(columns="id type xu y zu"), "no coordinates in ITEM: ATOMS id type xu y zu; use"),
        (second(columns="id mol x y z"), "no column type in ITEM: ATOMS id mol x y z; use dump 1"),
        (second(units="metal"), "is in metal units, but kob-andersen in lj units"),
        (second(ids=np.ones(len(TYPES), int)), "atom ID 1 appears twice"),
        (second(types=TYPES + 0.5), "expected integers as type, found 1.5"),
        (second(ids=np.arange(len(TYPES)) + 1.5), "expected integers as id, found 1.5"),
        (second().replace("5.0", "1.5"), "the box is 1.5 wide along x, not more than the cutoff"),
        (second().replace("5.0", "0.0"), "the box must span a finite volume"),
        (second()[:-100], f"the file ends before the {len(TYPES)} rows announced; wait until"),
        (second()[:60], "frame 1: "),
        (second().replace(" 1 ", " one ", 1), "could not convert string 'one'"),
        ("1 1 0.5 0.5 0.5\n", f"expected {len(TYPES)} rows, found '1 1 0.5"),
    ],
)
def test_a_frame_that_cannot_be_scored_is_named(text, message, tmp_path):
    dump = write(tmp_path / "run.dump", second(), text)
    printed = refused(dump, toy(tmp_path))
    assert message in printed
    assert f"{dump}: frame " in printed
    assert whole_frames(tmp_path / "scored.dump", [neighbors(POSITIONS[1])]) == 1


def test_a_truncated_archive_gives_the_frames_before(tmp_path):
    positions, types = liquid_frames(9)
    dump = write(tmp_path / "run.dump.gz", *dump_text(positions, types))
    dump.write_bytes(dump.read_bytes()[:-4000])
    printed = refused(dump, toy(tmp_path))
    assert f"{dump}: frame 7 (step 70): damaged file: the archive is cut short; wait" in printed
    expected = [neighbors(x) for x in positions]
    assert whole_frames(tmp_path / "scored.dump", expected) == 7


def test_a_damaged_archive_is_refused(tmp_path):
    content = bytearray(gzip.compress("".join(second() for _ in range(9)).encode()))
    content[len(content) // 2 :][:50] = bytes(50)
    content[len(content) // 2 : len(content) // 2 + 50] = bytes(50)
    dump = tmp_path / "run.dump.gz"
    dump.write_bytes(content)
    printed = refused(dump, toy(tmp_path))
    assert f"{dump}: frame " in printed


def test_a_file_that_cannot_be_read_leaves_the_output_as_it_was(tmp_path):
    out = tmp_path / "scored.dump"
    empty = write(tmp_path / "empty.dump")
    model = toy(tmp_path)
    for path, message in (
        (empty, "empty.dump: the file is empty; expected a LAMMPS dump"),
        (tmp_path / "absent.dump", "absent.dump: no such file"),
        (
            write(tmp_path / "new.dump", second(units="metal")),
            "frame 0 (step 0): is in metal units",
        ),
        (write(tmp_path / "run.txt", "hello\n"), "run.txt: is no trajectory that is known here"),
        (write(tmp_path / "a.data", "title\n\n3 atoms\n"), "no line '... xlo xhi'; expected"),
        (write(tmp_path / "b.data", "title\n\n"), "no line '... atoms'; expected a LAMMPS data"),
    ):
        assert message in refused(path, model, out=out)
        assert not out.exists()
    write(out, "of another run\n")
    assert "the file is empty" in refused(empty, model)
    assert out.read_text() == "of another run\n"


def test_arguments_that_do_not_fit_are_refused_before_anything_is_written(tmp_path):
    model = toy(tmp_path)
    dump = write(tmp_path / "run.dump", second())
    other = write(tmp_path / "link.dump")
    other.unlink()
    other.symlink_to(dump)
    data = write(tmp_path / "top.data")
    out = tmp_path / "scored.dump"
    cases = [
        (("--species", "A"), "atoms of type 2, but species for 1 types: A; give --species"),
        (("--species", "A", "C"), "kob-andersen has no species 'C'; it has A, B (and NULL"),
        (("--species", "NULL", "NULL"), "at least one of them of A, B"),
        (("--every", "0"), "every must be at least 1, found 0"),
        (("--workers", "0"), "workers must be at least 1, found 0"),
        (("--bonds", out), "scored.dump: would be written twice; give the output another name"),
        (("--bonds", model), "toy.pt: is read too; give the output another name"),
        (("--bonds", tmp_path / "no" / "s.bonds"), "there is no folder"),
        (("--topology", data), "a LAMMPS file has types and box; give no other ones"),
        (("--box", 5, 5, 5), "a LAMMPS file has types and box; give no other ones"),
    ]
    for arguments, message in cases:
        assert message in refused(dump, model, *arguments)
        assert not out.exists()
    assert "link.dump: is read too" in refused(dump, model, out=other)
    assert "no model that ships has this name" in refused(dump, tmp_path / "no.pt")
    assert "bonds must be positive" in _error(FIRST, model, bonds=3)
    assert read_dump(dump)[0].step == 0


def _error(source, model, **options):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (what it says is looked at)
        list(score(source, model, **options))
    return str(caught.value)


def test_files_without_a_box_or_types_say_what_to_add(tmp_path):
    model = toy(tmp_path)
    rows = "".join(f"C {x} {y} {z}\n" for x, y, z in POSITIONS[0])
    xyz = write(tmp_path / "run.xyz", f"{len(TYPES)}\ncomment\n{rows}")
    assert f"{xyz}: frame 0: no periodic box; give its edges with --box LX LY LZ" in refused(
        xyz, model, "--species", "A"
    )
    assert "expected three lengths, as in --box 15 15 15, found '--species'" in refused(
        xyz, model, "--box", 15, "--species", "A"
    )
    box = ("--box", *LENGTHS)
    assert "kob-andersen has no species 'C'; it has A, B" in refused(xyz, model, *box)
    assert "give --species with a word for each type" in refused(xyz, model, *box)
    assert "atoms of type C, but species for 2 types" in refused(
        xyz, model, *box, "--species", "A", "B"
    )
    run("score", xyz, "--model", model, *box, "--species", "B", "--out", tmp_path / "s.dump")
    universe = MDAnalysis.Universe.empty(2, trajectory=True)
    assert "no atom types; give a file that has them with --topology" in _error(universe, model)


def test_a_configuration_that_cannot_be_scored_is_refused(tmp_path):
    model = toy(tmp_path)
    cases = [
        (liquid_configuration(POSITIONS[0], TYPES + 1), "atoms of type 3"),
        (liquid_configuration(np.empty((0, 3)), TYPES[:0]), "at least one atom, found none"),
        (replace(FIRST, units="real"), "is in real units, but kob-andersen in lj units"),
        (replace(FIRST, box=Box([5.0, 5.5, 1.9], (True, True, True))), "box is 1.9 wide along z"),
        (
            replace(FIRST, box=Box(LENGTHS, (True, True, False)), positions=POSITIONS[0] * FLAT),
            "kob-andersen is three-dimensional, but all particles lie in one plane",
        ),
        (replace(FIRST, species_names=("A", "C")), "kob-andersen has no species 'C'; it has A, B"),
    ]
    for configuration, message in cases:
        assert message in _error(configuration, model)


FLAT = np.array([1.0, 1.0, 0.0])


def test_a_model_of_two_dimensions_refuses_particles_in_space(tmp_path):
    model = save_model(tmp_path / "flat.pt", mixture={"dimension": 2, "name": "flat"})
    message = _error(FIRST, model)
    assert "flat is two-dimensional: expected all particles in one plane, found z from" in message


def test_a_box_that_no_dump_can_hold_is_refused(tmp_path):
    from lammps_botan.files.scored_dump import atoms_text

    cell = np.diag(LENGTHS)
    cell[0, 1] = 0.5
    tilted = replace(FIRST, box=Box(cell, (True, True, True)))
    (scored,) = score(tilted, toy(tmp_path))
    with pytest.raises(ValueError, match="needs the first cell vector along x, the second in the"):
        atoms_text(scored)


@pytest.mark.parametrize(
    ("fault", "message", "workers"), [("nan", "not finite", 1), ("raise", "on purpose", 2)]
)
def test_a_broken_model_is_named(fault, message, workers, tmp_path):
    model = save_model(tmp_path / "toy.pt", Walks(fault=fault))
    dump = write(tmp_path / "run.dump", second())
    printed = refused(dump, model, "--workers", workers)
    assert f"{dump}: frame 0 (step 0): " in printed
    assert message in printed


def test_an_output_that_cannot_be_written_is_refused(tmp_path):
    model = toy(tmp_path)
    dump = write(tmp_path / "run.dump", *dump_text(POSITIONS, TYPES))
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"folder: cannot be written: Is a directory"):
        list(score_file(dump, model, tmp_path / "folder"))
    absent = tmp_path / "no" / "s.dump"
    with pytest.raises(OSError, match=r"s\.dump: cannot be written: No such file or directory"):
        list(score_file(dump, model, tmp_path / "new.dump", bonds_output=absent))
    assert not (tmp_path / "new.dump").exists()
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "folder").chmod(0o500)
    assert "Permission denied" in refused(dump, model, out=tmp_path / "folder" / "s.dump")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_said_at_once(tmp_path):
    dump = write(tmp_path / "run.dump", *dump_text(POSITIONS, TYPES))
    printed = refused(dump, toy(tmp_path), out=Path("/dev/full"))
    assert (
        "/dev/full: cannot write a frame: No space left on device; make room, or write" in printed
    )


def test_a_device_that_torch_does_not_know_is_named(tmp_path):
    positions, types = liquid_frames()
    dump = write(tmp_path / "run.dump", *dump_text(positions, types))
    for device in ("foo", "meta"):
        done = run("score", dump, "-m", toy(tmp_path), "--device", device, fails=True)
        assert f"expected device cpu, cuda or cuda:N, found {device}" in done.output


def test_an_atom_style_that_is_not_known_is_not_guessed(tmp_path):
    """The third column of atom style peri is a volume."""
    head = "a solid\n\n1 atoms\n2 atom types\n\n0 5 xlo xhi\n0 5 ylo yhi\n0 5 zlo zhi\n\n"
    (tmp_path / "s.data").write_text(head + "Atoms # peri\n\n1 2 1.0 1.0 1 2 3 0 0 0\n")
    done = run("score", tmp_path / "s.data", "-m", toy(tmp_path), fails=True)
    assert "s.data: atom style peri, expected one of atomic" in " ".join(done.output.split())


def test_a_file_name_is_no_trajectory(tmp_path):
    with pytest.raises(TypeError, match=r"score takes frames, found the name run\.dump"):
        score("run.dump", toy(tmp_path))


def test_atoms_of_mdanalysis_are_no_frames(tmp_path):
    universe = MDAnalysis.Universe.empty(2, trajectory=True)
    for source in (universe.atoms, universe.trajectory):
        with pytest.raises(TypeError, match=r"found one of (Atom|Timestep); .* give the Universe"):
            list(score(source, toy(tmp_path)))

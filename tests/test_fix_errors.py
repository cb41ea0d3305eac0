"""Whatever is wrong, LAMMPS stops on all ranks with a message that says what to type."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from lmp import Finished, liquid, run_lmp
from toy_models import Methodless, Speciesless, Walks, metadata, save_archive, save_model

from lammps_botan.plugin import folder


def check_fails(tmp_path: Path, script: str, *messages: str, ranks: int = 1) -> Finished:
    """Run a script that must stop with an error, not with a crash and not with a hang."""
    run = run_lmp(script, tmp_path, ranks=ranks, succeeds=False, timeout=60)
    assert run.returncode == 1, run.output
    for message in messages:
        assert message in run.error, run.output
    for crash in ("Segmentation", "terminate called", "BAD TERMINATION", "SIGSEGV"):
        assert crash not in run.output
    return run


RANKS = pytest.mark.parametrize("ranks", [1, 2])

# words of the fix command, and what the message must contain
ARGUMENTS = {
    "nothing": ("fix g all botan", "needs more arguments: fix ID group botan N model.pt"),
    "no species": ("fix g all botan 10 m.pt", "needs more arguments"),
    "N is zero": ("fix g all botan 0 m.pt A B", "N, the steps between scorings, must be", "'0'"),
    "N is negative": ("fix g all botan -5 m.pt A B", "must be a positive integer, got '-5'"),
    "N is a word": ("fix g all botan often m.pt A B", "must be a positive integer, got 'often'"),
    "N is a fraction": ("fix g all botan 1.5 m.pt A B", "must be a positive integer, got '1.5'"),
    "N is huge": ("fix g all botan 99999999999999 m.pt A B", "must be a positive integer"),
    "one species word": ("fix g all botan 10 m.pt A", "2 atom types need 2 words", "got 1"),
    "keyword too early": (
        "fix g all botan 10 m.pt A bonds 1.3",
        "2 atom types need 2 words after the model file",
        "got 1",
    ),
    "three species words": (
        "fix g all botan 10 m.pt A B A",
        "unknown keyword 'A'; after the 2 species words",
    ),
    "unknown keyword": (
        "fix g all botan 10 m.pt A B bond 1.3",
        "unknown keyword 'bond'",
        "the keywords are bonds, device, precision, threads and verify",
    ),
    "keyword without value": ("fix g all botan 10 m.pt A B bonds", "keyword bonds needs a value"),
    "bonds is a word": ("fix g all botan 10 m.pt A B bonds x", "positive distance, got 'x'"),
    "bonds is negative": ("fix g all botan 10 m.pt A B bonds -1", "positive distance, got '-1'"),
    "bonds is zero": ("fix g all botan 10 m.pt A B bonds 0", "positive distance, got '0'"),
    "bonds is nan": ("fix g all botan 10 m.pt A B bonds nan", "positive distance, got 'nan'"),
    "bonds is huge": ("fix g all botan 10 m.pt A B bonds 1e999", "distance, got '1e999'"),
    "bonds beyond the model": (
        "fix g all botan 10 m.pt A B bonds 2.5",
        "bonds 2.5 is larger than the cutoff 2 of the model; write `bonds 2` or less",
    ),
    "unknown device": (
        "fix g all botan 10 m.pt A B device gpu",
        "device must be cpu, cuda or auto, got 'gpu'",
    ),
    "no threads": ("fix g all botan 10 m.pt A B threads 0", "positive integer, got '0'"),
    "threads is a word": ("fix g all botan 10 m.pt A B threads all", "got 'all'"),
    "unknown species": ("fix g all botan 10 m.pt A C", "no species 'C'; it has A B", "NULL"),
    "all types NULL": ("fix g all botan 10 m.pt NULL NULL", "all atom types are NULL", "A B"),
    "no such file": (
        "fix g all botan 10 missing.pt A B",
        "no model file 'missing.pt'",
        "models; `lammps-botan models` lists",
    ),
    "a folder": ("fix g all botan 10 folder A B", "no model file 'folder'"),
}


@RANKS
@pytest.mark.parametrize("case", ARGUMENTS)
def test_wrong_arguments_are_named(tmp_path, case, ranks):
    command, *messages = ARGUMENTS[case]
    save_model(tmp_path / "m.pt")
    (tmp_path / "folder").mkdir()
    check_fails(tmp_path, liquid("2 2 2") + command, *messages, ranks=ranks)


@pytest.mark.parametrize(("words", "word"), [("10 m.pt A C", "C"), ("ten m.pt A B", "ten")])
def test_the_wrong_word_is_pointed_at(tmp_path, words, word):
    save_model(tmp_path / "m.pt")
    run = check_fails(tmp_path, liquid("2 2 2") + f"fix g all botan {words}")
    lines = run.output.splitlines()
    (line,) = [i for i, text in enumerate(lines) if text.startswith("Last input line:")]
    mark = lines[line + 1]
    assert set(mark.strip()) == {"^"}
    assert lines[line][mark.index("^") : mark.index("^") + len(word)] == word


CHANGES = {
    "other format": ({"format": "nequip"}, '\'format\' must be "lammps-botan", got "nequip"'),
    "newer version": ({"format_version": 2}, "format_version 2, and this plugin reads 1; export"),
    "version is a word": ({"format_version": "one"}, "'format_version' must be a positive integer"),
    "real units": ({"units": "real"}, "in units 'real'; only models in lj units"),
    "negative cutoff": ({"cutoff": -2.0}, "'cutoff' must be a positive number, got -2.0"),
    "cutoff is a word": ({"cutoff": "two"}, "'cutoff' must be a positive number, got \"two\""),
    "no rounds": ({"rounds": 0}, "'rounds' must be a positive integer, got 0"),
    "no species": ({"species": []}, "'species' must be a list of at least 1 names, got []"),
    "species are numbers": ({"species": [1, 2]}, "'species' must be a list of at least 1 names"),
    "species twice": ({"species": ["A", "A"]}, "'species' must be a list of different names"),
    "a hot model": ({"temperature": "hot"}, "'temperature' must be a number, or null, got \"hot\""),
    "one lag time": ({"lag_times": 3}, "'lag_times' must be a list of numbers, or null, got 3"),
    "no node outputs": ({"node_outputs": []}, "'node_outputs' must be a list of at least 1 names"),
    "wrong width": ({"width": 5}, "fails on an empty graph", "encode", "expected Float [0, 5]"),
    "wrong number of outputs": (
        {"node_outputs": ["a", "b"]},
        "decode of the model returned node_out as Float [0, 1] on cpu, expected Float [0, 2]",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_wrong_metadata_is_named(tmp_path, case):
    changes, *messages = CHANGES[case]
    save_model(tmp_path / "m.pt", **changes)
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    check_fails(tmp_path, script, "model file m.pt", *messages, ranks=2)


@pytest.mark.parametrize("key", [*metadata(Walks())][:-2])
def test_a_missing_key_of_the_metadata_is_named(tmp_path, key):
    save_model(tmp_path / "m.pt", drop=key)
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    check_fails(tmp_path, script, f"model file m.pt: metadata.json has no key '{key}'")


def broken_files(path: Path, case: str) -> None:
    if case == "text":
        path.write_text("no archive at all\n" * 100)
    elif case == "empty":
        path.write_bytes(b"")
    elif case == "half":
        save_model(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif case == "weights":
        torch.save({"weight": torch.zeros(3)}, path)
    elif case == "without metadata":
        save_archive(path, Walks(), {})
    elif case == "metadata no json":
        save_archive(path, Walks(), {"metadata.json": "species: A"})
    elif case == "metadata a list":
        save_archive(path, Walks(), {"metadata.json": json.dumps(["A"])})
    elif case == "without methods":
        save_model(path, Methodless())
    elif case == "other arguments":
        save_model(path, Speciesless())
    elif case == "dtype":
        save_model(path, Walks(fault="dtype"))


FILES = {
    "text": "not a TorchScript archive",
    "empty": "not a TorchScript archive",
    "half": "not a TorchScript archive",
    "weights": "`lammps-botan export` makes one from a checkpoint",
    "without metadata": "archive without metadata.json",
    "metadata no json": "parse error",
    "metadata a list": "metadata.json is not a JSON object",
    "without methods": "the model has no method encode",
    "other arguments": "method encode of the model takes 1 arguments, expected 2",
    "dtype": "step of the model returned node_local as Double [0, 3] on cpu, expected Float [0, 3]",
}


@RANKS
@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path, case, ranks):
    broken_files(tmp_path / "m.pt", case)
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    run = check_fails(tmp_path, script, "model file m.pt", FILES[case], ranks=ranks)
    assert len(run.error) < 400


@RANKS
@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_that_is_absent_is_refused(tmp_path, ranks):
    save_model(tmp_path / "m.pt")
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B device cuda"
    check_fails(tmp_path, script, "torch finds no CUDA device", "`device cpu`", ranks=ranks)


@RANKS
def test_other_units_are_refused(tmp_path, ranks):
    save_model(tmp_path / "m.pt")
    script = liquid("2 2 2").replace("units lj", "units real")
    script += "fix g all botan 10 m.pt A B"
    check_fails(tmp_path, script, "this input uses `units real`; write `units lj`", ranks=ranks)


SETTINGS = {
    "cutoff beyond the ghosts": (
        "pair_style lj/cut 1.2\npair_coeff * * 1 1",
        "the model looks as far as 2 (plus skin 0.3), but ghost atoms reach only 1.5",
    ),
    "no ghosts at all": ("pair_style none", "ghost atoms reach only 0"),
    "comm_modify too short": (
        "pair_style none\ncomm_modify cutoff 2.1",
        "ghost atoms reach only 2.1",
    ),
    "excluded types": (
        "neigh_modify exclude type 1 2",
        "`neigh_modify exclude` removes some: write `neigh_modify exclude none`",
    ),
    "excluded groups": ("neigh_modify exclude group all all", "write `neigh_modify exclude none`"),
    "included group": ("neigh_modify include some", "write `neigh_modify include all`"),
    "several ghost cutoffs": (
        "neighbor 0.3 multi\ncomm_modify mode multi",
        "needs one ghost cutoff for all atoms: write `comm_modify mode single`",
    ),
    "neighbor lists by groups": ("neighbor 0.3 multi", "write `neighbor 0.3 bin`"),
    "neighbor lists by pairs": ("neighbor 0.3 nsq", "write `neighbor 0.3 bin`"),
}


@RANKS
@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_would_lose_pairs_are_refused(tmp_path, case, ranks):
    settings, message = SETTINGS[case]
    save_model(tmp_path / "m.pt")
    first = "atom_modify first some" if "include" in settings else ""
    script = liquid("2 2 2", after_box=f"group some type 2\n{first}")
    script += f"{settings}\nfix g all botan 10 m.pt A B\nrun 0"
    check_fails(tmp_path, script, message, ranks=ranks)


@RANKS
def test_the_line_to_add_for_a_long_cutoff_is_printed_and_helps(tmp_path, ranks):
    save_model(tmp_path / "m.pt", cutoff=3.0)
    script = liquid("3 3 3")
    rest = "\nfix g all botan 10 m.pt A B\nrun 0"
    run = check_fails(tmp_path, script + rest, ranks=ranks)
    (line,) = [text.strip() for text in run.output.splitlines() if "comm_modify cutoff" in text]
    words = " ".join(line.split()[:3])
    assert words == "comm_modify cutoff 3.3"
    run_lmp(script + words + rest, tmp_path, ranks=ranks)


BONDED = """
units lj
atom_style bond
{special}
region box block 0 8 0 8 0 8
create_box 2 box bond/types 1 extra/bond/per/atom 1 extra/special/per/atom 2
create_atoms 1 single 3 3 3
create_atoms 1 single 4 3 3
mass * 1.0
bond_style harmonic
bond_coeff 1 1.0 1.0
pair_style zero 2.0
pair_coeff * *
create_bonds single/bond 1 1 2
fix g all botan 10 m.pt A B
thermo_style custom step f_g
run 0
"""


@RANKS
def test_special_bonds_of_zero_are_refused_and_of_nearly_zero_work(tmp_path, ranks):
    save_model(tmp_path / "m.pt")
    zero, nearly = BONDED.format(special=""), "special_bonds lj/coul 1e-50 1e-50 1e-50"
    check_fails(
        tmp_path, zero, "special_bonds of exactly 0 removes bonded ones", nearly, ranks=ranks
    )
    run = run_lmp(BONDED.format(special=nearly), tmp_path, ranks=ranks)
    assert run.thermo()[0]["f_g"] == 1.0


def test_atoms_without_ids_are_refused(tmp_path):
    save_model(tmp_path / "m.pt")
    script = liquid("2 2 2", before_box="atom_modify id no").split("velocity")[0]
    script = script.replace("set group all type/fraction 2 0.2 4321", "")
    script = script.replace("displace_atoms all random 0.12 0.12 0.12 1234", "")
    check_fails(tmp_path, script + "fix g all botan 10 m.pt A B", "remove `atom_modify id no`")


FAULTS = {
    "raise": "this toy is broken on purpose",
    "shape": "method step of the model returned node_local as Float",
    "nan": r"walks_0 of atom \d+ is not a finite number",
    "nan edges": r"edge_0 of atoms \d+ and \d+ is not a finite number",
}


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_that_fails_while_running_stops_every_rank(tmp_path, fault, ranks):
    """Only the ranks that hold atoms fail; the others wait for them in the exchange."""
    save_model(tmp_path / "m.pt", Walks(rounds=2, fault=fault))
    script = liquid("4 2 2", before_box="processors * 1 1")
    script += "region far block 1.1 INF INF INF INF INF\ndelete_atoms region far\n"
    script += "fix g all botan 10 m.pt A B\nrun 20"
    run = run_lmp(script, tmp_path, ranks=ranks, succeeds=False, timeout=60)
    assert run.returncode not in (0, 139, 245)
    assert "step 0" in run.error
    assert re.search(FAULTS[fault], run.error)


@RANKS
def test_a_torch_that_cannot_be_loaded_is_said_so(tmp_path, ranks):
    """The plugin loads, other runs are not disturbed, and `fix botan` names the library."""
    shutil.copy(Path(folder()) / "botanplugin.so", tmp_path)
    save_model(tmp_path / "m.pt")
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    load = f"plugin clear\nplugin load {tmp_path}/botanplugin.so\n"
    run = check_fails(
        tmp_path, load + script, "libbotan_model.so", "pip install torch==2.13.0 ", ranks=ranks
    )
    assert "cannot load" in run.error

"""Whatever is wrong, LAMMPS stops on all ranks with a message that says what to type."""

import json
import re
import shutil
from pathlib import Path

import pytest
from fix_toys import HAS_TORCH, Walks, needs_torch, save_archive, save_model
from lmp import check_fails, liquid, liquid_in_the_plane, run_lmp
from toy_metadata import metadata, mixture

from lammps_botan.plugin import folder

# CI runs these with torch, and has no time for them twice
pytestmark = [] if HAS_TORCH else pytest.mark.slow
RANKS = pytest.mark.parametrize("ranks", [1, 2])


def cases(table: dict[str, object], *together: str) -> pytest.MarkDecorator:
    """Every case on one rank, and on two ranks one case of each place where an error is found."""
    alone = [(case, 1) for case in table]
    return pytest.mark.parametrize(("case", "ranks"), [*alone, *((case, 2) for case in together)])


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
        "the keywords are bonds, device, precision, threads, trust and verify",
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
        "network/shipped; `lammps-botan models` lists",
    ),
    "a folder": ("fix g all botan 10 folder A B", "no model file 'folder'"),
}


@cases(ARGUMENTS, "nothing", "unknown keyword", "a folder")
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
    "older version": (
        {"format_version": 1},
        "format_version 1, and this plugin reads 2 and 3; export it again: lammps-botan export OLD",
    ),
    "newer version": (
        {"format_version": 4},
        "format_version 4, and this plugin reads 2 and 3; install the lammps-botan that wrote the",
    ),
    "version is a word": ({"format_version": "one"}, "'format_version' must be a positive integer"),
    "negative cutoff": ({"cutoff": -2.0}, "'cutoff' must be a positive number, got -2.0"),
    "cutoff is a word": ({"cutoff": "two"}, "'cutoff' must be a positive number, got \"two\""),
    "no rounds": ({"rounds": 0}, "'rounds' must be a positive integer, got 0"),
    "rounds beyond int": (
        {"rounds": 2**32 + 1},
        "must be 1000 or less, got 4294967297",
    ),
    "rounds beyond all": (
        {"rounds": 2**64 - 1},
        "must be 1000 or less, got 1844674407370",
    ),
    "rounds of another network": (
        {"rounds": 3},
        "3 rounds, as metadata.json has them, give other numbers than the model itself",
    ),
    "width without end": ({"width": 65537}, "'width' must be 65536 or less, got 65537"),
    "cutoff without end": ({"cutoff": 1e300}, "must be 27 or less, 20 times the longest bond"),
    "too many outputs": (
        {"edge_outputs": ["a"] * 1001},
        "'edge_outputs' must be a list of 0 to 1000 names",
    ),
    "width of a float": ({"width": 3.0}, "'width' must be a positive integer, got 3.0"),
    "a hot model": ({"temperature": "hot"}, "'temperature' must be a number, or null, got \"hot\""),
    "one lag time": ({"lag_times": 3}, "'lag_times' must be a list of numbers, or null, got 3"),
    "no node outputs": ({"node_outputs": []}, "'node_outputs' must be a list of 1 to 1000 names"),
    "numbers for three species": (
        {"mixture": mixture("A", "B", "C"), "node_input": "number"},
        "'node_input' must be",
    ),
    "unknown input": (
        {"node_input": "charge"},
        '\'node_input\' must be "number" or "one-hot", got "charge"',
    ),
    "wrong width": ({"width": 5}, "fails on an empty graph", "encode", "expected Float [0, 5]"),
    "wrong number of outputs": (
        {"node_outputs": ["a", "b"]},
        "decode of the model returned node_out as Float [0, 1] on cpu, expected Float [0, 2]",
    ),
}
# of a file without TorchScript the sizes of its weights are compared
SIZES = {
    "rounds of another network": "the networks in the file have rounds 1, and metadata.json says 3",
    "wrong width": "the networks in the file have width 64, and metadata.json says 5",
    "wrong number of outputs": "the file have node outputs 1, and metadata.json says 2",
}
MIXTURES = {
    "no species": ({"species": []}, "'species' must be a list of 1 to 100 names, got []"),
    "species are numbers": ({"species": [1, 2]}, "'species' must be a list of 1 to 100 names"),
    "species twice": ({"species": ["A", "A"]}, "'species' must be a list of different names"),
    "a species without a name": ({"species": ["A", ""]}, "'species' must be a list of words"),
    "a species of two words": ({"species": ["A", "B C"]}, "'species' must be a list of words"),
    "a species with a long name": (
        {"species": ["A", 65 * "B"]},
        "'species' must be a list of words",
    ),
    "a mixture without a name": ({"name": ""}, "'name' must be a word that LAMMPS can read, got"),
    "a species NULL": ({"species": ["A", "NULL"]}, "different names, none of them NULL"),
    "more species than bonds": (
        {"species": ["A", "B", "C"]},
        "'bond_lengths' must be 3 rows of 3 positive numbers",
    ),
    "no square": (
        {"bond_lengths": [[1.35, 1.08], [1.08]]},
        "'bond_lengths' must be 2 rows of 2 positive numbers",
    ),
    "one order of two species": (
        {"bond_lengths": [[1.35, 1.08], [1.0, 1.188]]},
        "the same for both orders of two species",
    ),
    "a negative bond": (
        {"bond_lengths": [[1.35, 1.08], [1.08, -1.188]]},
        "'bond_lengths' must be 2 rows of 2 positive numbers",
    ),
    "a word for a bond": (
        {"bond_lengths": [["long", 1.08], [1.08, 1.188]]},
        "'bond_lengths' must be 2 rows of 2 positive numbers",
    ),
    "one dimension": ({"dimension": 1}, "'dimension' must be 2 or 3, got 1"),
    "unknown reference": (
        {"reference_species": "Z"},
        "'reference_species' must be one of the species, got \"Z\"",
    ),
    "units are a number": ({"units": 3}, "'units' must be a string, got 3"),
}


@cases(CHANGES, "other format", "wrong width", "wrong number of outputs")
def test_wrong_metadata_is_named(tmp_path, case, ranks):
    changes, *messages = CHANGES[case]
    if not HAS_TORCH and case in SIZES:
        messages = [SIZES[case]]
    save_model(tmp_path / "m.pt", **changes)
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    check_fails(tmp_path, script, "model file m.pt", *messages, ranks=ranks)


@cases(MIXTURES, "no species")
def test_a_wrong_mixture_is_named(tmp_path, case, ranks):
    changes, message = MIXTURES[case]
    save_model(tmp_path / "m.pt", mixture=changes)
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    check_fails(tmp_path, script, "model file m.pt", message, ranks=ranks)


KEYS = [
    *[key for key in metadata(Walks()) if key not in {"provenance", "versions"}],
    *("name", "units", "species", "bond_lengths", "dimension", "reference_species"),
]


@pytest.mark.parametrize("key", KEYS)
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
        import torch

        torch.save({"weight": torch.zeros(3)}, path)
    elif case == "without metadata":
        save_archive(path, Walks(), {})
    elif case == "metadata no json":
        save_archive(path, Walks(), {"metadata.json": "species: A"})
    elif case == "metadata a list":
        save_archive(path, Walks(), {"metadata.json": json.dumps(["A"])})
    elif case == "mixture a word":
        words = json.dumps({**metadata(Walks()), "mixture": "kob-andersen"})
        save_archive(path, Walks(), {"metadata.json": words})
    elif case == "infinite cutoff":
        words = json.dumps({**metadata(Walks()), "cutoff": 7}).replace(": 7,", ": 1e999,")
        save_archive(path, Walks(), {"metadata.json": words})
    elif case == "nested":
        words = json.dumps({**metadata(Walks()), "x": 0}).replace('"x": 0', f'"x": {"[" * 80000}')
        save_archive(path, Walks(), {"metadata.json": words + "]" * 80000})
    elif case == "too long":
        words = json.dumps({**metadata(Walks()), "x": "x" * 2**24})
        save_archive(path, Walks(), {"metadata.json": words})
    elif case in {"without methods", "other arguments"}:
        from toy_models import Methodless, Speciesless

        save_model(path, Methodless() if case == "without methods" else Speciesless())
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
    "mixture a word": "'mixture' must be an object, got \"kob-andersen\"",
    "infinite cutoff": "number overflow",
    "nested": "objects inside objects up to a depth of 100, found a depth of 80001",
    "too long": "expected 16777216 bytes of metadata.json or less, found 16777",
    "without methods": "the model has no method encode",
    "other arguments": "method encode of the model takes 1 arguments, expected 2",
    "dtype": "step of the model returned node_local as Double [0, 3] on cpu, expected Float [0, 3]",
}


@cases(FILES, "text", "without metadata", "without methods", "dtype")
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path, case, ranks):
    broken_files(tmp_path / "m.pt", case)
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    run = check_fails(tmp_path, script, "model file m.pt", FILES[case], ranks=ranks)
    assert len(run.error) < 400


@RANKS
def test_cuda_that_is_absent_is_refused(tmp_path, ranks):
    import torch

    if torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    save_model(tmp_path / "m.pt")
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B device cuda"
    check_fails(tmp_path, script, "torch finds no CUDA device", "`device cpu`", ranks=ranks)


@RANKS
@pytest.mark.parametrize(("ours", "theirs"), [("lj", "real"), ("metal", "lj"), ("si", "lj")])
def test_other_units_are_refused_with_both_names(tmp_path, ours, theirs, ranks):
    save_model(tmp_path / "m.pt", mixture={"units": ours, "name": "toy"})
    script = liquid("2 2 2").replace("units lj", f"units {theirs}")
    script += "fix g all botan 10 m.pt A B"
    message = f"the model (toy) is in units {ours}, but this input uses `units {theirs}`; write"
    check_fails(tmp_path, script, message, f"`units {ours}`", ranks=ranks)


@RANKS
@pytest.mark.parametrize(("ours", "theirs"), [(2, 3), (3, 2)])
def test_another_dimension_is_refused(tmp_path, ours, theirs, ranks):
    save_model(tmp_path / "m.pt", mixture={"dimension": ours})
    script = {3: liquid("2 2 2"), 2: liquid_in_the_plane()}[theirs]
    message = f"is for {ours} dimensions, but this input has `dimension {theirs}`; write `dimension"
    check_fails(tmp_path, script + "fix g all botan 10 m.pt A B", message, ranks=ranks)


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
    "several ghost cutoffs": (
        "neighbor 0.3 multi\ncomm_modify mode multi",
        "needs one ghost cutoff for all atoms: write `comm_modify mode single`",
    ),
}


@RANKS
@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_would_lose_ghosts_are_refused(tmp_path, case, ranks):
    settings, message = SETTINGS[case]
    save_model(tmp_path / "m.pt")
    script = f"{liquid('2 2 2')}{settings}\nfix g all botan 10 m.pt A B\nrun 0"
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


@needs_torch
@RANKS
def test_a_torch_that_cannot_be_loaded_is_said_so(tmp_path, ranks):
    """The plugin loads, other runs are not disturbed, and `fix botan` names the library."""
    for library in ("botanplugin.so", "libbotan_model.so"):
        shutil.copy(Path(folder()) / library, tmp_path)
    save_model(tmp_path / "m.pt")
    script = liquid("2 2 2") + "fix g all botan 10 m.pt A B"
    load = f"plugin clear\nplugin load {tmp_path}/botanplugin.so\n"
    run = check_fails(
        tmp_path, load + script, "libbotan_model.so", "pip install torch==2.13.0 ", ranks=ranks
    )
    assert "cannot load" in run.error

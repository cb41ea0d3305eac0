"""The code in a model file may compute, and nothing else, unless its user says so."""

import pytest
from click.testing import CliRunner
from lmp import check_fails, liquid, run_lmp
from model_archives import rewrite, with_line

from lammps_botan.cli import main
from lammps_botan.network.archive import Archive
from lammps_botan.network.predictor import Predictor
from lammps_botan.network.program import check_program
from lammps_botan.network.shipped import find_model, shipped_models

FIX = liquid("4 4 4") + "fix g all botan 5 evil.pt A B {words}\nrun 5\n"
# lines of TorchScript, and the name by which they are refused
LINES = {
    "writes a file": ('_x = torch.save(species, "taken")', "save"),
    "writes a file, spaced": ('_x = torch . save (species, "taken")', "save"),
    "by its namespace": ('_x = ops.aten.save(species, "taken")', "save"),
    "as a method": ('_x = (species).save("taken")', "save"),
    "maps a file": ('_x = torch.from_file("taken", True, 10)', "from_file"),
    "prints": ('print("taken")', "print"),
    "starts threads": ("_x = fork(species)", "fork"),
    "a class of C++": ("_x = __torch__.torch.classes.quantized.Conv2dPackedParamsBase", "classes"),
    "an operator of another library": ("_x = ops.mine.add(species)", "ops.mine"),
    "a letter": ("_ü = 1", "letters that are not ASCII"),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_shipped_model_only_computes():
    models = shipped_models()
    assert len(models) >= 6
    for model in models:
        check_program(Archive(model.path))


def test_a_model_that_writes_a_file_does_so_only_where_it_is_trusted(here):
    evil = with_line(here / "evil.pt", LINES["writes a file"][0])
    with pytest.raises(ValueError, match=r"evil\.pt: its code names save, .*trust=True"):
        Predictor(evil)
    assert not (here / "taken").exists()
    Predictor(evil, trust=True)  # this is what the refusal is for
    assert (here / "taken").exists()


@pytest.mark.parametrize("case", LINES)
def test_code_that_may_do_more_than_compute_is_refused(here, case):
    line, name = LINES[case]
    with pytest.raises(ValueError, match=rf"its code names {name}, "):
        Predictor(with_line(here / "evil.pt", line))


@pytest.mark.parametrize(
    ("part", "content", "found"),
    [
        ("model.json", b"{}", "the part model.json"),
        ("lib.py", b"", "the part lib.py"),
        ("constants/a.pkl", b"\x80\x02c__torch__.torch\nclasses.x.Y\n.", "torch.classes"),
        ("code/a.py", b"def f(x):\n  return torch.save(x)\n", "save"),
    ],
)
def test_a_part_that_may_hide_code_is_refused(here, part, content, found):
    evil = rewrite(here / "evil.pt", lambda _, same: same, {part: content})
    with pytest.raises(ValueError, match=f"its code names .*{found}"):
        Predictor(evil)


def test_more_names_than_three_are_counted(here):
    line = "_x = [torch.rand, torch.bernoulli, torch.normal, torch.randn, torch.save]"
    with pytest.raises(ValueError, match="names bernoulli, normal, rand and 2 more, which"):
        Predictor(with_line(here / "evil.pt", line))


def test_a_line_that_computes_is_allowed(here):
    same = with_line(here / "same.pt", "_x = torch.sum(torch.square(vectors))")
    ours, theirs = (Predictor(model).metadata for model in (same, "ka-t064"))
    assert ours == theirs.model_copy(update={"networks": None})


def test_a_command_runs_such_a_model_with_trust_only(here):
    evil = str(with_line(here / "evil.pt", LINES["writes a file"][0]))
    data = str(find_model("ka-t064").parents[3] / "none")  # never reached
    result = CliRunner().invoke(main, ["score", data, "-m", evil, "-o", "s.dump"])
    assert result.exit_code != 0
    assert not (here / "taken").exists()


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_fix_runs_such_a_model_with_trust_only(here, ranks):
    with_line(here / "evil.pt", LINES["writes a file"][0])
    check_fails(
        here,
        FIX.format(words=""),
        "model file evil.pt: its code names save, which",
        "write `trust yes`",
        ranks=ranks,
    )
    assert not (here / "taken").exists()
    run_lmp(FIX.format(words="trust yes"), here, ranks=ranks)
    assert (here / "taken").exists()


@pytest.mark.parametrize("case", LINES)
def test_the_fix_refuses_what_python_refuses(here, case):
    line, name = LINES[case]
    with_line(here / "evil.pt", line)
    check_fails(here, FIX.format(words="trust no"), f"evil.pt: its code names {name}, which")


@pytest.mark.parametrize(
    ("part", "content", "found"),
    [
        ("model.json", b"{}", "the part model.json"),
        ("constants/a.pkl", b"\x80\x02c__torch__.torch\nclasses.x.Y\n.", "torch.classes"),
        ("code/a.py", b"def f(x):\n  return torch.save(x)\n", "save"),
    ],
)
def test_the_fix_refuses_parts_that_may_hide_code(here, part, content, found):
    rewrite(here / "evil.pt", lambda _, same: same, {part: content})
    check_fails(here, FIX.format(words=""), "evil.pt: its code names", found)


def test_trust_is_yes_or_no(here):
    with_line(here / "evil.pt", "_x = 1")
    check_fails(here, FIX.format(words="trust maybe"), "trust must be yes or no, got 'maybe'")

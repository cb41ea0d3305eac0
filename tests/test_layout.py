"""The structure of the package: imports go one way, through single doors."""

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import lammps_botan

PACKAGE = Path(__file__).resolve().parents[1] / "lammps_botan"
# each module imports only from modules above it
ORDER = [
    "plugin",
    "graph",
    "descriptors",
    "targets",
    "correlations",
    "relaxation",
    "metrics",
    "bapst_data",
    "dataset",
    "dataset_writer",
    "datafile",
    "dump_format",
    "bond_dump",
    "dump",
    "ensemble",
    "frames",
    "data_frame",
    "universe_frames",
    "trajectory",
    "analysis",
    "ground_truth",
    "thermo",
    "jobs",
    "simulate",
    "teacher",
    "observables",
    "model",
    "engine",
    "nt_gnn",
    "checkpoint",
    "metadata",
    "models",
    "committee",
    "scorer",
    "callbacks",
    "workers",
    "scored_dump",
    "whole_frames",
    "frame_scorer",
    "score",
    "export",
    "config",
    "train",
    "scores",
    "outcome",
    "forecast",
    "evaluate",
    "picture",
    "slices",
    "plot",
    "movie",
    "check",
    "cli",
]


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "lammps_botan":
                found |= {alias.name for alias in node.names}
            elif (node.module or "").startswith("lammps_botan."):
                found.add(node.module.split(".")[1])
        if isinstance(node, ast.Import):
            found |= {
                a.name.split(".")[1] for a in node.names if a.name.startswith("lammps_botan.")
            }
    return found


def sources(module: str) -> list[Path]:
    file = PACKAGE / f"{module}.py"
    return [file] if file.exists() else sorted((PACKAGE / module).glob("*.py"))


def test_every_module_has_its_place_in_the_order():
    files = {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/*.py")}
    assert files - {"__init__"} == set(ORDER)


def test_imports_go_one_way():
    for place, module in enumerate(ORDER):
        for file in sources(module):
            assert imported(file) - {module} <= set(ORDER[:place]), file


def test_the_scorer_alone_loads_model_files():
    loading = [f.name for f in PACKAGE.rglob("*.py") if "torch.jit.load" in f.read_text()]
    assert loading == ["scorer.py"]


def test_only_plain_weights_are_ever_unpickled():
    for file in PACKAGE.rglob("*.py"):
        calls = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)]
        for call in calls:
            name = ast.unparse(call.func)
            assert name not in {"pickle.load", "pickle.loads"}
            if name in {"torch.load", "trainer.fit"}:
                assert "weights_only=True" in ast.unparse(call)
            if name == "np.load":
                assert "allow_pickle=False" in ast.unparse(call)


def test_one_reader_alone_unpickles_foreign_files():
    readers = [f.name for f in PACKAGE.rglob("*.py") if "pickle.Unpickler" in f.read_text()]
    assert readers == ["bapst_data.py"]


def test_botan_model_is_the_only_source_that_knows_torch():
    sources = [*(PACKAGE / "plugin").glob("*.cpp"), *(PACKAGE / "plugin").glob("*.h")]
    assert {p.name for p in sources if "torch/" in p.read_text()} == {"botan_model.cpp"}


def test_what_lammps_imports_at_its_start_loads_nothing_else():
    heavy = {"torch", "numpy", "vesin", "rich", "click"}
    code = f"import sys; import lammps_botan.plugin; print({heavy} & set(sys.modules))"
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert "BOTAN" in (lammps_botan.__doc__ or "")


def test_an_installation_holds_the_plugin_and_the_models_and_no_sources():
    files = [Path(f) for f in metadata.files("lammps-botan") or []]
    names = {file.name for file in files}
    assert {"botanplugin.so", "libbotan_model.so"} <= names
    models = [file for file in files if file.suffix == ".pt"]
    assert models
    assert all(file.with_suffix(".toml") in files for file in models)
    assert not [file for file in files if file.suffix in {".cpp", ".h"}]

"""The structure of the package: imports go one way, through single doors."""

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import lammps_botan

PACKAGE = Path(__file__).resolve().parents[1] / "lammps_botan"
# the rooms: each imports only from those before it
ORDER = [
    "plugin",
    "structure",
    "files",
    "analysis",
    "network",
    "evaluation",
    "simulation",
    "prediction",
    "training",
    "figures",
    "cli",
]
FORMER = "former"  # addresses from before the rooms


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


def test_the_rooms_hold_everything_but_the_front_door():
    assert [p.name for p in PACKAGE.glob("*.py")] == ["__init__.py"]
    assert {p.relative_to(PACKAGE).parts[0] for p in PACKAGE.glob("*/**/*.py")} == {*ORDER, FORMER}


def test_imports_go_one_way():
    for place, room in enumerate(ORDER):
        for file in (PACKAGE / room).rglob("*.py"):
            assert imported(file) - {room} <= set(ORDER[:place]), file


def test_former_addresses_only_pass_on():
    for file in (PACKAGE / FORMER).glob("*.py"):
        assert not (PACKAGE / file.stem).is_dir(), f"{file}: hides a room"
        assert FORMER not in imported(file), file


def test_the_predictor_alone_loads_model_files():
    loading = [f.name for f in PACKAGE.rglob("*.py") if "torch.jit.load" in f.read_text()]
    assert loading == ["predictor.py"]


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
    assert readers == ["bapst_pickle.py"]


def test_botan_model_is_the_only_source_that_knows_torch():
    sources = [*(PACKAGE / "plugin").glob("*.cpp"), *(PACKAGE / "plugin").glob("*.h")]
    assert {p.name for p in sources if "torch/" in p.read_text()} == {"botan_model.cpp"}


def test_what_lammps_imports_at_its_start_loads_nothing_else():
    heavy = {"torch", "numpy", "vesin", "rich", "click"}
    code = f"import sys, lammps_botan, lammps_botan.plugin; print({heavy} & set(sys.modules))"
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

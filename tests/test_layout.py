"""The structure of the package: imports go one way, through single doors."""

import ast
import subprocess
import sys
from pathlib import Path

import lammps_botan

PACKAGE = Path(__file__).resolve().parents[1] / "lammps_botan"
# each module imports only from modules above it
ORDER = [
    "plugin",
    "graph",
    "targets",
    "metrics",
    "dataset",
    "datafile",
    "model",
    "checkpoint",
    "metadata",
    "models",
    "scorer",
    "export",
    "config",
    "train",
    "evaluate",
    "plot",
    "check",
    "cli",
]


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lammps_botan."):
            found.add(node.module.split(".")[1])
        if isinstance(node, ast.Import):
            found |= {
                a.name.split(".")[1] for a in node.names if a.name.startswith("lammps_botan.")
            }
    return found


def source(module: str) -> Path:
    file = PACKAGE / f"{module}.py"
    return file if file.exists() else PACKAGE / module / "__init__.py"


def test_every_module_has_its_place_in_the_order():
    files = {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/*.py")}
    assert files - {"__init__"} == set(ORDER)


def test_imports_go_one_way():
    for place, module in enumerate(ORDER):
        assert imported(source(module)) <= set(ORDER[:place]), module


def test_the_scorer_alone_loads_model_files():
    assert [m for m in ORDER if "torch.jit.load" in source(m).read_text()] == ["scorer"]


def test_only_plain_weights_are_ever_unpickled():
    for module in ORDER:
        calls = [
            n for n in ast.walk(ast.parse(source(module).read_text())) if isinstance(n, ast.Call)
        ]
        for call in calls:
            name = ast.unparse(call.func)
            assert name not in {"pickle.load", "pickle.loads"}
            if name in {"torch.load", "trainer.fit"}:
                assert "weights_only=True" in ast.unparse(call)
            if name == "np.load":
                assert "allow_pickle=False" in ast.unparse(call)


def test_botan_model_is_the_only_source_that_knows_torch():
    sources = [*(PACKAGE / "plugin").glob("*.cpp"), *(PACKAGE / "plugin").glob("*.h")]
    assert {p.name for p in sources if "torch/" in p.read_text()} == {"botan_model.cpp"}


def test_importing_the_package_loads_nothing_else():
    code = "import sys; import lammps_botan; print({'torch', 'numpy', 'vesin'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert "BOTAN" in (lammps_botan.__doc__ or "")

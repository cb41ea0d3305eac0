"""The structure of the package: imports go one way, through single doors."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

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


def test_one_file_alone_loads_model_files():
    loading = [f.name for f in PACKAGE.rglob("*.py") if "torch.jit.load" in f.read_text()]
    assert loading == ["module.py"]


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


def test_two_sources_of_one_library_know_torch():
    sources = [*(PACKAGE / "plugin").glob("*.cpp"), *(PACKAGE / "plugin").glob("*.h")]
    assert {p.name for p in sources if "torch/" in p.read_text()} == {
        "botan_model.cpp",
        "torch_program.cpp",
    }


def test_what_lammps_imports_at_its_start_loads_nothing_else():
    heavy = {"torch", "numpy", "pydantic", "MDAnalysis", "vesin", "rich", "click"}
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


def test_type_checkers_of_users_are_told_that_the_package_is_typed():
    """PEP 561: the marker is installed beside the modules."""
    assert (Path(lammps_botan.__file__).parent / "py.typed").is_file()


# numbers of the shipped mixtures that hardly mean anything else
MIXTURES = [tomllib.loads(f.read_text()) for f in (PACKAGE / "structure").glob("*.toml")]
NUMBERS = {0.88, 6.283185307179586}  # sigma_BB of Kob and Andersen, 2 pi / sigma_AA
NUMBERS |= {length for mixture in MIXTURES for length in mixture["bond_lengths"].values()}
NUMBERS |= {time for mixture in MIXTURES for time in mixture["relaxation_times"].values()}
DENSITIES = {mixture["density"] for mixture in MIXTURES}
# lengths of the literature in units of the diameter: A1 of Yamamoto and Onuki, r_f of the average
LITERATURE = {("structure/mixture.py", 1.35), ("analysis/targets.py", 1.35)}


def numbers(path: Path) -> set[float]:
    """The literals of a source file; those of densities only where they are called so."""
    if path.suffix in {".cpp", ".h"}:
        code = re.sub(r"//.*", "", path.read_text())
        return {float(text) for text in re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", code)} & NUMBERS
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            found |= {float(node.value)} & NUMBERS
        named: list[tuple[str | None, ast.expr | None]] = []
        if isinstance(node, ast.keyword):
            named = [(node.arg, node.value)]
        if isinstance(node, ast.AnnAssign):
            named = [(ast.unparse(node.target), node.value)]
        if isinstance(node, ast.Assign):
            named = [(ast.unparse(target), node.value) for target in node.targets]
        if isinstance(node, ast.arguments):
            named = [(a.arg, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
            positional = [*node.posonlyargs, *node.args]
            with_default = positional[len(positional) - len(node.defaults) :]
            named += [(a.arg, d) for a, d in zip(with_default, node.defaults, strict=True)]
        for name, value in named:
            if "density" in (name or "").lower() and isinstance(value, ast.Constant):
                found |= {value.value} & DENSITIES
    return found


@pytest.mark.parametrize("suffix", ["py", "cpp", "h"])
def test_the_numbers_of_a_mixture_stand_in_its_toml_file_alone(suffix):
    for file in PACKAGE.rglob(f"*.{suffix}"):
        place = file.relative_to(PACKAGE).as_posix()
        assert {n for n in numbers(file) if (place, n) not in LITERATURE} == set(), place


def test_a_number_of_a_mixture_would_be_found(tmp_path):
    """The search itself finds literals, defaults and keywords."""
    cases = {
        "a.py": ("x = r < 1.08", {1.08}),
        "b.py": ("def f(*, density=1.2): ...\ng(density=1.192)\nwidth = 1.2", {1.2, 1.192}),
        "c.py": ("def f(n, density: float = 1.2): ...\n'bonds end at 1.35'", {1.2}),
        "d.cpp": ("double bond = 1.35;  // not 0.88\nint x1 = 11.352;", {1.35}),
    }
    for name, (text, expected) in cases.items():
        (tmp_path / name).write_text(text)
        assert numbers(tmp_path / name) == expected

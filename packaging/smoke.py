"""Try a wheel in a new environment of each Python: no compiler, no source.

    python packaging/smoke.py dist/lammps_botan-*.whl
    make pythons    # what is compiled here, in Python 3.12 and 3.13

The glass that ships is scored by the command, and by the fix on one and on two ranks: the
propensities must agree. `--tests 13` runs the tests of the source folder in Python 3.13 too, where
torch is not installed: those that need it are skipped.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
GLASS = SOURCE / "inputs" / "ka-t064.data"
TESTED = ("plot", "simulate", "test", "view")  # extras without torch, of which there are tests
MINORS = (11, 12, 13)
ROUNDING = 1e-4  # of float32, where ranks add in another order; propensities are of order 1
SCRIPT = """
units lj
read_data {glass}
pair_style lj/smooth/linear 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
fix nve all nve
fix mob all botan 1 ka-t064 A B
run 0
write_dump all custom {dump} id f_mob modify sort id format float %.9g
"""


def find_python(minor: int) -> str | None:
    """A Python of this version: this one, one that pyenv installed, or one on the PATH."""
    if sys.version_info[:2] == (3, minor):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = sorted(pyenv.glob(f"3.{minor}.*/bin/python3"))
    return str(installed[-1]) if installed else shutil.which(f"python3.{minor}")


class Environment:
    """A virtual environment whose programs find no others.

    Parameters
    ----------
    python : str
    folder : Path
        New.
    """

    def __init__(self, python: str, folder: Path) -> None:
        subprocess.run([python, "-m", "venv", folder], check=True)
        self.folder, self.bin = folder, folder / "bin"

    def run(self, program: str, *words: object) -> str:
        """What a program of the environment prints.

        Raises
        ------
        RuntimeError
            If it fails; with what it said.
        """
        kept = {"HOME", "LANG", "TMPDIR"}
        pip = {name for name in os.environ if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
        env = {name: os.environ[name] for name in kept | pip if name in os.environ}
        env |= {"PATH": str(self.bin), "OMP_NUM_THREADS": "1"}
        command = [str(self.bin / program), *map(str, words)]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def has(self, module: str) -> bool:
        """Whether Python finds a module."""
        code = f"from importlib import util; print(util.find_spec({module!r}) is not None)"
        return self.run("python", "-c", code).strip() == "True"

    def megabytes(self) -> float:
        """Of all files together."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return sum(path.lstat().st_size for path in files) / 1e6


def column(dump: Path, name: str) -> list[float]:
    """A column of the first frame of a LAMMPS dump."""
    lines = dump.read_text().splitlines()
    header = next(k for k, line in enumerate(lines) if line.startswith("ITEM: ATOMS"))
    names = lines[header].split()[2:]
    rows = sorted((line.split() for line in lines[header + 1 :]), key=lambda row: int(row[0]))
    return [float(row[names.index(name)]) for row in rows]


def propensities(env: Environment) -> dict[str, list[float]]:
    """Of the glass, by three ways."""
    env.run("lammps-botan", "score", GLASS, "-m", "ka-t064", "-o", "scored.dump")
    found = {"the command score": column(env.folder / "scored.dump", "d_propensity")}
    for ranks in (1, 2):
        dump = f"fix-{ranks}.dump"
        (env.folder / "in.smoke").write_text(SCRIPT.format(glass=GLASS, dump=dump))
        env.run("mpirun", "-np", ranks, env.bin / "lmp", "-in", "in.smoke", "-log", "none")
        found[f"the fix on {ranks} rank(s)"] = column(env.folder / dump, "f_mob")
    return found


def smoke(env: Environment, wheel: str, *options: str) -> None:
    """Install and score.

    Raises
    ------
    RuntimeError
        If a program fails or two ways disagree.
    """
    begun = time.monotonic()
    env.run("pip", "install", "-q", *options, wheel)
    seconds, megabytes = time.monotonic() - begun, env.megabytes()
    if shutil.which("c++", path=str(env.bin)) or shutil.which("g++", path=str(env.bin)):
        raise RuntimeError(f"{env.bin} has a compiler, which the wheel must do without")
    env.run("lammps-botan", "check")
    (first, expected), *others = propensities(env).items()
    for name, found in others:
        apart = max(abs(a - b) for a, b in zip(expected, found, strict=True))
        if not apart < ROUNDING:
            raise RuntimeError(f"{first} and {name} are {apart} apart, expected {ROUNDING} at most")
    version = env.run("python", "--version").strip()
    print(
        f"{version}: installed in {seconds:.0f} s, {megabytes:.0f} MB; check, score and fix agree",
        flush=True,
    )


def run_tests(env: Environment, wheel: str) -> None:
    """Run the tests of the source folder, but slow ones, with the programs of this machine.

    Raises
    ------
    RuntimeError
        If torch is installed: then the tests without it cannot be seen to pass.
    SystemExit
        If a test fails; pytest has said which.
    """
    begun = time.monotonic()
    env.run("pip", "install", "-q", f"{wheel}[{','.join(TESTED)}]")
    if env.has("torch"):
        raise RuntimeError(f"{env.folder} has torch, without which the tests should run")
    path = f"{env.bin}{os.pathsep}{os.environ['PATH']}"
    command = [env.bin / "pytest", "-q", "-rfE", "-m", "not slow", "-p", "no:cacheprovider"]
    variables = {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=SOURCE, env=os.environ | variables)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: exit status {done.returncode}")
    print(f"tests without torch: {time.monotonic() - begun:.0f} s with the installation of pytest")


def main() -> None:
    """Try one wheel in all Pythons that there are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=lambda path: Path(path).resolve())
    parser.add_argument("--extra", default="", help="Install this extra of the package as well.")
    parser.add_argument("--minor", type=int, nargs="*", default=MINORS, help="Of Python 3.")
    parser.add_argument("--tests", type=int, nargs="*", default=(), help="Run the tests in these.")
    arguments = parser.parse_args()
    wheel = f"{arguments.wheel}[{arguments.extra}]" if arguments.extra else str(arguments.wheel)
    for minor in arguments.minor:
        python = find_python(minor)
        if python is None:
            print(f"Python 3.{minor}: not found, not tried", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            env = Environment(python, Path(folder) / "env")
            smoke(env, wheel)
            if minor in arguments.tests:
                run_tests(env, str(arguments.wheel))


if __name__ == "__main__":
    main()

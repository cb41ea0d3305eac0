"""`fix botan` in Kokkos runs of LAMMPS, on processors, and in the same LAMMPS without Kokkos.

    .venv/bin/python reliability/kokkos.py LMP PLUGIN MPIRUN

LMP is an `lmp` with EXTRA-PAIR, KOKKOS and PLUGIN, PLUGIN the botanplugin.so compiled for it. A
rerun of a Kokkos run, on one rank and without Kokkos, must give the same scores. Minima depend on
the order of atoms: models of inherent structures score one state, on the same ranks.
"""

import io
import itertools
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from lammps_botan.files.checksum import add_checksum
from lammps_botan.network.shipped import find_model

DATA = Path(__file__).resolve().parents[1] / "inputs" / "ka-t064.data"
ROUNDING = 2e-5  # the order of sums in float32, of outputs of order 1
LAG_TIME, HISTORY = 0.08, {"window": 0.16, "interval": 0.04, "parts": 4}
SCRIPT = """
plugin load {plugin}
{start}
pair_style {pair} 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
timestep 0.001
neighbor 0.15 bin
atom_modify sort 10 1.0
fix nve all nve
fix mob all botan 40 m.pt A B verify yes
dump atoms all custom 40 {out}.atoms id type x y z ix iy iz proc f_mob
dump_modify atoms sort id format float %.17g
dump bonds all local 40 {out}.bonds f_mob[1] f_mob[2] f_mob[4]
dump_modify bonds format float %.9g
{steps}
print "verified: $(f_mob[6]:%.10g) $(f_mob[7]:%.10g) $(f_mob[8]:%.0f)"
"""
START = f"read_data {DATA}\nvelocity all create 0.64 1 loop geom\n"
RESTART = "run 120\nwrite_restart half"
# ranks, threads, options, pair style, and commands that change the box, or a run
WAYS = {
    "1 rank, 2 threads": (1, 2, "", "lj/cut/kk", ""),
    "2 ranks": (2, 1, "", "lj/cut/kk", ""),
    "2 ranks, 2 threads": (2, 2, "", "lj/cut/kk", ""),
    "full lists": (2, 1, "-pk kokkos neigh full newton off comm device", "lj/cut/kk", ""),
    "half lists": (2, 1, "-pk kokkos neigh half newton on comm host", "lj/cut/kk", ""),
    "no newton": (2, 1, "-pk kokkos neigh half newton off comm no", "lj/cut/kk", ""),
    "tiles": (2, 1, "", "lj/cut/kk", "comm_style tiled\nbalance 1.0 rcb"),
    "triclinic": (2, 1, "", "lj/cut/kk", "change_box all triclinic xy final 0.5 remap"),
    "restart": (2, 1, "", "lj/cut/kk", RESTART),
    "lj/smooth/linear, 1 rank": (1, 2, "", "lj/smooth/linear", ""),
    "lj/smooth/linear, restart": (2, 1, "", "lj/smooth/linear", RESTART),
}


def shorter(content: bytes) -> bytes:
    """A model file, and its fallback, with a lag time and a history that end within the run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for item in old.infolist():
            part = old.read(item)
            if item.filename.endswith("/extra/fallback.pt"):
                part = shorter(part)
            elif item.filename.endswith("/extra/metadata.json"):
                metadata = json.loads(part) | {"lag_times": [LAG_TIME]}
                if metadata.get("inputs", {}).get("history"):
                    metadata["inputs"]["history"] = HISTORY
                part = json.dumps(metadata).encode()
            new.writestr(item.filename, part)
    return add_checksum(buffer.getvalue())


def run(folder: Path, command: list[str], **given: object) -> np.ndarray:
    """What the fix verified in LAMMPS."""
    (folder / "in.lmp").write_text(SCRIPT.format(**given))
    command = [*command, "-in", "in.lmp", "-log", "none"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return np.array(done.stdout.split("\nverified: ")[1].split()[:3], float)


def rows(folder: Path, pattern: str, ids: int) -> dict[int, np.ndarray]:
    """Rows of each step of some dumps, in the order of their ids."""
    found = {}
    for path in sorted(folder.glob(pattern)):
        for part in path.read_text().split("ITEM: TIMESTEP\n")[1:]:
            table = np.loadtxt(part.splitlines()[8:])
            found[int(part.split()[0])] = table[np.lexsort(table[:, :ids].T[::-1])]
    return found


def apart(folder: Path, kind: str, ids: int) -> float:
    """Largest difference between run and rerun, where their steps and ids are the same."""
    one, other = (rows(folder, f"{pattern}.{kind}", ids) for pattern in ("?", "again"))
    a, b = (np.concatenate(list(each.values())) for each in (one, other))
    same = list(one) == list(other) and np.array_equal(a[:, :ids], b[:, :ids])
    return float(np.abs(a - b)[:, -1].max()) if same else np.inf


def figures(model: str, way: str, lmp: str, plugin: str, mpirun: str) -> list[float]:
    """Largest differences of atoms, of bonds and of rho; how many atoms changed their rank."""
    ranks, threads, options, pair, commands = WAYS[way]
    plain = [mpirun, "-np", str(ranks), lmp] if ranks > 1 else [lmp]
    command = [*plain, "-k", "on", "t", str(threads), "-sf", "kk", *options.split()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.pt").write_bytes(shorter(find_model(model).read_bytes()))
        steps = "run 0" if "inherent" in model else "run 80\nrun 120"
        start = START + commands.removeprefix(RESTART)
        again = {"plugin": plugin, "start": start, "pair": pair.removesuffix("/kk"), "out": "again"}
        if commands == RESTART:
            run(folder, command, plugin=plugin, pair=pair, start=start, out="1", steps=RESTART)
            start, steps = "read_restart half", "run 80"
        rho = run(folder, command, plugin=plugin, pair=pair, start=start, out="2", steps=steps)
        if "inherent" not in model:
            files = " ".join(path.name for path in sorted(folder.glob("?.atoms")))
            plain, steps = [lmp], f"rerun {files} dump x y z ix iy iz"
        expected = run(folder, plain, **again, steps=steps)
        owners = [table[:, 8] for table in rows(folder, "?.atoms", 1).values()]
        moved = float((owners[0] != owners[-1]).sum())
        different = float(np.abs(np.nan_to_num(rho - expected)).max())  # NaN: none yet
        return [apart(folder, "atoms", 1), apart(folder, "bonds", 2), different, moved]


def main() -> None:
    """Print the figures of each case, and fail where Kokkos changes a score."""
    lmp, plugin, mpirun = (str(Path(word).absolute()) for word in sys.argv[1:])
    models = "ka-t064", "ka-t064-history", "ka-t044-inherent"
    worst = 0.0
    for model, way in itertools.product(models, WAYS):
        if "inherent" in model and RESTART in WAYS[way]:
            continue
        *found, moved = figures(model, way, lmp, plugin, mpirun)
        worst = float(np.max([worst, *found]))
        of = ", ".join(f"{difference:.1e}" for difference in found)
        print(f"{model}, {way}: {of}; {moved:.0f} atoms changed their rank", flush=True)
    sys.exit(not worst < ROUNDING)


if __name__ == "__main__":
    main()

"""A liquid that LAMMPS can simulate: a mixture with interactions, and the input file of both."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from lammps_botan.files.mixture_toml import find_mixture
from lammps_botan.files.whole_file import whole_file
from lammps_botan.structure.melt import melt_energy
from lammps_botan.structure.mixture import Interactions, Mixture

INPUT = "in.mixture"  # the name of the input file in the folder of a job

PUSH = 20.0  # k_B T of the melt: parts random positions
FORCE_TOLERANCE = 2e-6  # k_B T of the melt / diameter: the force at a minimum


@dataclass(frozen=True)
class Liquid:
    """A mixture with interactions.

    Parameters
    ----------
    mixture : Mixture
    folder : Path
        Folder of the files of its interactions, such as potentials.

    Raises
    ------
    ValueError
        If the mixture has no interactions, or a file of theirs lies in another folder.
    FileNotFoundError
        If a file of its interactions is not there.
    """

    mixture: Mixture
    folder: Path = Path()

    def __post_init__(self) -> None:
        for name in self.interactions.files:
            if Path(name).name != name:
                raise ValueError(
                    f"{self.mixture.name}: interactions.files must be names of files beside the "
                    f"TOML file, without folders, found {name}"
                )
            if not (self.folder / name).is_file():
                raise FileNotFoundError(
                    f"{self.folder / name}: no such file; the interactions of {self.mixture.name} "
                    "need it: put it beside the TOML file of the mixture, and give that by "
                    "--mixture FILE.toml"
                )

    @property
    def interactions(self) -> Interactions:
        """The interactions of the mixture; a mixture without them is refused."""
        if self.mixture.interactions is None:
            raise ValueError(
                f"the mixture {self.mixture.name} has no interactions, which LAMMPS needs; give "
                "--mixture FILE.toml with a table [interactions] (docs/how_to/own_mixture.md)"
            )
        return self.mixture.interactions

    def identity(self) -> dict[str, str]:
        """Identify the liquid in the note of a folder: name, and SHA-256.

        The hash is that of all input of LAMMPS, with the files of the interactions.
        """
        told = {"units", "masses", "fractions", "dimension", "interactions"}
        content = json.dumps(self.mixture.model_dump(mode="json", include=told), sort_keys=True)
        sha256 = hashlib.sha256(content.encode())
        for name in self.interactions.files:
            sha256.update((self.folder / name).read_bytes())
        return {"mixture": self.mixture.name, "mixture_sha256": sha256.hexdigest()}

    def write(self, folder: Path) -> None:
        """Write the input file and the files of the interactions to the folder of a job."""
        for name in self.interactions.files:
            with whole_file(folder / name) as part:
                shutil.copyfile(self.folder / name, part)
        with whole_file(folder / INPUT) as part:
            part.write_text(self.input_text())

    def input_text(self) -> str:
        """Write the text that the scripts of inputs/ include, in the form of in.kob-andersen."""
        mixture, own = self.mixture, self.interactions
        total = sum(mixture.fractions)
        energy = melt_energy(mixture)
        assert energy is not None  # see interactions
        in_space = "p p p"  # LAMMPS wants the third direction periodic in two dimensions too
        variables = [
            ("species", " ".join(mixture.species), "names"),
            ("n_species", str(mixture.n_species), ""),
            ("fractions", " ".join(f"{x / total:.15g}" for x in mixture.fractions), ""),
            ("density", "" if mixture.density is None else f"{mixture.density:.15g}", ""),
            ("diameter", f"{mixture.diameter:.15g}", "about that of the largest particles"),
            ("damping", f"{own.damping:.15g}", "time of the thermostat"),
            ("skin", f"{own.skin:.15g}", "of neighbor lists; cold: a thin one is fastest"),
            ("melt_temperature", f"{own.melt_temperature:.15g}", ""),
            ("melt_time", f"{own.melt_time:.15g}", ""),
            ("cooling_time", f"{own.cooling_time:.15g}", ""),
            ("push", f"{PUSH * energy:.15g}", "energy, 20 k_B T of the melt"),
            (
                "force_tolerance",
                f"{FORCE_TOLERANCE * energy / mixture.diameter:.15g}",
                "at minima, 2e-6 k_B T of the melt / diameter",
            ),
        ]
        lines = [
            f"# {mixture.name}: what the scripts from in.melt to in.inherent must know of it.",
            "# They include this file twice: before there is a box its first half counts, then its",
            "# second half.",
            "",
            'if "$(extract_setting(box_exist)) == 1" then "jump SELF interactions"',
            "",
            _line("units", mixture.units),
            _line("dimension", str(mixture.dimension)),
            _line("boundary", in_space),
            _line("atom_style", "atomic"),
            *(_variable(*variable) for variable in variables if variable[1]),
            "jump            SELF end",
            "",
            "label           interactions",
            *(_line("mass", f"{k} {m:.15g}") for k, m in enumerate(mixture.masses, 1)),
            *own.commands.strip().splitlines(),
            *([_line("fix", "plane all enforce2d")] if mixture.dimension == 2 else []),
            _line("timestep", f"{own.timestep:.15g}"),
            "label           end",
        ]
        return "\n".join(lines) + "\n"


def open_liquid(mixture: Mixture | str | Path) -> Liquid:
    """Open the liquid of a mixture: a shipped one by its name, or that of a TOML file.

    The files of its interactions lie beside the TOML file, those of a `Mixture` in the current
    folder.

    Raises
    ------
    FileNotFoundError, ValueError
        As `files.mixture_toml.find_mixture` and `Liquid`.
    """
    if isinstance(mixture, Mixture):
        return Liquid(mixture)
    return Liquid(find_mixture(mixture), Path(mixture).resolve().parent)


def _line(command: str, arguments: str) -> str:
    return f"{command:<16}{arguments}"


def _variable(name: str, value: str, comment: str) -> str:
    quoted = f'"{value}"' if " " in value else value
    line = f"variable        {name:<16} index {quoted}"
    return f"{line:<48}# {comment}" if comment else line

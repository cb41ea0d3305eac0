"""Which data a run was begun with: files by their content, since patterns find others later."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from lammps_botan.files.sha256 import sha256_of
from lammps_botan.network.checkpoint import Physics
from lammps_botan.training.config import Config
from lammps_botan.training.data import expand

NAME = "data.json"  # in the output folder
MOST_NAMES = 5  # in a message
FORMER = "give the former ones, choose another `output` or delete that folder"

Files = dict[str, dict[str, str]]


class DataRecord(BaseModel):
    """Data of a run.

    Attributes
    ----------
    files : dict
        SHA-256 of each file, by the key of the configuration and by the name of the file.
    physics : Physics

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> physics = Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,))
    >>> DataRecord(files={"data.train": {"a.npz": "ab"}}, physics=physics).files["data.train"]
    {'a.npz': 'ab'}
    """

    files: Files
    physics: Physics


def record_files(config: Config, folder: Path) -> Files:
    """Compute the SHA-256 of the files of a run.

    Parameters
    ----------
    config : Config
    folder : Path
        Folder that its patterns start from, and the names of the files too: a project may move.

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        If a pattern matches no file.

    Examples
    --------
    >>> from lammps_botan.training.config import Data
    >>> for name in ("a.npz", "b.npz"):
    ...     Path(name).touch()
    >>> config = Config(output="run", data=Data(train=["a.npz"], validation=["b.npz"]))
    >>> list(record_files(config, Path(".")))
    ['data.train', 'data.validation']
    """
    found: Files = {}
    for key in ("train", "validation", "copies"):
        for pattern in getattr(config.data, key):
            for path in expand([pattern], folder):
                given = Path(pattern).is_absolute()
                name = str(path if given else path.relative_to(folder))
                if path.is_file():
                    found.setdefault(f"data.{key}", {})[name] = sha256_of(path)
    return found


def check_files(output: Path, files: Files) -> None:
    """Refuse a folder that holds a run of other files.

    Parameters
    ----------
    output : Path
    files : dict
        Result of `record_files`.

    Raises
    ------
    ValueError
        If a file is new, is gone or has another content. Earlier versions recorded no files: their
        folders are taken as they are.

    Examples
    --------
    >>> check_files(Path("fresh"), {"data.train": {"a.npz": "ab"}})
    """
    recorded = _read(output)
    if recorded is None or recorded.files == files:
        return
    words = []
    for key in dict.fromkeys([*recorded.files, *files]):
        before, now = recorded.files.get(key, {}), files.get(key, {})
        changes = {
            "gone": [name for name in before if name not in now],
            "new": [name for name in now if name not in before],
            "changed": [name for name in before if now.get(name, before[name]) != before[name]],
        }
        words += [f"{what} in {key}: {_listed(names)}" for what, names in changes.items() if names]
    raise ValueError(
        f"{output} holds a run of other files ({NAME} there): {'; '.join(words)}; {FORMER}"
    )


def check_physics(output: Path, physics: Physics) -> None:
    """Refuse a folder that holds a run of another mixture, lag time or state.

    Parameters
    ----------
    output : Path
    physics : Physics

    Raises
    ------
    ValueError
        If it does.

    Examples
    --------
    >>> from lammps_botan import KOB_ANDERSEN
    >>> check_physics(Path("x"), Physics(mixture=KOB_ANDERSEN, cutoff=2.0, lag_times=(13.0,)))
    """
    recorded = _read(output)
    if recorded is None:
        return
    before, now = recorded.physics.mixture.reference_species, physics.mixture.reference_species
    why = recorded.physics.difference(physics)
    if not why and before != now:
        why = f"reference_species {before} and {now}"
    if not why:
        return
    raise ValueError(
        f"{output} holds a run of another mixture or state ({NAME} there); they differ in "
        f"{why}; {FORMER}"
    )


def _read(output: Path) -> DataRecord | None:
    recorded = output / NAME
    if not recorded.exists() or not (output / "config.json").exists():
        return None
    try:
        return DataRecord.model_validate_json(recorded.read_bytes())
    except ValidationError as error:
        raise ValueError(
            f"{recorded}: damaged ({error.errors()[0]['msg']}); put it right, or choose another "
            "`output`"
        ) from error


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")

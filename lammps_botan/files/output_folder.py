"""Output folders: one process writes, and the settings stay the same."""

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lammps_botan.files.whole_file import whole_file

UNFINISHED = "unfinished"  # sub-folder of the runs that are under way: COMMAND/NAME in it


def versions() -> dict[str, str]:
    """Give the versions of the programs that make the data.

    Returns
    -------
    dict of str to str
        By the name of the package.

    Examples
    --------
    >>> sorted(versions())
    ['MDAnalysis', 'lammps', 'lammps-botan', 'numpy']
    """
    names = ("lammps-botan", "lammps", "numpy", "MDAnalysis")
    return {name: metadata.version(name) for name in names}


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Lock a folder for this process.

    Parameters
    ----------
    folder : Path
        Made if it is not there; if the block leaves it empty, it goes again.

    Yields
    ------
    None
        The lock is held while the block runs.

    Raises
    ------
    ValueError
        If another process holds the folder.

    Examples
    --------
    >>> with lock_folder(Path("mine")), lock_folder(Path("mine")):
    ...     pass
    Traceback (most recent call last):
    ValueError: mine: another process is writing here; wait for it, or choose another folder
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(
            f"{folder}: another process is writing here; wait for it, or choose another folder"
        ) from error
    try:
        yield
    finally:
        if made and [path.name for path in folder.iterdir()] == [".lock"]:
            (folder / ".lock").unlink()
        lock.release()
        with contextlib.suppress(OSError):  # the first that is not empty
            for one in made:
                one.rmdir()


@contextlib.contextmanager
def open_output(
    folder: Path, name: str, asked: dict[str, Any], configurations: dict[str, dict[str, Any]]
) -> Iterator[None]:
    """Lock the folder for this process, and note the settings in NAME.json.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    name : str
        Name of the JSON file, without its suffix.
    asked : dict
        Settings; they must be the same at every call.
    configurations : dict of dict
        What identifies each configuration, by its name; it must be the same for configurations that
        the folder already has.

    Yields
    ------
    None
        The lock is held while the block runs.

    Raises
    ------
    ValueError
        If another process holds the folder, or the settings are not those of the folder.

    Examples
    --------
    >>> with open_output(Path("runs"), "about", {"seed": 1}, {"c1": {"sha256": "ab"}}):
    ...     pass
    >>> with open_output(Path("runs"), "about", {"seed": 2}, {}):
    ...     pass
    Traceback (most recent call last):
    ValueError: runs was begun with seed = 1, now seed = 2 is asked for; give the former or choose
    ...
    """
    with lock_folder(folder):
        about = folder / f"{name}.json"
        before = _read(about)
        _compare(folder, "", before, asked)
        known = before.get("configurations", {})
        for key, own in configurations.items():
            _compare(folder, f"{key}: ", known.get(key, {}), own)
        new = {k: {**own, "versions": versions()} for k, own in configurations.items()}
        _write(about, {**asked, "configurations": {**new, **known}})
        yield


def add_to_note(folder: Path, name: str, measured: dict[str, dict[str, Any]]) -> None:
    """Add measured quantities of some configurations to NAME.json of a locked folder.

    Parameters
    ----------
    folder : Path
    name : str
        Name of the JSON file, without its suffix.
    measured : dict of dict
        By the names of the configurations.

    Examples
    --------
    >>> with open_output(Path("noted"), "about", {"seed": 1}, {"c1": {"sha256": "ab"}}):
    ...     add_to_note(Path("noted"), "about", {"c1": {"pressure": 3.9}})
    """
    about = folder / f"{name}.json"
    content = _read(about)
    for key, own in measured.items():
        content["configurations"][key] |= own
    _write(about, content)


def check_products(folder: Path, name: str, products: Iterable[Path]) -> None:
    """Refuse a file in the place of a product that NAME.json does not list.

    Parameters
    ----------
    folder : Path
    name : str
        Name of the JSON file, without its suffix.
    products : iterable of Path
        Named after their configurations.

    Raises
    ------
    ValueError
        If another command made such a file.

    Examples
    --------
    >>> check_products(Path("empty"), "about", [Path("empty/c1.npz")])
    """
    known = _read(folder / f"{name}.json").get("configurations", {})
    for product in products:
        if product.exists() and product.stem not in known:
            raise ValueError(
                f"{product}: is there, but not by `simulate {name}`; choose another folder"
            )


def remove_unfinished(folder: Path, command: str, names: Iterable[str]) -> None:
    """Remove what is left of runs that are done; runs of others stay.

    Parameters
    ----------
    folder : Path
        Output folder, locked.
    command : str
        Name of the JSON file, without its suffix.
    names : iterable of str
        Configurations.

    Examples
    --------
    >>> for name in ("c1", "c2"):
    ...     (Path("several") / UNFINISHED / "isoconfig" / name).mkdir(parents=True)
    >>> remove_unfinished(Path("several"), "isoconfig", ["c1"])
    >>> [path.name for path in (Path("several") / UNFINISHED / "isoconfig").iterdir()]
    ['c2']
    """
    runs = folder / UNFINISHED / command
    for name in names:
        shutil.rmtree(runs / name, ignore_errors=True)
        (runs / name).with_suffix(".lock").unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # other runs are there
        runs.rmdir()
        runs.parent.rmdir()


def _write(about: Path, content: dict[str, Any]) -> None:
    with whole_file(about) as part:
        part.write_text(json.dumps(content, indent=1) + "\n")


def _read(about: Path) -> dict[str, Any]:
    if not about.exists():
        return {}
    try:
        content = json.loads(about.read_text())
        if not isinstance(content, dict) or not isinstance(content["configurations"], dict):
            raise ValueError("not what lammps-botan writes")
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{about}: damaged ({error}); put it right, or choose another folder"
        ) from error
    return content


def _compare(folder: Path, place: str, before: dict[str, Any], asked: dict[str, Any]) -> None:
    for key, value in asked.items():
        if before and before.get(key) != value:
            raise ValueError(
                f"{folder} was begun with {place}{key} = {before.get(key)}, now {key} = {value} is "
                "asked for; give the former or choose another folder"
            )

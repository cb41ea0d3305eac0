"""Score trajectories: the predictions of `fix botan` for the frames of a finished run."""

import functools
import gzip
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import MDAnalysis

from lammps_botan.files.scored_dump import ScoredConfiguration, atoms_text, bonds_text
from lammps_botan.files.trajectory import open_frames, universe_frames
from lammps_botan.files.whole_file import keep_apart
from lammps_botan.files.whole_frames import WholeFrames
from lammps_botan.network.metadata import HistoryInput, read_metadata
from lammps_botan.network.shipped import find_model
from lammps_botan.prediction.frame import FrameScorer
from lammps_botan.prediction.inherent import check_use
from lammps_botan.prediction.sampled_frames import SampledFrames
from lammps_botan.prediction.sampler import ENERGY
from lammps_botan.prediction.workers import map_in_order
from lammps_botan.structure.configuration import Configuration

Source: TypeAlias = MDAnalysis.Universe | Configuration | Iterable[Configuration]


class Progress(NamedTuple):
    """Progress of the scoring of a trajectory.

    Parameters
    ----------
    n_frames : int
        Frames written.
    share : float
        Share of the trajectory that has been read, 0 to 1.
    n_left_out : int
        Frames left out, since the window of the history that the model sees was not full.

    Examples
    --------
    >>> Progress(n_frames=10, share=0.5, n_left_out=0).share
    0.5
    """

    n_frames: int
    share: float
    n_left_out: int


def score(
    source: Source,
    model: str | Path,
    *,
    species: Sequence[str] | None = None,
    every: int = 1,
    bonds: float | None = None,
    inherent: bool = False,
    timestep: float | None = None,
    workers: int = 1,
    device: str = "cpu",
) -> Iterator[ScoredConfiguration]:
    """Score frames one after the other, each when the caller takes it.

    For a model that sees a history the frames are its samples (docs/reference/score.md): they must
    come at the steps of the samples, with the energies of the particles in the column `c_pe`.
    Frames whose window is not full are left out. A single configuration has its history in
    `history`.

    Parameters
    ----------
    source : Universe, Configuration, or iterable of Configuration
        The frames; `lammps_botan.files.trajectory.open_frames(path)` gives those of a file.
    model : str or Path
        A model file, or the name of a model that ships.
    species : sequence of str, optional
        For each atom type in order a species of the model, or NULL. Default: the types are the
        species of the model, by their names if they have names, by their numbers if not.
    every : int
        Score the first frame and each that is a multiple of this many frames after it.
    bonds : float, optional
        Pairs closer than this are returned, length unit; at most the cutoff of the model. Default:
        the longest bond length of the mixture of the model, as in `fix botan`.
    inherent : bool
        Find the inherent structures that the model sees, by minimizations with the interactions of
        its mixture (docs/reference/inherent.md). Inherent structures that frames already have stay.
    timestep : float, optional
        Time step of the run, time unit, for a model that sees a history and frames that do not say
        their time.
    workers : int
        Processes that score. With more than one, the calling script needs
        `if __name__ == "__main__":`, as always with multiprocessing.
    device : str
        "cpu", "cuda" or "cuda:N".

    Yields
    ------
    ScoredConfiguration

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the arguments do not fit the model, or a frame cannot be scored.

    Examples
    --------
    >>> from lammps_botan import Box, Configuration, score
    >>> box = Box(5.0, (True, True, True))
    >>> pair = Configuration(positions=[[0, 0, 0], [1, 0, 0]], species=[0, 1], box=box)
    >>> (scored,) = score(pair, "ka-t064")
    >>> scored.propensity.shape, scored.center, scored.neighbor
    ((2, 1), array([1, 2]), array([2, 1]))
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, found {every}")
    if isinstance(source, str | Path):
        raise TypeError(
            f"score takes frames, found the name {source}; use score(open_frames({str(source)!r}), "
            "...) with lammps_botan.files.trajectory.open_frames, or score_file"
        )
    make = _checked_scorer(model, species, bonds, workers, device, inherent)
    if isinstance(source, Configuration):
        return map_in_order(make, [source], workers)
    metadata = read_metadata(find_model(model))
    asked = metadata.inputs.history
    frames: Iterable[Configuration]
    if isinstance(source, MDAnalysis.Universe):
        frames = universe_frames(source, **_reading(asked, every))
    else:
        frames = map(_configuration, source)
        if not asked:
            frames = itertools.islice(frames, 0, None, every)
    if asked:
        frames = SampledFrames(frames, asked, metadata.mixture, species, timestep, every)
    return map_in_order(make, frames, workers)


def score_file(
    path: str | Path,
    model: str | Path,
    output: Path,
    *,
    bonds_output: Path | None = None,
    topology: Path | None = None,
    box: Sequence[float] | None = None,
    units: str | None = None,
    species: Sequence[str] | None = None,
    every: int = 1,
    inherent: bool = False,
    timestep: float | None = None,
    workers: int = 1,
    device: str = "cpu",
) -> Generator[Progress, None, None]:
    r"""Score a trajectory into dump files (`files.scored_dump`) that hold whole frames only.

    Parameters
    ----------
    path, topology, box, units
        As for `lammps_botan.files.trajectory.open_frames`.
    model, species, every, inherent, timestep, workers, device
        As for `score`.
    output : Path
        Dump of atoms to write; compressed if its name ends in .gz.
    bonds_output : Path, optional
        Dump of bonds to write; compressed if its name ends in .gz.

    Yields
    ------
    Progress
        After each frame, and at the end if frames were left out after the last one.

    Raises
    ------
    OSError
        If a file cannot be read or written.
    ValueError
        If a frame cannot be scored. The frames before it stay in the output.

    Examples
    --------
    >>> text = "2\nan example\nA 0 0 0\nB 1 0 1\n"
    >>> _ = Path("run.xyz").write_text(text)
    >>> for progress in score_file("run.xyz", "ka-t064", Path("scored.dump"), box=[5.0, 5.0, 5.0]):
    ...     print(progress.n_frames)
    1
    >>> Path("scored.dump").read_text().splitlines()[-2].split()[:2]
    ['1', '1']
    """
    outputs = [output] if bonds_output is None else [output, bonds_output]
    keep_apart(outputs, [path, find_model(model), *([topology] if topology else [])])
    make = _checked_scorer(model, species, None, workers, device, inherent)
    metadata = read_metadata(find_model(model))
    asked = metadata.inputs.history
    read = open_frames(path, topology=topology, box=box, units=units, **_reading(asked, every))
    sampled = None
    if asked:
        sampled = SampledFrames(read, asked, metadata.mixture, species, timestep, every)
    texts = map_in_order(functools.partial(_TextScorer, make, outputs), sampled or read, workers)
    n_left_out = 0
    with WholeFrames(*outputs) as files:
        for text in texts:
            files.append(*text)
            n_left_out = sampled.n_left_out if sampled else 0
            yield Progress(files.n_frames, read.progress, n_left_out)
    if sampled and sampled.n_left_out > n_left_out:
        yield Progress(files.n_frames, read.progress, sampled.n_left_out)


def _configuration(frame: Any) -> Configuration:
    if not isinstance(frame, Configuration):
        raise TypeError(
            f"score takes a Universe, a Configuration or an iterable of Configuration, found one "
            f"of {type(frame).__name__}; of an AtomGroup or a trajectory give the Universe, and "
            "leave out atom types by NULL in species"
        )
    return frame


def _reading(asked: HistoryInput | None, every: int) -> dict[str, Any]:
    """Arguments to read frames with: all frames where they are samples of a history."""
    return {"every": 1, "columns": [ENERGY]} if asked else {"every": every, "columns": []}


def _checked_scorer(
    model: str | Path,
    species: Sequence[str] | None,
    bonds: float | None,
    workers: int,
    device: str,
    inherent: bool,
) -> Callable[[], FrameScorer]:
    """Function that makes the scorer, here or in a worker, after a check of the arguments."""
    if isinstance(species, str):
        species = species.split()
    path = find_model(model)
    metadata = read_metadata(path)
    if inherent:
        check_use(metadata, "--inherent (inherent=True in Python)")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, found {workers}")
    bonds = metadata.mixture.longest_bond if bonds is None else bonds
    if not 0 < bonds <= metadata.cutoff:
        raise ValueError(
            f"bonds must be positive and at most the cutoff of {model}, {metadata.cutoff:g}; "
            f"found {bonds:g}"
        )
    if species is not None:
        metadata.mixture.numbers(species)  # all of them are words of the model
    words = None if species is None else tuple(species)
    return functools.partial(FrameScorer, path, words, bonds, workers, device, inherent)


class _TextScorer:
    """Score a configuration and write the text for each output."""

    def __init__(self, make: Callable[[], FrameScorer], outputs: Sequence[Path]) -> None:
        self._score = make()
        self._compressed = [path.suffix == ".gz" for path in outputs]

    def __call__(self, configuration: Configuration) -> list[bytes]:
        scored = self._score(configuration)
        writers = (atoms_text, bonds_text)[: len(self._compressed)]
        texts = [write(scored) for write in writers]
        return [_compress(t) if c else t for t, c in zip(texts, self._compressed, strict=True)]


def _compress(text: bytes) -> bytes:
    return gzip.compress(text, compresslevel=6)  # members of an archive may follow each other

"""Progress bars of a training run."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from lightning import pytorch as pl
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    track,
)

T = TypeVar("T")


def shown(items: Sequence[T], title: str) -> Iterator[T]:
    """Give the items, with a bar over them that disappears at the end; in the first process alone.

    Parameters
    ----------
    items : sequence
    title : str
        Text before the bar.

    Yields
    ------
    object
        Each item.

    Examples
    --------
    >>> list(shown([1, 2], "files"))
    [1, 2]
    """
    console = Console(stderr=True)
    others = getattr(rank_zero_only, "rank", 0) != 0
    yield from track(items, title, console=console, transient=True, disable=others)


class Bar(ProgressBar):
    """One bar over all epochs, with the time left and the correlations on the validation set.

    Parameters
    ----------
    title : str
        Text before the bar.
    validate_every : int
        Epochs from one validation to the next.

    Examples
    --------
    >>> from lightning.pytorch.callbacks import Callback
    >>> isinstance(Bar("epoch", validate_every=10), Callback)
    True
    """

    def __init__(self, title: str, validate_every: int) -> None:
        super().__init__()
        self._title = title
        self._validate_every = validate_every
        self._progress = Progress(
            TextColumn(title),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )

    def disable(self) -> None:
        """Hide the bar; Lightning calls this on all processes but the first."""
        self._progress.disable = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start at the epoch that an earlier run reached."""
        self._progress.start()
        done = trainer.current_epoch
        self._task = self._progress.add_task("", total=trainer.max_epochs, completed=done)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Advance by one epoch."""
        found = trainer.callback_metrics
        names = [name for name in ("rho_S", "rho_E") if name in found]
        text = "  ".join(f"{name} {float(found[name]):.3f}" for name in names)
        self._progress.update(self._task, advance=1, description=text)
        # a log file has no bar to redraw: give it a line for each validation
        epoch = trainer.current_epoch + 1
        judged = epoch % self._validate_every == 0
        if trainer.is_global_zero and judged and not self._progress.console.is_terminal:
            print(f"{self._title} {epoch} of {trainer.max_epochs}  {text}", flush=True)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Leave the last state of the bar on the terminal."""
        self._progress.stop()

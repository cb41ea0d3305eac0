"""Damaged files of every format that Python reads."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from child import Attempt, make_tries
from damage import damage_archive, damage_bytes, damage_text, swap_members
from fault import OTHER, REFUSED, RIGHT, Fault
from small_files import WRITERS

NO_CHECKSUM = "the format has no checksum"


@dataclass(frozen=True)
class Format:
    """A kind of file: how it is made, damaged and read.

    Attributes
    ----------
    name : str
        Of the file; says the format.
    words : str
        Of the fault.
    damage : callable
        From the content of the file and random numbers to another content.
    allowed : str
        Why a damaged file may give another result.
    tries : int
    """

    name: str
    words: str
    damage: Callable[[bytes, random.Random], bytes]
    allowed: str = NO_CHECKSUM
    tries: int = 5000


FORMATS = [
    Format("model.pt", "model file: bits, blocks", damage_bytes, "", 5000),
    Format("bare.pt", "model file without a checksum: bits, blocks, members", damage_archive,
           NO_CHECKSUM, 500),
    Format("network.ckpt", "checkpoint: bits, blocks", damage_bytes, "", 5000),
    Format("bare.ckpt", "checkpoint without a checksum: bits, blocks, members", damage_archive,
           NO_CHECKSUM, 3000),
    Format("ensemble.npz", "ensemble: bits, blocks", damage_bytes),
    Format("ensemble.npz", "ensemble: members swapped or damaged", swap_members),
    Format("histories.npz", "ensemble with histories: bits, blocks, members", damage_archive),
    Format("bapst.pickle", "pickle of Bapst et al.: bits, blocks", damage_bytes),
    Format("run.dump", "LAMMPS dump: numbers, lines, bits", damage_text),
    Format("glass.data", "LAMMPS data file: numbers, lines, bits", damage_text),
    Format("frames.xyz", "XYZ file: numbers, lines, bits", damage_text),
    Format("mixture.toml", "mixture: numbers, lines, bits", damage_text),
    Format("recipe.toml", "recipe of a training: numbers, lines, bits", damage_text),
]  # fmt: skip


def prepare(one: Format, folder: Path) -> Attempt:
    """What makes a try in a process of its own."""
    torch.set_num_threads(1)
    write, read = WRITERS[one.name]
    path = write(folder / one.name)
    content = path.read_bytes()
    expected = read(path)

    def attempt(seed: int) -> tuple[str, str]:
        rng = random.Random(seed)
        damaged = one.damage(content, rng)
        path.write_bytes(damaged)
        try:
            found = read(path)
        except (ValueError, FileNotFoundError) as error:
            if one.name in str(error):
                return REFUSED, str(error)
            raise
        return (RIGHT if equal(found, expected) else OTHER), ""

    return attempt


def equal(some: Any, others: Any) -> bool:
    """Whether two results are the same: arrays, tensors, plain values and lists of them."""
    if isinstance(some, list | tuple) and isinstance(others, list | tuple):
        return len(some) == len(others) and all(map(equal, some, others))
    if isinstance(some, np.ndarray | torch.Tensor):
        return some.shape == others.shape and bool((some == others).all())
    if isinstance(some, float) and isinstance(others, float) and math.isnan(some):
        return math.isnan(others)
    return bool(some == others)


def faults(share: float) -> Iterator[Fault]:
    """Each format, with a share of its tries."""
    for one in FORMATS:
        one = replace(one, tries=max(1, round(share * one.tries)))
        fault = Fault(one.words, one.allowed)
        for seed, outcome, text in make_tries(partial(prepare, one), range(one.tries)):
            fault.add(outcome, f"seed {seed}: {text}")
        yield fault

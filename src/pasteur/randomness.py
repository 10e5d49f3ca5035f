"""One seed, a stream of its own for each use: no stage's draws depend on those of another."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stage(IntEnum):
    """What a generator is for. The numbers are part of what a seed means: never reuse or reorder them."""

    SAMPLE = 1
    DECODE = 2
    SCORES = 3
    UNITS = 4
    LEARN = 5


def generator(seed: int, stage: Stage, index: int = 0) -> np.random.Generator:
    """The generator of one stage and one component."""
    return np.random.default_rng([seed, stage, index])

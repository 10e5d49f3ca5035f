"""Workload error against wrk itself: how well the fitted rows were fitted, the number that papers on privacy quote.

It reads wrk, exactly, so that no choice between runs may rest on it. Of T, which nothing was fitted to, `marginals`
gives the same distances.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pasteur.metrics import candidates as cutting
from pasteur.metrics.components import joined
from pasteur.metrics.data import Data
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.marginals import tvds
from pasteur.metrics.score import Raw

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = ("wrk",)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The family. Names: `fit/tvd1`, `/tvd2`, `/tvd3`: mean total variation distance from wrk, as in `marginals`."""

    name: str = "fit"
    depths: frozenset[str] = frozenset({"standard", "full"})
    working: bool = False
    imports: tuple[str, ...] = ()

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Distances of each candidate's marginals from wrk's, over the same sets of columns as in `marginals`."""
        if task.working is None:
            return Outcome(scores={}, notes={self.name: "the rows that were fitted are not known here"})
        most = dict.fromkeys(cutting.roots(task.schema), task.settings.sample)
        held = cutting.cut(task.working, schema=task.schema, rows=most, rng=task.rng("cut/wrk"))
        fitted = Data(tables=held, encoders=target.encoders)
        plain = {name: replace(data, groups=None) for name, data in candidates.items()}
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        for component in task.schema.tables:
            found, _ = tvds(fitted, plain, task, component)
            for metric, distances in found.items():
                for name, (parts, _) in distances.items():
                    scores[name].append(
                        Raw(
                            metric=f"fit/{metric}/{component}",
                            value=float(np.mean(list(parts.values()))),
                            better="lower",
                            reads=READS,
                            note="against wrk, exactly",
                        )
                    )
        return Outcome(scores=joined(scores, len(task.schema.tables)))


FAMILY: Metric = Fit()

"""Parents and children: how many each has, whom they name, and what goes with what across tables.

Names, each with `/<parent>-<child>` where there are several relationships: `relational/children`, total variation of
the number of children; `relational/orphans`, share of children whose parent is not there; `relational/pairs`, mean
total variation of a parent's column with a child's; `relational/detection`, the area under the ROC curve of a model
that tells a candidate's parents from T's by their columns and what their children come to (0.5 is best).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from pasteur.metrics.candidates import deal, links
from pasteur.metrics.components import joined, slug
from pasteur.metrics.detection import FOLDS, Side, tell
from pasteur.metrics.families import Metric, Outcome, Task
from pasteur.metrics.marginals import over_cliques, tvd
from pasteur.metrics.score import GROUPS, Raw
from pasteur.metrics.sequences import LONGEST, places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pasteur.metrics.data import Data
    from pasteur.schema import Relationship

MOST_PAIRS = 2000
"""Pairs of columns across two tables; above it this many are drawn with the seed."""
LEVELS = 8
"""Levels of a child's category whose shares are aggregates."""


@dataclass(frozen=True, kw_only=True)
class Relational:
    """The family.

    Details of every side: `<parent>.<child>` -> `children` (`labels`, `shares`), `mean`, `orphans`; of candidates also
    `detection`, as in that family, its columns being those of the parent and `<child's column> <aggregate>`.
    """

    name: str = "relational"
    depths: frozenset[str] = frozenset({"standard", "full"})
    working: bool = True
    imports: tuple[str, ...] = ("sklearn.ensemble",)

    def measure(self, target: Data, candidates: Mapping[str, Data], task: Task) -> Outcome:
        """Compare each candidate's relationships with the target's."""
        scores: dict[str, list[Raw]] = {name: [] for name in candidates}
        details: dict[str, dict[str, Any]] = {name: {} for name in ("target", *candidates)}
        notes: dict[str, str] = {}
        found = [link for component in task.schema.tables for link in links(task.schema, component)]
        for link in found:
            label, name = f"{link.parent_table}.{link.child_table}", slug(f"{link.parent_table}-{link.child_table}")
            own = _Family.of(target, link)
            details["target"][label] = own.shown()
            families = {key: _Family.of(data, link) for key, data in candidates.items()}
            for key, theirs in families.items():
                details[key][label] = theirs.shown()
                scores[key] += _counted(name, own, theirs)
            for key, raw in _pairs(name, own, families, task).items():
                scores[key].append(raw)
            for key, theirs in families.items():
                raw, shown = _detected(name, own, theirs, target, candidates[key], task)
                scores[key].append(raw)
                if shown is None:
                    notes[f"{raw.metric}/{key}"] = raw.note
                else:
                    details[key][label]["detection"] = shown
        if not found:
            return Outcome(scores={})
        return Outcome(scores=joined(scores, len(found)), details=details, notes=notes)


@dataclass(frozen=True, kw_only=True)
class _Family:
    """The two ends of a relationship on one side."""

    link: Relationship
    data: Data
    place: NDArray[np.int64]
    """(children,) each one's parent, -1 for none."""

    @classmethod
    def of(cls, data: Data, link: Relationship) -> _Family:
        child = data.tables[link.child_table][link.child_key]
        return cls(link=link, data=data, place=places(child, data.tables[link.parent_table][link.parent_key]))

    @property
    def parents(self) -> int:
        return self.data.rows(self.link.parent_table)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(parents,) children of each."""
        return np.bincount(self.place[self.place >= 0], minlength=self.parents)

    @property
    def orphans(self) -> float:
        return float((self.place < 0).mean()) if self.place.size else 0.0

    def shown(self) -> dict[str, Any]:
        counts = np.minimum(self.counts, LONGEST)
        shares = np.bincount(counts, minlength=1) / max(self.parents, 1)
        labels = [str(n) for n in range(len(shares))]
        if len(shares) > LONGEST:
            labels[-1] += " or more"
        mean = round(float(self.counts.mean()), 4) if self.parents else None
        children = {"labels": labels, "shares": shares.round(6).tolist()}
        return {"children": children, "mean": mean, "orphans": round(self.orphans, 6)}


def _counted(name: str, own: _Family, theirs: _Family) -> list[Raw]:
    counts = [np.minimum(side.counts, LONGEST) for side in (own, theirs)]
    replicates: tuple[float, ...] = ()
    groups = [None if s.data.groups is None else s.data.groups[s.link.parent_table] for s in (own, theirs)]
    if groups[0] is not None and groups[1] is not None:
        replicates = tuple(
            tvd(counts[0][groups[0] != g], counts[1][groups[1] != g], LONGEST + 1) for g in range(GROUPS)
        )
    value = tvd(counts[0], counts[1], LONGEST + 1)
    return [
        Raw(metric=f"relational/children/{name}", value=value, better="lower", replicates=replicates),
        Raw(metric=f"relational/orphans/{name}", value=theirs.orphans, better="lower"),
    ]


def _pairs(name: str, own: _Family, families: Mapping[str, _Family], task: Task) -> dict[str, Raw]:
    """Total variation of each column of the parent with each of the child, over the children that have a parent."""
    link = own.link
    upper, lower = (own.data.encoders[table].sizes for table in (link.parent_table, link.child_table))
    pairs: list[tuple[str, ...]] = [
        (f"{link.parent_table}.{a}", f"{link.child_table}.{b}") for a, b in product(upper, lower)
    ]
    if not pairs:
        return {}
    if len(pairs) > MOST_PAIRS:
        drawn = task.rng(f"relational/{name}").choice(len(pairs), size=MOST_PAIRS, replace=False)
        pairs = [pairs[i] for i in np.sort(drawn)]
    sizes = {f"{link.parent_table}.{a}": n for a, n in upper.items()}
    sizes |= {f"{link.child_table}.{b}": n for b, n in lower.items()}
    sides = {key: _across(family) for key, family in families.items()}
    found = over_cliques(_across(own), sides, pairs, sizes, {})
    return {
        key: Raw(
            metric=f"relational/pairs/{name}",
            value=float(np.mean(list(parts.values()))),
            better="lower",
            dependence=True,
            parts=parts,
            replicates=() if replicates is None else tuple(replicates.tolist()),
        )
        for key, (parts, replicates) in found.items()
    }


def _across(family: _Family) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.uint8] | None]:
    """Codes of each child with its parent's, and its jackknife group."""
    link, data = family.link, family.data
    kept = family.place >= 0
    parent = family.place[kept]
    codes = {f"{link.parent_table}.{a}": values[parent] for a, values in data.codes[link.parent_table].items()}
    codes |= {f"{link.child_table}.{b}": values[kept] for b, values in data.codes[link.child_table].items()}
    return codes, None if data.groups is None else data.groups[link.child_table][kept]


def _detected(
    name: str, own: _Family, theirs: _Family, target: Data, candidate: Data, task: Task
) -> tuple[Raw, dict[str, Any] | None]:
    columns = _aggregates(own, own)
    sides = []
    for key, family, data in (("target", own, target), ("own", theirs, candidate)):
        folds = deal(data.tables, schema=task.schema, groups=FOLDS, rng=task.rng(f"relational/{key}"))
        features = np.stack(list(_aggregates(family, own).values()), axis=1).astype(np.float32)
        groups = None if data.groups is None else data.groups[own.link.parent_table]
        sides.append(Side(features=features, folds=folds[own.link.parent_table], groups=groups))
    blocks = {column: [place] for place, column in enumerate(columns)}
    found = tell(sides[0], sides[1], blocks, depth=task.settings.depth, seed=task.seed)
    metric = f"relational/detection/{name}"
    if isinstance(found, str):
        return Raw(metric=metric, value=1.0, better="lower", dependence=True, note=found), None
    note = f"95 %: {found.low:.3f} to {found.high:.3f}"
    raw = Raw(metric=metric, value=found.auc, better="lower", dependence=True, replicates=found.replicates, note=note)
    return raw, found.document()


def _aggregates(family: _Family, own: _Family) -> dict[str, NDArray[np.float64]]:
    """Feature -> (parents,): the parent's codes, its number of children and what their codes come to.

    Of ordered codes mean, sd, least and greatest; of others the share of each of the most frequent levels in T.
    """
    link, data = family.link, family.data
    found: dict[str, NDArray[np.float64]] = {}
    for attribute in data.encoders[link.parent_table].attributes:
        found[attribute.name] = data.codes[link.parent_table][attribute.name].astype(np.float64)
    kept = family.place >= 0
    parent, n = family.place[kept], family.counts
    found["number of children"] = n.astype(np.float64)
    nothing = n == 0
    for embedding in data.encoders[link.child_table].embeddings.values():
        for piece in embedding.parts:
            codes = data.codes[link.child_table][piece.name][kept]
            if piece.ordered:
                found |= _moments(piece.name, codes.astype(np.float64), parent, n)
                continue
            frequent = np.bincount(own.data.codes[link.child_table][piece.name], minlength=1).argsort()[::-1][:LEVELS]
            for level in frequent.tolist():
                share = np.bincount(parent[codes == level], minlength=n.size) / np.maximum(n, 1)
                found[f"{piece.name} share of level {level + 1}"] = np.where(nothing, np.nan, share)
    return found


def _moments(
    name: str, codes: NDArray[np.float64], parent: NDArray[np.int64], n: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    safe = np.maximum(n, 1)
    mean = np.bincount(parent, weights=codes, minlength=n.size) / safe
    spread = np.sqrt(np.bincount(parent, weights=(codes - mean[parent]) ** 2, minlength=n.size) / safe)
    least, greatest = np.full(n.size, np.inf), np.full(n.size, -np.inf)
    np.minimum.at(least, parent, codes)
    np.maximum.at(greatest, parent, codes)
    found = {"mean": mean, "sd": spread, "least": least, "greatest": greatest}
    return {f"{name} {kind}": np.where(n == 0, np.nan, values) for kind, values in found.items()}


FAMILY: Metric = Relational()

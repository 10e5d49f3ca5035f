"""How near synthetic careers come to the real ones: eight errors of `lahman_careers`, and the length of careers.

    python benchmarks/series.py [--root FOLDER]                      # the halves of the real data against each other
    python benchmarks/series.py --algorithms weave relational [--epsilons 1 3 10] [--repeats 3] [--set KEY=VALUE ...]
    python benchmarks/series.py --synthetic core.csv batting.csv     # files that something else made

All players are fitted (`fit_on=all`), delta is 1e-6, the unit is the player, the errors are against the data fitted.
They are numbers about real data and not private. A player is a series of up to 20 seasons in three channels in
[0, 1], sqrt(games / 165), sqrt(at bats / 720) and hits by at bats / 0.5, the last missing without at bats. Synthetic
averages are read as whole hits of the season's at bats, as the real ones are.

    step    KS distance of a channel's values in the n-th season, mean of the channels and seasons
    miss    difference of the rates of missing values, mean of the same
    delta   KS distance of the steps x[t+1] - x[t], mean of the channels
    ac1     difference of the correlation of x[t] and x[t+1] over all players, mean of the channels
    wac     the same within a player: values less the player's mean, of players with 5 values or more
    xch     difference of the correlation of two channels in the same season, mean of the pairs
    agg     mean KS distance of a player's length, and of each channel's mean, maximum and standard deviation
    par     mean total variation of a player's attribute (in the view's coarse schema) by the quarter of each of these
    m8      the plain mean of the eight
    length  total variation of the number of seasons; stands apart
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pasteur.experiment import Experiment

    Floats = NDArray[np.float64]

VIEW = "lahman_careers"
STEPS = 20
"""Seasons of a player that count."""
EIGHT = ("step", "miss", "delta", "ac1", "wac", "xch", "agg", "par")
DELTA = 1e-6
CODES = 16
"""More than any attribute has in the schema `coarse`."""
LEAST = 5
"""Values that a player must have for a correlation of his own."""


@dataclass(frozen=True, kw_only=True)
class Careers:
    """Players side by side."""

    series: Floats
    """(players, STEPS, channels) in [0, 1]; NaN where missing and past a player's last season."""
    lengths: NDArray[np.int64]
    """(players,) seasons, 0 to STEPS."""
    attributes: Mapping[str, NDArray[np.int64]]
    """Name -> (players,) codes."""

    def take(self, chosen: NDArray[np.int64]) -> Careers:
        """Some of the players."""
        attributes = {name: codes[chosen] for name, codes in self.attributes.items()}
        return Careers(series=self.series[chosen], lengths=self.lengths[chosen], attributes=attributes)


def careers(core: pd.DataFrame, batting: pd.DataFrame) -> Careers:
    """The view's two components, decoded or synthetic, as series. Seasons past the twentieth are left out.

    Args:
        core: `player_id` and the attributes; their values are coded by the packaged schema `coarse`.
        batting: `player_id`, `season`, `games`, `at_bats`, `average`.

    Raises:
        ValueError: a season of somebody who is not in `core`.
    """
    rows = batting.sort_values(["player_id", "season"], kind="stable")
    place = core.reset_index(drop=True).reset_index().set_index("player_id")["index"]
    owner = place.reindex(rows["player_id"]).to_numpy(dtype=float)
    if np.isnan(owner).any():
        raise ValueError("batting.player_id must name players of core")
    player = owner.astype(np.int64)
    nth = rows.groupby("player_id", sort=False).cumcount().to_numpy()
    kept = nth < STEPS
    games, at_bats = (rows[name].to_numpy(dtype=float) for name in ("games", "at_bats"))
    # Half up: of one hit in one at bat the declared edge, 0.5, is a hit.
    hits = np.floor(rows["average"].to_numpy(dtype=float) * at_bats + 0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(at_bats > 0, hits / at_bats / 0.5, np.nan)
    channels = np.column_stack([np.sqrt(games / 165), np.sqrt(at_bats / 720), share])
    values = np.full((len(core), STEPS, channels.shape[1]), np.nan)
    values[player[kept], nth[kept]] = np.clip(channels[kept], 0, 1)
    lengths = np.bincount(player[kept], minlength=len(core))
    return Careers(series=values, lengths=lengths, attributes=_attributes(core))


def _attributes(core: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    import pyarrow as pa

    from pasteur import metadata
    from pasteur.catalog import resource
    from pasteur.embeddings.table import TableEncoder
    from pasteur.table import Table

    coarse = metadata.load(
        view=VIEW, dataset="lahman", schema="coarse", components=["core"], folders=[resource("metadata")]
    )
    encoder = TableEncoder.declare(coarse.table("core"))
    typed = pa.Table.from_pandas(core, schema=encoder.decoded_schema, preserve_index=False)
    codes = encoder.encode(Table.of(typed)).arrow()
    return {part.name: codes[part.name].to_numpy().astype(np.int64) for part in encoder.attributes}


def errors(real: Careers, synthetic: Careers) -> dict[str, float]:
    """The eight errors, `m8` and `length`: 0 where the two are alike. Shares are at most 1, correlations' gaps 2."""
    pair = (real, synthetic)
    channels = [tuple(c.series[..., k] for c in pair) for k in range(real.series.shape[2])]
    crossed = [(channels[j], channels[k]) for j in range(len(channels)) for k in range(j)]
    mine, other = (_aggregates(c) for c in pair)
    found = {
        "step": mean(_ks(a[:, t], b[:, t]) for a, b in channels for t in range(STEPS)),
        "miss": float(np.mean(np.abs(_missing(real) - _missing(synthetic)))),
        "delta": mean(_ks(np.diff(a, axis=1), np.diff(b, axis=1)) for a, b in channels),
        "ac1": mean(abs(_lag(a) - _lag(b)) for a, b in channels),
        "wac": mean(abs(_lag(_within(a)) - _lag(_within(b))) for a, b in channels),
        "xch": mean(abs(_correlation(a, c) - _correlation(b, d)) for (a, b), (c, d) in crossed),
        "agg": mean(_ks(mine[name], other[name]) for name in mine),
        "par": mean(
            _total_variation(_quarters(codes, mine[name], mine[name]), _quarters(others, other[name], mine[name]))
            for codes, others in ((real.attributes[a], synthetic.attributes[a]) for a in real.attributes)
            for name in mine
        ),
    }
    found["m8"] = mean(found[name] for name in EIGHT)
    found["length"] = _total_variation(*(np.bincount(c.lengths, minlength=STEPS + 1) for c in pair))
    return found


def _present(c: Careers) -> NDArray[np.bool_]:
    """(players, STEPS) whether the player has that season."""
    return np.arange(STEPS) < c.lengths[:, None]


def _missing(c: Careers) -> Floats:
    """(STEPS, channels) share of missing values among the seasons there are."""
    present = _present(c)
    gone = (np.isnan(c.series) & present[..., None]).sum(axis=0)
    return np.asarray(gone / np.maximum(present.sum(axis=0), 1)[:, None])


def _ks(one: Floats, other: Floats) -> float:
    """Largest gap between two distribution functions; 1 where only one side has values, 0 where neither has."""
    a, b = (np.sort(values[~np.isnan(values)], axis=None) for values in (one, other))
    if not len(a) or not len(b):
        return float(len(a) != len(b))
    points = np.concatenate([a, b])
    shares = [np.searchsorted(side, points, side="right") / len(side) for side in (a, b)]
    return float(np.max(np.abs(shares[0] - shares[1])))


def _lag(series: Floats) -> float:
    """Correlation of each value and the next, over all players."""
    return _correlation(series[:, :-1], series[:, 1:])


def _within(series: Floats) -> Floats:
    """Values less their player's mean; players with under `LEAST` values are left out."""
    known = (~np.isnan(series)).sum(axis=1)
    kept = series[known >= LEAST]
    return np.asarray(kept - np.nansum(kept, axis=1, keepdims=True) / known[known >= LEAST][:, None])


def _correlation(one: Floats, other: Floats) -> float:
    """Pearson's, where both are known; 0 where one does not vary."""
    both = ~np.isnan(one) & ~np.isnan(other)
    x, y = one[both], other[both]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _aggregates(c: Careers) -> dict[str, Floats]:
    """Name -> (players,) of each player's series; NaN where no value is known."""
    found = {"length": c.lengths.astype(float)}
    known = ~np.isnan(c.series)
    n = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    means = np.nansum(c.series, axis=1) / n
    spread = np.sqrt(np.nansum((c.series - means[:, None]) ** 2, axis=1) / n)
    largest = np.where(np.isnan(n), np.nan, np.max(np.where(known, c.series, -np.inf), axis=1))
    for name, values in (("mean", means), ("max", largest), ("sd", spread)):
        found |= {f"{name} {k}": values[:, k] for k in range(values.shape[1])}
    return found


def _quarters(codes: NDArray[np.int64], values: Floats, cut_by: Floats) -> Floats:
    """(CODES * 5,) players by code and by quarter of the real values; the last column is those without a value."""
    edges = np.nanquantile(cut_by, [0.25, 0.5, 0.75])
    quarter = np.where(np.isnan(values), 4, np.searchsorted(edges, values, side="left"))
    return np.asarray(np.bincount(codes * 5 + quarter, minlength=CODES * 5), dtype=float)


def _total_variation(one: Floats, other: Floats) -> float:
    return float(0.5 * np.abs(one / max(one.sum(), 1) - other / max(other.sum(), 1)).sum())


def real_frames(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All players of the view, from the data set's raw files, which are fetched if they are not there."""
    import pandas as pd

    from pasteur import datasets
    from pasteur.catalog import Paths
    from pasteur.views import build

    e = _experiment(root, [])
    raw = datasets.fetch(e.dataset, Paths(root=root).raw(e.dataset.name))
    primary = datasets.tidy(e.dataset, datasets.parse(e.dataset, raw))
    parts = build(e.view, primary, datasets.split_keys(e.dataset, primary))
    core, batting = (pd.concat([part.frame() for part in parts[name].values()]) for name in ("core", "batting"))
    return core, batting


def _experiment(root: Path, overrides: Sequence[str]) -> Experiment:
    from pasteur.app.compose import experiment

    return experiment(["dataset=lahman", f"view={VIEW}", f"pasteur.root={root}", *overrides])


def synthetic_careers(root: Path, overrides: Sequence[str]) -> Careers:
    """What a run with these settings draws, every player fitted."""
    import pandas as pd

    from pasteur.run import run

    fixed = ["fit_on=all", "format=pq", "report=false", f"privacy.delta={DELTA}"]
    made = run(_experiment(root, [*fixed, *overrides])).synthetic
    return careers(pd.read_parquet(made["core"]), pd.read_parquet(made["batting"]))


def _halves(real: Careers, repeats: int) -> Iterator[tuple[str, dict[str, float], float]]:
    for seed in range(repeats):
        order = np.random.default_rng(seed).permutation(len(real.lengths))
        middle = len(order) // 2
        yield "two halves of the real data", errors(real.take(order[:middle]), real.take(order[middle:])), math.nan


def _runs(real: Careers, root: Path, options: argparse.Namespace) -> Iterator[tuple[str, dict[str, float], float]]:
    for algorithm in options.algorithms:
        for epsilon in options.epsilons:
            for seed in range(options.repeats):
                overrides = [f"algorithm={algorithm}", f"privacy.epsilon={epsilon:g}", f"seed={seed}", *options.set]
                start = time.perf_counter()
                made = synthetic_careers(root, overrides)
                yield f"{algorithm}, epsilon {epsilon:g}", errors(real, made), time.perf_counter() - start


def _print(rows: Iterator[tuple[str, dict[str, float], float]]) -> None:
    """A line as soon as it is known, and the mean where there are several of a name."""
    names = ("m8", "length", *EIGHT)
    print(f"{'':<30}" + "".join(f"{name:>8}" for name in names) + f"{'s':>8}", flush=True)
    held: dict[str, list[dict[str, float]]] = {}
    for what, found, seconds in rows:
        held.setdefault(what, []).append(found)
        took = "" if math.isnan(seconds) else f"{seconds:8.1f}"
        print(f"{what:<30}" + "".join(f"{found[name]:8.4f}" for name in names) + took, flush=True)
    for what, several in held.items():
        if len(several) > 1:
            print(f"{'mean: ' + what:<30}" + "".join(f"{mean(one[name] for one in several):8.4f}" for name in names))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter, epilog=__doc__
    )
    parser.add_argument("--algorithms", nargs="*", default=[])
    parser.add_argument("--epsilons", nargs="*", type=float, default=[1.0, 3.0, 10.0])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument(
        "--set", nargs="*", default=[], help="further settings of the runs, as on pasteur's command line"
    )
    parser.add_argument("--synthetic", nargs=2, type=Path, metavar=("CORE", "BATTING"), help="csv or parquet files")
    parser.add_argument("--root", type=Path, help="where data/ and outputs/ lie; default: a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = (options.root or Path(folder)).resolve()
        real = careers(*real_frames(root))
        if options.synthetic:
            import pandas as pd

            read = (pd.read_csv(p) if p.suffix == ".csv" else pd.read_parquet(p) for p in options.synthetic)
            _print(iter([("the files", errors(real, careers(*read)), math.nan)]))
        elif options.algorithms:
            _print(_runs(real, root, options))
        else:
            _print(_halves(real, options.repeats))


if __name__ == "__main__":
    main()

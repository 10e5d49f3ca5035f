"""How far one privacy unit can move an answer. The one place where a sensitivity is worked out.

A unit is up to m rows once `PrivateTable` has truncated it. Removing one row lowers one cell of every marginal by 1.
Under "add_remove" a neighbour lacks or has one whole unit; under "replace" one unit's rows become another's, which is
one removal and one addition, and the two may fall into different cells.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pasteur.errors import PrivacyError, rule
from pasteur.privacy.budget import Sensitivity

if TYPE_CHECKING:
    from pasteur.privacy.budget import Relation

GRID = 1024
"""Steps a row: scores and weighted contributions live on multiples of 2^-10 rows, so that they are int64."""


SHARES = 1 << 20
"""Steps a share: what is expected of a target is rounded down to multiples of 2^-20."""
LARGEST_CLIP = 16
"""Norm of what one unit may add to a table, in rows, at most."""
LARGEST_UNIT = 1 << 16
"""Rows of one unit that may be clipped together, at most: the same squares."""


def rows_per_unit(max_rows: object) -> int:
    """Give `max_rows`, m, as a whole number of 1 or more.

    Raises:
        PrivacyError: it is anything else, None and 0 among them: then nothing would bound a unit's influence.
    """
    if isinstance(max_rows, bool) or not isinstance(max_rows, int) or max_rows < 1:
        raise PrivacyError(rule("max_rows_per_unit", max_rows, "a whole number of 1 or more"))
    return max_rows


def marginal_l1(max_rows: int, relation: Relation = "add_remove") -> Sensitivity:
    """L1 sensitivity of a marginal's counts, in rows: m; 2 m under replacement."""
    rows = rows_per_unit(max_rows)
    return Sensitivity(2 * rows if relation == "replace" else rows)


def marginal_l2(max_rows: int, relation: Relation = "add_remove") -> Sensitivity:
    """L2 sensitivity of a marginal's counts, in rows.

    All m rows of a unit may fall into one cell: m. Under replacement they may move from one cell to another:
    sqrt(2) m, rounded up.
    """
    rows = rows_per_unit(max_rows)
    return _root(2 * rows**2) if relation == "replace" else Sensitivity(rows)


def total(max_rows: int) -> Sensitivity:
    """Sensitivity of the number of rows, in rows: m under both relations (under replacement m rows may become none)."""
    return Sensitivity(rows_per_unit(max_rows))


def distance_score(max_rows: int, relation: Relation = "add_remove", weight: int = 1) -> Sensitivity:
    """Sensitivity of `weight` times the L1 distance between exact counts and fixed answers, in steps of 2^-10 rows.

    By the triangle inequality the distance moves by no more than the counts do: 1024 times their L1 sensitivity. So
    it does where cells are summed in groups first, as the groups share no cell.

    Args:
        max_rows: m.
        relation: what neighbours are.
        weight: the largest of the candidates' whole weights, 1 or more.
    """
    return Sensitivity(GRID * weight * marginal_l1(max_rows, relation))


def distances_l2(max_rows: int, relation: Relation, count: int) -> Sensitivity:
    """L2 sensitivity of the vector of `count` such distances, in steps of 2^-10 rows, rounded up.

    Each moves by at most the sensitivity of one, and one unit may move all of them: sqrt(count) times that.
    """
    return _root(count * int(distance_score(max_rows, relation)) ** 2)


def clip_steps(clip: object) -> int:
    """Give `clip`, the L2 norm that what one unit adds to a table may have, in whole steps of 2^-10 rows, rounded down.

    Raises:
        PrivacyError: it is no number from 2^-10 to 16: without a bound nothing is clipped, and above it squares of
            steps would not be safe in int64.
    """
    if isinstance(clip, bool) or not isinstance(clip, (int, float)) or not 1 / GRID <= clip <= LARGEST_CLIP:
        raise PrivacyError(rule("clip", clip, f"from 2^-10 to {LARGEST_CLIP}"))
    return math.floor(clip * GRID)


def clipped_l2(clip: object, relation: Relation = "add_remove") -> Sensitivity:
    """L2 sensitivity of a table to which each unit adds a vector of at most `clip`, in steps of 2^-10 rows.

    Under replacement one vector goes and another comes; neither has an entry under 0: at most sqrt(2) times that.
    """
    steps = clip_steps(clip)
    return _root(2 * steps**2) if relation == "replace" else Sensitivity(steps)


def mean_l1(relation: Relation = "add_remove") -> Sensitivity:
    """L1 sensitivity of a table in which the rows of each unit weigh 1 together, in steps of 2^-10 rows."""
    return Sensitivity(2 * GRID if relation == "replace" else GRID)


def mean_l2(relation: Relation = "add_remove") -> Sensitivity:
    """L2 sensitivity of the same table: all of a unit's weight may lie in one cell."""
    return _root(2 * GRID**2) if relation == "replace" else Sensitivity(GRID)


def mean_score(relation: Relation = "add_remove", weight: int = 1) -> Sensitivity:
    """Sensitivity of `weight` times the L1 distance between that table and fixed answers, in steps of 2^-10 rows."""
    return Sensitivity(weight * mean_l1(relation))


def conditional_score(most: int, relation: Relation = "add_remove") -> Sensitivity:
    """Sensitivity of sum |T[c, y] - T[c] q[y]| for shares q and a T to which a unit adds `most`, in steps of 2^-30.

    A unit adds `most` to T, and to its sums over y: the first terms move by that, the others by q times that, and q
    sums to 1 at most.
    """
    return Sensitivity(2 * SHARES * rows_per_unit(most) * mean_l1(relation))


def _root(square: int) -> Sensitivity:
    # The whole number and its root are rounded by half a unit in the last place each, at most.
    return Sensitivity(math.nextafter(math.sqrt(square), math.inf))

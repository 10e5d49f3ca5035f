"""What a claim says of the choice of its settings: which sweep made it, from whose data, and what that cost.

A sweep leaves `tuning.json` in its folder. A later run that names the sweep (`tuned=<sweep>`) puts it into its claim;
the ledger book counts the trials whether it is named or not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pasteur.errors import ConfigError, near_miss, rule
from pasteur.privacy import LedgerBook
from pasteur.privacy.ledger import in_words, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pasteur.catalog import Paths
    from pasteur.experiment import Experiment
    from pasteur.plan import Plan

FILE = "tuning.json"
PRICED = ("gdp", "zcdp")
"""Accountants that give a curve over all orders of Renyi divergence, which the best of several trials is priced by."""


def read(paths: Paths, experiment: Experiment) -> dict[str, Any]:
    """What the sweep that a run names in `tuned` has cost.

    Raises:
        ConfigError: there is no such sweep, it has not ended, or it was tuned on another data set.
    """
    sweep = experiment.tuned
    try:
        found: dict[str, Any] = json.loads((paths.sweep(sweep) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = [path.parent.name for path in sorted(paths.sweep("x").parent.glob(f"*/{FILE}"))]
        message = rule("tuned", sweep, "the id of a finished sweep, a folder of outputs/sweeps")
        raise ConfigError(message + (near_miss(sweep, known) if known else "; there is none yet")) from None
    who = {"dataset": experiment.dataset.name, "salt": experiment.dataset.salt}
    if who not in [{key: entry[key] for key in who} for entry in found["spent"]]:
        raise ConfigError(rule("tuned", sweep, f"a sweep over data set '{experiment.dataset.name}' and its split"))
    return found


def told(plan: Plan) -> str:
    """What the claim of a run says of tuning; "" where there is nothing to say."""
    e = plan.experiment
    if e.tuning and e.tuning.on_ref:
        who = "are charged with this ledger"
        if e.tuning.ref == "public":
            who = "are taken as public"
        elif plan.ledger and not plan.ledger.people:
            who = "have no claim, as exact scores of other runs have read them"
        return (
            f"a trial of sweep {e.tuning.sweep}: it fitted {in_words('ref_fit')}, whose people {who}, and read "
            "nothing of wrk"
        )
    if e.tuning:
        return f"a trial of sweep {e.tuning.sweep}, all trials of which compose{_alone(plan)}"
    if not e.tuned:
        return ""
    return chosen(read(plan.paths, e), LedgerBook(plan.paths.book), plan.run_id)


def _alone(plan: Plan) -> str:
    """What a trial costs as the best of a random number of them."""
    trial, ledger = plan.experiment.tuning, plan.ledger
    if not (trial and trial.randomised and ledger and ledger.private) or ledger.accountant.name not in PRICED:
        return ""
    alone = trial.randomised.price(ledger.budget)
    return (
        f"; released as the best of them, and nothing else of the sweep with it, it costs epsilon = {shown(alone, 4)} "
        "in place of that (Papernot and Steinke 2022)"
    )


def chosen(found: Mapping[str, Any], book: LedgerBook, run: str) -> str:
    """What a claim says of the sweep that chose its settings.

    Args:
        found: what `read` gave.
        book: says which releases came before.
        run: the run whose claim it is; it does not count as one before it.
    """
    words = [f"settings were chosen by sweep {found['sweep']}"]
    public = found["data"] == "ref" and found["ref"] == "public"
    for spent in found["spent"]:
        # How many trials there were is no secret, but where their number was drawn so as to be one.
        many = "trials" if spent["best"] else f"{spent['trials']} trials"
        cost = "its people are taken as public" if public else _cost(spent)
        words.append(f"{many} fitted to {in_words(spent['split'])}: {cost}")
    if found["claim"] == "none":
        words.append("its objective read the fitted rows without noise")
    if found["data"] == "ref":
        who = found["spent"][0]
        releases = book.releases(who["dataset"], who["salt"])
        before = [r for r in releases if r.run != run and {"wrk"} & {*r.fitted, *r.scored}]
        words.append(
            f"wrk had {len(before)} releases before this one" if before else "no release was fitted to wrk before"
        )
    return ", ".join(words[:2]) + "".join(f"; {more}" for more in words[2:])


def _cost(spent: Mapping[str, Any]) -> str:
    if spent["why_none"] or not spent["epsilon"]:
        return f"no claim holds for them ({spent['why_none'] or 'nothing was released'})"
    if not spent["best"]:
        return f"together epsilon = {shown(spent['epsilon'], 4)} at delta {spent['delta']:g}"
    return (
        f"a random number of them, of which nothing but the best is released: epsilon = {shown(spent['best'], 4)} "
        f"at delta {spent['delta']:g} (Papernot and Steinke 2022)"
    )

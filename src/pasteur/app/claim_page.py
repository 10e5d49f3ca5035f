"""The claim as a page that a person reads: escaped, self-contained, nothing loaded from anywhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY = "default-src 'none'; style-src 'unsafe-inline'"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.claim { border: 2px solid #1a5fb4; padding: .8rem 1rem } .none { border-color: #a51d2d }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #ccc; vertical-align: top }
td.n { font-variant-numeric: tabular-nums; white-space: nowrap }
"""


def render(release: Mapping[str, Any], ledger: Mapping[str, Any] | None) -> str:
    """The page.

    Args:
        release: `claim`, `run` and, where they may be known, `releases`, as `claim.json` holds them.
        ledger: every event that spent budget; None for a run without a guarantee.
    """
    claim, run = release["claim"], release["run"]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Claim of release {_text(run['run_id'])}</title><style>{STYLE}</style></head><body>",
            f"<h1>Synthetic data made from {_text(run['dataset'])}</h1>",
            *_claim(claim),
            *_meaning(claim),
            "<h2>Other releases from the same data</h2>",
            f"<p>{_text(_releases(release))}</p>",
            "<h2>How it was made</h2>",
            _table({key.replace("_", " "): value for key, value in run.items()}),
            *_ledger(ledger),
            "</body></html>",
            "",
        ]
    )


def _releases(release: Mapping[str, Any]) -> str:
    if "releases" not in release:
        return "Not told: the claim holds where nothing else is known of the trials that this is the best of."
    line = release["releases"].get("line")
    return f"When this one was made: {line}." if line else "Not recorded."


def _text(value: object) -> str:
    return escape(str(value))


def _claim(claim: Mapping[str, Any]) -> list[str]:
    from pasteur.privacy.ledger import sentence

    kind = "claim" if claim.get("private") else "claim none"
    return [f'<p class="{kind}" role="note"><strong>{_text(sentence(dict(claim)))}</strong></p>']


def _meaning(claim: Mapping[str, Any]) -> list[str]:
    """The claim in a layman's words."""
    from pasteur.privacy.ledger import shown

    if not claim.get("private"):
        return ["<p>Nothing is promised to the people whose data was used. The files may hold their data as it is.</p>"]
    unit, epsilon, delta = claim["unit"], claim["epsilon"], claim["delta"]
    otherwise = f"one {_text(unit)} not been in the data (or one more been in it)"
    if claim.get("relation") == "replace":
        otherwise = f"one {_text(unit)}'s data been another's"
    but = "".join(f" But: {_text(stamp)}." for stamp in claim.get("stamps", ()))
    return [
        "<h2>What it means</h2>",
        (
            "<p>Whatever anybody computes from these files, the chance of any outcome is at most "
            f"e<sup>{shown(epsilon)}</sup> times what it would be had {otherwise}, "
            f"but for a probability of {shown(delta)}. Smaller numbers protect more.{but}</p>"
        ),
        (
            f"<p>It covers each {_text(unit)} of: {_text(', '.join(claim['people']))}. "
            f"Not covered: {_text(', '.join(claim['not_covered']) or 'nobody')}. These are parts of the data, into "
            f"which a hash of each {_text(unit)}'s id dealt everybody: wrk to learn from, the others to measure by.</p>"
        ),
    ]


def _ledger(ledger: Mapping[str, Any] | None) -> list[str]:
    """Every question that was asked of the data and the noise that its answer got."""
    if not ledger:
        return []
    rows = []
    for event in ledger.get("events", []):
        noise = ", ".join(f"{key} {value:.5g}" for key, value in event.items() if isinstance(value, int | float))
        rows.append(
            f"<tr><td>{_text(event['label'])}</td><td>{_text(event['event'])}</td><td class=n>{_text(noise)}</td></tr>"
        )
    head = '<tr><th scope="col">asked of the data</th><th scope="col">answered with</th><th scope="col">noise</th></tr>'
    return ["<h2>What was asked of the data</h2>", f"<table>{head}{''.join(rows)}</table>"]


def _table(rows: Mapping[str, Any]) -> str:
    cells = "".join(f'<tr><th scope="row">{_text(key)}</th><td>{_text(value)}</td></tr>' for key, value in rows.items())
    return f"<table>{cells}</table>"

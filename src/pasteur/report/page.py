"""Templates to one file of HTML: escaped, self-contained, and closed to anything from outside.

The style sheet and the script stand inside the file; a Content-Security-Policy allows those two by their digests, and
nothing else: no request leaves the page, and markup that slipped in could not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pasteur.report import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment


def render(template: str, context: Mapping[str, Any]) -> str:
    """The page that `template` makes of `context`.

    Args:
        template: a file of `templates/`.
        context: what it shows; every text in it is taken for hostile.
    """
    style, script = _source("style.css"), _source("sort.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    own = {"policy": policy, "style": Markup(style), "script": Markup(script)}  # noqa: S704 - files of ours
    page = _environment().get_template(template).render(**own, **context)
    return "\n".join(line for line in page.splitlines() if line.strip()) + "\n"


@cache
def _source(name: str) -> str:
    # A browser makes LF of every end of line before it takes the digest.
    return (files("pasteur.report") / "templates" / name).read_text(encoding="utf-8").replace("\r\n", "\n").strip()


def _digest(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "short": text.short,
        "number": text.number,
        "signed": text.signed,
        "gap": text.gap,
        "percent": text.percent,
        "seconds": text.seconds,
        "slug": text.slug,
        "soft": _soft,
    }
    return environment


def _soft(name: str) -> Markup:
    """A name that may be broken after its underscores and strokes."""
    return Markup("<wbr>").join(re.split(r"(?<=[_/])", text.short(name, 90)))


def _shown(value: object) -> object:
    """What an expression of a template gives: text is cleaned before it is escaped, nothing is a dash."""
    if value is None:
        return text.NONE
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return text.clean(value, 20_000)
    return value

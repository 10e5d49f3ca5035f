from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - read by `build` as the test runs
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur.app.typed import build
from pasteur.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: int = 1

    def __post_init__(self):
        if self.size < 1:
            raise ConfigError(f"size ({self.size}) must be 1 or more")


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    share: float = 0.5
    rows: int | None = None
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    folder: Path = Path()
    inner: Inner = field(default_factory=Inner)
    many: Mapping[str, Inner] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    pair: tuple[int, str] = (0, "")
    listed: list[int] = field(default_factory=list)
    either: int | str = 0
    maybe: Inner | None = None


def test_values_become_what_the_fields_say():
    found = build(
        Outer,
        {
            "_target_": "ignored",
            "name": "x",
            "share": 1,
            "folder": "a/b",
            "inner": {"size": 2},
            "many": {"k": {"size": 3}},
            "words": ["u", "v"],
            "pair": [1, "w"],
            "listed": [1, 2],
            "either": "text",
            "maybe": {"size": 4},
        },
        "o",
    )
    assert found == Outer(
        name="x",
        share=1.0,
        folder=Path("a/b"),
        inner=Inner(size=2),
        many={"k": Inner(size=3)},
        words=("u", "v"),
        pair=(1, "w"),
        listed=[1, 2],
        either="text",
        maybe=Inner(size=4),
    )
    assert isinstance(found.share, float)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"shre": 1}, "o.shre is not a known setting; did you mean 'share'?"),
        ({"share": "x"}, "o.share (x) must be a number"),
        ({"share": None}, "o.share (null) must be a number"),
        ({"share": 10**400}, "o.share (too large) must be a number below 1.8e308 in size"),
        ({"rows": "x"}, "o.rows (x) must be a whole number or null"),
        ({"rows": 1.5}, "o.rows (1.5) must be a whole number or null"),
        ({"rows": True}, "o.rows (true) must be a whole number or null"),
        ({"kind": "c"}, "o.kind (c) must be one of a, b"),
        ({"flag": 1}, "o.flag (1) must be true or false"),
        ({"inner": 3}, "o.inner (3) must be a mapping of settings"),
        ({"inner": {"sise": 3}}, "o.inner.sise is not a known setting; did you mean 'size'?"),
        ({"inner": {"size": 0}}, "o.inner: size (0) must be 1 or more"),
        ({"many": {"k": {"size": "x"}}}, "o.many.k.size (x) must be a whole number"),
        ({"many": 3}, "o.many (3) must be a mapping"),
        ({"words": "uv"}, "o.words (uv) must be a list"),
        ({"words": [1]}, "o.words[0] (1) must be text"),
        ({"pair": [1]}, "o.pair ([1]) must be a list of 2 values"),
        ({"either": 1.5}, "o.either (1.5) must be a whole number or text"),
        ({"maybe": {"size": "x"}}, "o.maybe.size (x) must be a whole number"),
    ],
)
def test_every_mistake_is_one_line(entry, message):
    with pytest.raises(ConfigError) as caught:
        build(Outer, {"name": "x", **entry}, "o")
    assert str(caught.value) == message


def test_what_has_no_default_must_be_given():
    with pytest.raises(ConfigError, match=r"^o\.name must be given$"):
        build(Outer, {}, "o")


@settings(max_examples=30)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_value_is_either_built_or_refused(value):
    for name in ("share", "rows", "kind", "flag", "words", "inner", "either"):
        with suppress(ConfigError):
            build(Outer, {"name": "x", name: value}, "o")

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.errors import SqlError
from pasteur.postgres.tokens import tokens


def words(text):
    return [(token.kind, token.text) for token in tokens(text, "query")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT A", [("name", "select"), ("name", "a")]),
        ('"Ab""c"', [("quoted", 'Ab"c')]),
        ("'it''s; --x'", [("string", "it's; --x")]),
        (r"E'a\'b'", [("string", r"a\'b")]),
        ("$$a'b$$", [("string", "a'b")]),
        ("$t$a$$b$t$", [("string", "a$$b")]),
        ("a /* x /* y */ ; */ b -- c\nd", [("name", "a"), ("name", "b"), ("name", "d")]),
        ("1.5e3+.5", [("number", "1.5e3"), ("symbol", "+"), ("number", ".5")]),
        ("Größe", [("name", "größe")]),
        ("a$1", [("name", "a$1")]),
        ("a" * 70, [("name", "a" * 63)]),
        ('"' + "ß" * 40 + '"', [("quoted", "ß" * 31)]),
        ("N'x' b'1'", [("string", "x"), ("string", "1")]),
    ],
)
def test_words_are_those_of_the_servers_scanner(text, found):
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'a", "a string does not end"),
        ('"a', "a quoted name does not end"),
        ("/* /* */", "a comment does not end"),
        ("$x$a", "a string does not end"),
        ("$1", "a parameter"),
        ('U&"d\\0061t"', "U& names"),
        ("(a", "parentheses"),
        ("a)(", "parentheses"),
    ],
)
def test_what_does_not_end_is_refused(text, message):
    with pytest.raises(SqlError, match=message):
        tokens(text, "query")


@given(st.text(alphabet="ab '\"$/*-;().E\\\n", max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        found = tokens(text, "query")
    except SqlError:
        return
    assert "".join(t.text for t in found if t.kind == "name").replace(" ", "").isprintable()

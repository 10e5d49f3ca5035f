from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasteur.app.aliases import expand, shown


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("algo=mst", "algorithm=mst"),
        ("algo=mst,aim", "algorithm=mst,aim"),
        ("algo.iterations=5", "++algorithm.iterations=5"),
        ("+algo=mst", "+algorithm=mst"),
        ("++algo.iterations=5", "++algorithm.iterations=5"),
        ("+algo.iterations=5", "+algorithm.iterations=5"),
        ("~algo", "~algorithm"),
        ("~algo=mst", "~algorithm=mst"),
        ("~algo.iterations", "~algorithm.iterations"),
        ("algo@other=mst", "algorithm@other=mst"),
        ("+algo@other=mst", "+algorithm@other=mst"),
        ("algorithm=mst", "algorithm=mst"),
        ("algox=mst", "algox=mst"),
        ("dataset=algo", "dataset=algo"),
        ("tags.name=algo.x=1", "++tags.name=algo.x=1"),
        ("metrics.final=true", "++metrics.final=true"),
        ("schema.bins=8", "++schema.bins=8"),
        ("privacy=strict", "privacy=strict"),
        ("-m", "-m"),
        ("--refresh", "refresh=true"),
        ("--accept", "accept=true"),
        ("algo", "algo"),
    ],
)
def test_every_form_of_a_word(word, expected):
    assert expand([word]) == [expected]


def test_a_person_reads_what_they_wrote():
    assert shown(expand(["privacy.epsilon=1", "seed=2"])) == ["privacy.epsilon=1", "seed=2"]


@given(st.lists(st.text(st.sampled_from("algo+~.=@/x,[]'"), max_size=12), max_size=4))
def test_words_that_are_not_ours_stay_and_nothing_is_rewritten_twice(words):
    once = expand(words)
    assert expand(once) == once
    for word, made in zip(words, once, strict=True):
        assert made == word or "algorithm" in made
        assert shown([made])[0].replace("algorithm", "algo") == word.removeprefix("++")

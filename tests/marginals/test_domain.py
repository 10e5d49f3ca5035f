from __future__ import annotations

import numpy as np
import pytest

from pasteur.marginals import Domain, Measurement

DOMAIN = Domain.of({"age": 85, "sex": 2, "one": 1})


def test_a_domain_keeps_order_and_sizes():
    assert DOMAIN.attributes == ("age", "sex", "one")
    assert DOMAIN.as_dict() == {"age": 85, "sex": 2, "one": 1}
    assert DOMAIN.size() == 170
    assert DOMAIN.size(("one", "sex")) == 2
    assert DOMAIN.size(()) == 1
    assert DOMAIN.index("sex") == 1
    assert DOMAIN.project(("sex", "age")) == Domain(("sex", "age"), (2, 85))
    assert DOMAIN.ordered(("one", "age", "one")) == ("age", "one")
    assert "sex" in DOMAIN
    assert len(DOMAIN) == 3


def test_sizes_do_not_overflow():
    assert Domain([f"x{i}" for i in range(40)], [1000] * 40).size() == 1000**40


@pytest.mark.parametrize(
    ("names", "sizes", "text"),
    [
        (("a",), (1, 2), r"sizes \(2\) must be as many as the 1 attributes"),
        (("a", "a"), (1, 2), "must be different names"),
        (("a",), (0,), r"size of attribute 'a' \(0\) must be 1 or more"),
    ],
)
def test_what_is_no_domain_is_refused(names, sizes, text):
    with pytest.raises(ValueError, match=text):
        Domain(names, sizes)


def test_an_unknown_attribute_is_named_with_its_near_miss():
    with pytest.raises(ValueError, match="attribute 'agee' is not in the domain; did you mean 'age'"):
        DOMAIN.index("agee")


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, np.inf])
def test_a_measurement_needs_a_scale(sigma):
    with pytest.raises(ValueError, match=r"sigma .* must be finite and above 0"):
        Measurement(clique=("a",), values=np.zeros(3), sigma=sigma)


def test_a_measurement_has_an_axis_for_each_attribute():
    with pytest.raises(ValueError, match=r"axes of values \(1\) must be as many as the clique's 2"):
        Measurement(clique=("a", "b"), values=np.zeros(3), sigma=1.0)
    with pytest.raises(ValueError, match="different attributes"):
        Measurement(clique=("a", "a"), values=np.zeros((3, 3)), sigma=1.0)


def test_which_attributes_have_an_order_is_a_hint_that_makes_no_other_domain():
    told = Domain.of({"age": 90, "colour": 3}, ordinal=["age"])
    assert told.ordinal == {"age"}
    assert told.project(["colour"]).ordinal == set()
    assert told.project(["colour", "age"]).ordinal == {"age"}
    assert told == Domain.of({"age": 90, "colour": 3})
    with pytest.raises(ValueError, match="attribute 'agee' is not in the domain; did you mean 'age'"):
        Domain.of({"age": 90}, ordinal=["agee"])

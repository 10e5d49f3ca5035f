"""The library's estimators, every one that there is: found by glob, as the algorithms are."""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import json
import pickle
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasteur import synth
from pasteur.errors import BudgetError, ConfigError, DataError, PasteurError, PrivacyError
from pasteur.marginals import Domain
from pasteur.privacy import Budget
from pasteur.synth import AIM, MST, MWEM, Estimator, Independent, PrivBayes, Weave, estimator
from pasteur.synth.model import Model
from pasteur.table import Table

FACADE = Path(synth.__file__).parent / "_estimators.py"
TABLES = [name for name in synth.names() if synth.find(name).PRIVATE and synth.find(name).COMPONENTS != "tree"]
CLASSES = [estimator(name) for name in TABLES]
SIZES = {"a": 4, "b": 3, "c": 2}
OPEN = [name for name in synth.names() if not synth.find(name).PRIVATE]
PLAIN = {"epsilon": 1e4, "delta": 0.1, "accountant": "zcdp"}
"""A budget under which noise is nil: its sigma is under 0.02, which no draw tells from 0. Gaussian DP stops at 0.5."""
each = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def rng(seed=0):
    return np.random.default_rng(seed)


def array(rows=300, sizes=SIZES, seed=0):
    draw = rng(seed)
    first = draw.integers(0, 2**31, rows)
    return np.stack([(first // 7**place) % size for place, size in enumerate(sizes.values())], axis=1)


@pytest.fixture(scope="module")
def fitted():
    return {cls: cls().fit(array(), SIZES) for cls in CLASSES}


# --- what there is


def test_the_estimators_that_the_readme_promises_are_those_of_their_modules():
    assert {cls.__name__: cls.algorithm for cls in CLASSES} == {
        "AIM": "aim", "AIMGDP": "aim_gdp", "Independent": "independent", "MST": "mst", "MWEM": "mwem",
        "PrivBayes": "privbayes", "Weave": "weave",
    }  # fmt: skip
    assert {cls.__name__ for cls in CLASSES} <= set(synth.__all__) & set(dir(synth))
    assert [getattr(synth, cls.__name__) for cls in CLASSES] == CLASSES


def test_one_line_imports_nothing_heavy():
    line = (
        "import sys, pasteur.synth; heavy = {'numpy', 'pandas', 'pyarrow', 'numba', 'scipy', 'sklearn', 'torch', "
        "'opendp'}; assert not heavy & set(sys.modules), heavy & set(sys.modules); from pasteur.synth import AIM; "
        "assert not {'pandas', 'sklearn', 'torch', 'opendp', 'duckdb', 'dp_accounting'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", line], check=True, timeout=120)


def test_type_checkers_are_told_the_same_names():
    tree = ast.parse(Path(synth.__file__).read_text())
    told = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "pasteur.synth._estimators"
        for alias in node.names
    }
    assert told == set(synth.__all__) - {"find", "names"}


def test_what_is_not_there_is_an_attribute_error_with_the_near_miss():
    with pytest.raises(AttributeError, match="has no attribute 'PrivBays'; did you mean 'PrivBayes'"):
        _ = synth.PrivBays
    with pytest.raises(ConfigError, match="did you mean 'weave'"):
        estimator("weav")


@pytest.mark.parametrize("name", OPEN)
def test_what_gives_real_rows_is_no_estimator(name):
    with pytest.raises(ConfigError, match=f"algorithm \\({name}\\) must be private"):
        estimator(name)


def test_a_new_algorithm_has_an_estimator_without_an_edit(monkeypatch):
    module = type(sys)("pasteur.synth.brand_new")
    module.__dict__.update(
        {name: getattr(synth.find("independent"), name) for name in ("PRIVATE", "Settings", "fit", "accountant")}
    )
    monkeypatch.setattr("pasteur.synth._estimators.find", lambda name: module)
    made = estimator("brand_new")
    assert (made.__name__, made.algorithm) == ("BrandNew", "brand_new")
    assert made(epsilon=3).fit(array(), SIZES).sample(5, rng=rng()).shape == (5, 3)
    estimator.cache_clear()


# --- settings


@each
def test_settings_are_those_of_the_module_and_none_is_written_down_twice(cls):
    ours = {field.name for field in dataclasses.fields(Estimator)}
    theirs = {field.name: field.default for field in dataclasses.fields(synth.find(cls.algorithm).Settings)}
    assert not ours & set(theirs)
    params = cls().get_params()
    assert set(params) == ours | set(theirs)
    assert {name: params[name] for name in theirs} == theirs
    assert set(inspect.signature(cls).parameters) == set(params)
    body = next(node for node in ast.parse(FACADE.read_text()).body if getattr(node, "name", "") == cls.__name__)
    assert [node.target.id for node in body.body if isinstance(node, ast.AnnAssign)] == ["algorithm"]


@each
def test_an_estimator_is_frozen(cls):
    made = cls(epsilon=2.0)
    with pytest.raises(dataclasses.FrozenInstanceError, match="epsilon"):
        made.epsilon = 3.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.anything = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.delta
    with pytest.raises(ConfigError, match=rf"settings are frozen: make another, {cls.__name__}\(epsilon=...\)"):
        made.set_params(epsilon=3.0)
    with pytest.raises(ConfigError, match=r"'epsilom' is no setting of .*; did you mean 'epsilon'"):
        made.set_params(epsilom=3.0)
    assert made.set_params() is made
    assert made.epsilon == 2.0


@each
def test_scikit_learn_clones_it_and_knows_what_it_is(cls, fitted):
    from sklearn.base import clone, is_classifier
    from sklearn.utils import get_tags

    copied = clone(fitted[cls])
    assert type(copied) is cls
    assert copied.get_params(deep=True) == fitted[cls].get_params(deep=False)
    assert not hasattr(copied, "model_")
    assert [type(one) for one in clone([cls(), cls()])] == [cls, cls]
    assert not is_classifier(copied)
    assert get_tags(copied).requires_fit


@each
def test_a_repr_shows_what_was_set_and_can_be_read_again(cls):
    assert repr(cls()) == f"{cls.__name__}(epsilon=1.0, delta=1e-09)"
    made = cls(epsilon=np.float32(0.5), delta=1e-6, relation="replace")
    assert repr(made) == f"{cls.__name__}(epsilon=0.5, delta=1e-06, relation='replace')"
    again = eval(repr(made), {cls.__name__: cls})  # noqa: S307 - our own text
    assert again.get_params() == made.get_params()
    assert len({made, again, made}) == 2  # two with equal settings are two


@pytest.mark.parametrize(
    ("cls", "given", "message"),
    [
        (AIM, {"epsilon": 0}, "epsilon (0.0) must be finite and above 0"),
        (AIM, {"epsilon": float("nan")}, "epsilon (nan) must be"),
        (AIM, {"epsilon": "1"}, "epsilon (1) must be a number"),
        (AIM, {"epsilon": 10**400}, "must be a number"),
        (AIM, {"epsilon": True}, "epsilon (True) must be a number"),
        (AIM, {"delta": 1.0}, "delta (1.0) must be inside (0, 1)"),
        (AIM, {"relation": "swap"}, "relation (swap) must be one of add_remove, replace"),
        (AIM, {"accountant": "gpd"}, "accountant 'gpd' is not known; did you mean 'gdp'?"),
        (AIM, {"unit": ""}, "unit ('') must be"),
        (AIM, {"rows_public": 1}, "rows_public (1) must be True or False"),
        (AIM, {"alpha": 1}, "alpha (1.0) must be inside (0, 1)"),
        (AIM, {"iterations": 2.5}, "iterations (2.5) must be a whole number"),
        (AIM, {"cliques": "ab"}, "cliques (ab) must be a list"),
        (AIM, {"cliques": [["a", 1]]}, "cliques (1) must be text"),
        (AIM, {"cliques": [["a"]], "weights": [0]}, "weights (0.0) must be finite and above 0"),
        (AIM, {"cliques": [["a"]], "weights": [-1.0]}, "weights (-1.0) must be finite and above 0"),
        (AIM, {"cliques": [["a"], ["b"]], "weights": [1e308, 1e308]}, "sum of weights (inf) must be finite"),
        (MWEM, {"rounds_per_attribute": float("inf")}, "rounds_per_attribute (inf) must be finite"),
        (MST, {"merge_below": -1}, "merge_below (-1.0) must be 0 or more"),
        (Weave, {"preset": "quickest"}, "preset (quickest) must be one of fast, best"),
        (Weave, {"one_way_share": "x"}, "one_way_share (x) must be a number"),
    ],
)
def test_a_setting_that_cannot_be(cls, given, message):
    with pytest.raises(ConfigError) as error:
        cls(**given)
    assert message in str(error.value)


def test_settings_take_numpys_numbers_and_lists_and_keep_pythons():
    made = AIM(epsilon=np.float64(1), iterations=np.int64(7), cliques=[["a", "b"]], weights=[np.float32(2)])
    assert (type(made.epsilon), type(made.iterations)) == (float, int)
    assert (made.cliques, made.weights) == ((("a", "b"),), (2.0,))
    json.dumps(made.get_params())
    assert Weave(one_way_share=None).one_way_share is None


def test_settings_are_by_name_alone_and_an_unknown_one_is_an_error():
    with pytest.raises(TypeError):
        AIM(1.0)
    with pytest.raises(TypeError, match="epsilom"):
        AIM(epsilom=1.0)


# --- fit and sample


@each
def test_fit_returns_itself_with_model_and_ledger(cls, fitted):
    made = fitted[cls]
    assert isinstance(made, cls)
    assert isinstance(made.model_, Model)
    assert made.model_.algorithm == cls.algorithm
    assert made.ledger_ is made.model_.ledger
    claim = made.ledger_.claim()
    assert (claim["epsilon"], claim["delta"], claim["private"]) == (1.0, 1e-9, True)
    assert claim["people"] == ["the table"]
    assert claim["not_covered"] == []
    assert made.ledger_.table().startswith("(1, 1e-09)-DP for adding or removing one row of the table, by the ")
    assert "spent" in made.ledger_.table()


@each
def test_samples_are_frames_of_codes_with_the_same_columns(cls, fitted):
    made = fitted[cls]
    frame = made.sample(50, rng=rng())
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(SIZES)
    assert len(frame) == 50
    assert set(frame.dtypes) == {np.dtype("uint8")}
    assert all(frame[name].between(0, size - 1).all() for name, size in SIZES.items())
    assert frame.equals(made.sample(50, rng=rng()))
    assert not frame.equals(made.sample(50, rng=rng(1)))
    assert len(made.sample(0, rng=rng())) == 0
    assert len(made.sample(rng=rng())) == made.model_.rows


@each
def test_accountant_and_relation_are_what_was_asked_for(cls):
    for accountant in ("gdp", "zcdp"):
        made = cls(accountant=accountant, relation="replace", unit="house").fit(array(50), SIZES)
        claim = made.ledger_.claim()
        assert (claim["accountant"], claim["relation"], claim["unit"]) == (accountant, "replace", "house")
    chosen = synth.find(cls.algorithm).accountant(Budget(epsilon=1.0), synth.find(cls.algorithm).Settings())
    assert cls().fit(array(50), SIZES).ledger_.accountant.name == chosen


def test_a_public_number_of_rows_is_believed_and_the_claim_says_so():
    made = Independent(rows_public=True).fit(array(123), SIZES)
    assert made.model_.rows == 123
    assert "rows" in " ".join(made.ledger_.stamps)
    assert not Independent().fit(array(123), SIZES).ledger_.stamps


def test_each_fit_is_a_release_of_its_own():
    made = Independent().fit(array(), SIZES)
    before = made.model_
    assert made.fit(array(), SIZES).model_ is not before
    assert made.ledger_.remaining == pytest.approx(0, abs=1e-6 * made.ledger_.total)


KINDS = {
    "uint8": lambda codes: codes.astype(np.uint8),
    "int64, columns first": np.asfortranarray,
    "lists": lambda codes: codes.tolist(),
    "frame": lambda codes: pd.DataFrame(codes, columns=list(SIZES)),
    "frame, other order and index": lambda codes: pd.DataFrame(
        codes[:, ::-1], columns=list(SIZES)[::-1], index=range(7, 7 + len(codes))
    ),
    "nullable": lambda codes: pd.DataFrame(codes, columns=list(SIZES)).astype("UInt16"),
    "arrow": lambda codes: pa.table(dict(zip(SIZES, codes.T, strict=True))),
    "table": lambda codes: Table.of(pa.table(dict(zip(SIZES, codes.T, strict=True)))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_of_codes_is_read_the_same(kind):
    made = Independent(**PLAIN, rows_public=True).fit(KINDS[kind](array()), SIZES)
    names = list(SIZES)
    for place, name in enumerate(names):
        exact = np.bincount(array()[:, place], minlength=SIZES[name])
        assert np.allclose(made.model_.graphical.marginal((name,)), exact, atol=0.5)
    wanted = names[::-1] if kind.startswith("frame, other") else names
    assert list(made.sample(3, rng=rng()).columns) == wanted


def test_a_domain_may_say_what_is_ordinal():
    domain = Domain.of(SIZES, ordinal=["a"])
    frame = pd.DataFrame(array()[:, ::-1], columns=list(SIZES)[::-1])
    assert Independent().fit(frame, domain).model_.domain.ordinal == {"a"}


def test_sizes_alone_say_that_neighbours_are_alike():
    assert Independent().fit(array(), SIZES).model_.domain.ordinal == set(SIZES)


def test_units_are_cut_to_their_rows():
    codes = np.zeros((1000, 2), dtype=np.uint8)
    units = ["one"] * 995 + ["two"] * 2 + ["three", "four", "five"]
    made = Independent(**PLAIN).fit(codes, {"x": 2, "y": 1}, units=units, max_rows_per_unit=3)
    assert made.model_.rows == 3 + 2 + 3
    alone = Independent(**PLAIN).fit(codes, {"x": 2, "y": 1}, units=np.zeros(1000, dtype=int))
    assert alone.model_.rows == 1


@pytest.mark.parametrize("other", ["new", 2.5, 2**70, None, True])
def test_nobodys_id_changes_how_anothers_is_spelt(other):
    """One more person's id of another kind is refused: taken, it would split or join the rows of everybody else."""
    codes = np.zeros((5, 1), dtype=np.uint8)
    with pytest.raises(DataError):
        Independent().fit(codes, {"x": 2}, units=[1, 2, 1, 2, other])
    made = Independent(**PLAIN).fit(codes, {"x": 2}, units=[1, 2, 1, 2, 3])
    assert made.model_.rows == 3


@pytest.mark.parametrize(
    ("codes", "units"), [(pd.DataFrame({"a": [1, "CANARY"]}), None), (np.zeros((1, 1), dtype=int), ["CANARY\ud800"])]
)
def test_no_error_keeps_a_cell(codes, units):
    with pytest.raises(DataError) as caught:
        Independent().fit(codes, {"a": 2}, units=units)
    error = caught.value
    assert "CANARY" not in str(error)
    assert error.__context__ is None
    assert error.__cause__ is None


def test_a_claim_about_rows_says_so():
    assert Independent().fit(array(), SIZES).ledger_.claim()["unit"] == "row"
    assert Independent().fit(array(), SIZES, units=range(300)).ledger_.claim()["unit"] == "person"
    assert Independent(unit="patient").fit(array(), SIZES).ledger_.claim()["unit"] == "patient"


@pytest.mark.parametrize("rows", [1, 3])
def test_the_noise_grows_with_the_rows_of_a_unit(rows):
    made = Independent().fit(array(), SIZES, units=range(300), max_rows_per_unit=rows)
    (event, *_) = made.ledger_.events
    assert event.sensitivity == rows


def test_which_rows_of_a_unit_count_is_drawn_anew():
    codes = np.arange(50, dtype=np.uint8)[:, None]
    kept = set()
    for _ in range(8):
        made = Independent(**PLAIN).fit(codes, {"x": 50}, units=["one"] * 50)
        kept.add(int(made.model_.graphical.marginal(("x",)).argmax()))
    assert len(kept) > 1


@each
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("epsilon", [1e6, 1e100])
def test_a_budget_without_an_end_is_one_too(cls, epsilon):
    assert cls(epsilon=epsilon).fit(array(), SIZES).model_.rows == pytest.approx(300, abs=9)


@pytest.mark.filterwarnings("error")
def test_heavy_weights_are_shares():
    made = AIM(cliques=[["a", "b"], ["b", "c"]], weights=[8e307, 8e307]).fit(array(), SIZES)
    assert made.sample(3, rng=rng()).shape == (3, 3)


# --- bad input


@each
def test_a_domain_of_too_many_codes_says_how_many_and_what_helps(cls):
    with pytest.raises(ConfigError, match=r"fewer bins help.*'c' has 10,000,000 codes"):
        cls().fit(array(9), SIZES | {"c": 10_000_000})


FIT = {
    "outside": (lambda c: c + 3, SIZES, {}, DataError, "column 'a' of codes (row"),
    "negative": (lambda c: c - 1, SIZES, {}, DataError, "must be a whole number from 0 to 3, and not missing"),
    "float": (lambda c: c / 2, SIZES, {}, DataError, "type of codes (float64) must be whole numbers"),
    "whole floats": (lambda c: c * 1.0, SIZES, {}, DataError, "type of codes (float64) must be whole numbers"),
    "text": (lambda c: c.astype(str), SIZES, {}, DataError, "must be whole numbers"),
    "NaN in a frame": (
        lambda c: pd.DataFrame(c, columns=list(SIZES)).astype(float).mask(c == 1),
        SIZES, {}, DataError, "column 'a' of codes (double) must be of whole numbers",
    ),
    "missing in a frame": (
        lambda c: pd.DataFrame(c, columns=list(SIZES)).astype("Int64").mask(c == 1),
        SIZES, {}, DataError, "counted from 0) must be a whole number from 0 to 3, and not missing",
    ),
    "objects": (
        lambda c: pd.DataFrame(c, columns=list(SIZES)).astype(object).mask(c == 1, "secret"),
        SIZES, {}, DataError, "types of codes (object) must be whole numbers",
    ),
    "categories": (lambda c: pd.DataFrame(c, columns=list(SIZES)).astype("category"), SIZES, {}, DataError, "of whole"),
    "a column too few": (lambda c: c[:, :2], SIZES, {}, DataError, "shape of codes ((300, 2)) must be (rows, 3)"),
    "one dimension": (lambda c: c[:, 0], SIZES, {}, DataError, "shape of codes ((300,)) must be (rows, 3)"),
    "ragged": (lambda _: [[1, 2, 1], [1]], SIZES, {}, ConfigError, "codes (list) must be an array"),
    "no table": (lambda _: None, SIZES, {}, PasteurError, "codes"),
    "another column": (
        lambda c: pd.DataFrame(c, columns=["a", "b", "d"]), SIZES, {}, DataError, "'c' of the domain is no column",
    ),
    "a column too many": (
        lambda c: pd.DataFrame(c, columns=["a", "b", "c"]).assign(cc=0), SIZES, {}, DataError,
        "column 'cc' of codes is not in the domain",
    ),
    "a column twice": (
        lambda c: pd.DataFrame(c, columns=["a", "b", "b"]), SIZES, {}, DataError, "columns of codes (a, b, b) must be",
    ),
    "domain a list": (lambda c: c, [4, 3, 2], {}, ConfigError, "domain (list) must be a mapping"),
    "domain none": (lambda c: c, None, {}, ConfigError, "domain (NoneType) must be a mapping"),
    "domain empty": (lambda c: c[:, :0], {}, {}, ConfigError, "domain (no attribute) must be of one attribute or more"),
    "size zero": (lambda c: c, {"a": 0, "b": 3, "c": 2}, {}, ConfigError, "size of attribute 'a' (0) must be a whole"),
    "size a float": (lambda c: c, {"a": 4.5, "b": 3, "c": 2}, {}, ConfigError, "size of attribute 'a' (4.5) must be"),
    "name a number": (lambda c: c, {1: 4, 2: 3, 3: 2}, {}, ConfigError, "name of an attribute (1) must be text"),
    "name reserved": (lambda c: c, {"_unit": 4, "b": 3, "c": 2}, {}, ConfigError, "must be text, and not '_unit'"),
    "units too few": (lambda c: c, SIZES, {"units": range(9)}, ConfigError, "units (9 ids) must be as many as rows"),
    "units one number": (lambda c: c, SIZES, {"units": 3}, DataError, "units (int) must be an id for each row"),
    "a unit none": (lambda c: c, SIZES, {"units": ["u"] * 299 + [None]}, DataError, "units (row 299, counted from 0)"),
    "a unit NaN": (lambda c: c, SIZES, {"units": np.r_[np.nan, np.ones(299)]}, DataError, "units (ndarray) must be"),
    "units of two kinds": (lambda c: c, SIZES, {"units": ["u", 3] + ["v"] * 298}, DataError, "units (list) must be an"),
    "units one and 1.0": (lambda c: c, SIZES, {"units": [1, 1.0] + [2] * 298}, DataError, "all of them text or all"),
    "units true": (lambda c: c, SIZES, {"units": [True] * 300}, DataError, "all of them text or all whole numbers"),
    "units too large": (lambda c: c, SIZES, {"units": [2**70] * 300}, DataError, "units (list) must be an id"),
    "units no text": (lambda c: c, SIZES, {"units": ["\ud800"] * 300}, DataError, "units (list) must be an id"),
    "units a word": (lambda c: c, SIZES, {"units": "u" * 300}, DataError, "units (str) must be an id"),
    "units a dictionary with nothing": (
        lambda c: c,
        SIZES,
        {"units": pa.DictionaryArray.from_arrays([0] * 299 + [1], ["u", None])},
        DataError,
        "units (row 299, counted from 0)",
    ),
    "rows without units": (
        lambda c: c, SIZES, {"max_rows_per_unit": 3}, ConfigError, "max_rows_per_unit (3) must be 1 where no units",
    ),
    "no rows of a unit": (
        lambda c: c, SIZES, {"units": range(300), "max_rows_per_unit": 0}, ConfigError, "must be a whole number of 1",
    ),
    "half a row of a unit": (
        lambda c: c, SIZES, {"units": range(300), "max_rows_per_unit": 1.5}, ConfigError, "must be a whole number of 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FIT)
def test_what_cannot_be_fitted_is_said_in_one_line_without_a_value(case):
    make, domain, more, kind, message = FIT[case]
    made = Independent()
    with pytest.raises(kind) as error:
        made.fit(make(array()), domain, **more)
    assert message in str(error.value)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
    assert not hasattr(made, "model_")


@given(st.integers(0, 299), st.integers(0, 2), st.sampled_from([-1, -128, 4, 127, 2**31]))
@settings(max_examples=40, deadline=None)
def test_one_bad_code_is_found_wherever_it_is(row, place, code):
    codes = array()
    codes[row, place] = code
    with pytest.raises(DataError) as error:
        Independent().fit(codes, SIZES)
    assert f"column '{'abc'[place]}' of codes (row {row}, counted from 0) must be" in str(error.value)
    assert str(code) not in str(error.value).replace(f"row {row},", "").replace("to 3", "").replace("from 0", "")


def test_a_stream_is_checked_to_its_end_with_the_right_row_number():
    good, bad = (pa.record_batch({"x": pa.array(codes)}) for codes in ([0, 1, 1], [0, 9]))
    table = Table.stream(good.schema, lambda: [good, good, bad])
    with pytest.raises(DataError, match=r"column 'x' of codes \(row 7, counted from 0\)"):
        Independent().fit(table, {"x": 2})


HARD = {
    "one attribute": ({"a": 7}, 60),
    "attributes of size one": ({"a": 1, "b": 3, "c": 1}, 60),
    "all of size one": ({"a": 1, "b": 1}, 60),
    "no rows": (SIZES, 0),
    "one row": (SIZES, 1),
}


@each
@pytest.mark.parametrize("case", HARD)
def test_small_tables_are_tables(cls, case):
    """No rows among them: how many there are is private, so that none is no error either."""
    sizes, rows = HARD[case]
    made = cls().fit(array(rows, sizes), sizes)
    frame = made.sample(20, rng=rng())
    assert frame.shape == (20, len(sizes))
    assert all((frame[name] < size).all() for name, size in sizes.items())


@each
@pytest.mark.parametrize("epsilon", [1e-3, 1e-8])
def test_a_budget_that_is_too_small_is_refused_or_spent(cls, epsilon):
    """Noise has no upper end: what can be bought is, else one line says what cannot."""
    made = cls(epsilon=epsilon)
    with suppress(PrivacyError):
        made.fit(array(60), SIZES)
        assert made.sample(10, rng=rng()).shape == (10, 3)
        assert made.ledger_.spent <= made.ledger_.total


@each
def test_what_is_not_fitted_says_so(cls, tmp_path):
    for act in (lambda made: made.sample(3, rng=rng()), lambda made: made.save(tmp_path / "m.npz")):
        with pytest.raises(ConfigError, match=f"this {cls.__name__} is not fitted: call fit"):
            act(cls())


def test_bad_samples(fitted):
    made = fitted[Independent]
    for n in (-1, 2.5, "3", True):
        with pytest.raises(ConfigError, match=r"n .* must be a whole number of 0 or more"):
            made.sample(n, rng=rng())
    with pytest.raises(ConfigError, match=r"rng \(int\) must be a numpy.random.Generator"):
        made.sample(3, rng=0)
    with pytest.raises(TypeError):
        made.sample(3)


# --- files


@each
def test_a_saved_model_is_the_same_model(cls, fitted, tmp_path):
    made = cls(epsilon=0.7, delta=1e-6, relation="replace", unit="house", rows_public=True).fit(array(), SIZES)
    made.save(str(tmp_path / "model.npz"))
    again = cls.load(tmp_path / "model.npz")
    assert again.get_params() == made.get_params() | {"accountant": made.ledger_.accountant.name}
    assert again.sample(40, rng=rng()).equals(made.sample(40, rng=rng()))
    assert again.ledger_.to_dict() == made.ledger_.to_dict()


def test_settings_come_back_as_they_were(tmp_path):
    made = AIM(cliques=[["a", "b"], ["c"]], weights=[2, 1], rounds_per_attribute=2).fit(array(), SIZES)
    made.save(tmp_path / "aim.npz")
    assert AIM.load(tmp_path / "aim.npz").cliques == (("a", "b"), ("c",))


def test_another_algorithms_model_is_refused(fitted, tmp_path):
    fitted[MST].save(tmp_path / "mst.npz")
    with pytest.raises(DataError, match=r"mst\.npz: algorithm \(mst\) must be aim, which is what AIM reads"):
        AIM.load(tmp_path / "mst.npz")


def rewritten(path, change):
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(arrays["header"].tobytes())
    change(header)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header.update(format="pasteur-model-0"), "its format (pasteur-model-0) must be"),
        (lambda header: header["settings"].update(gone=1), "holds settings of another version of Pasteur"),
        (lambda header: header["settings"].update(iterations=-1), "holds settings of another version of Pasteur"),
    ],
    ids=["format", "a setting that is gone", "a setting out of range"],
)
def test_a_model_of_another_version_is_refused(fitted, tmp_path, change, message):
    path = tmp_path / "mst.npz"
    fitted[MST].save(path)
    rewritten(path, change)
    with pytest.raises(DataError) as error:
        MST.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_no_file_and_no_model(tmp_path):
    (tmp_path / "text.npz").write_text("no model")
    for name in ("none.npz", "text.npz"):
        with pytest.raises(DataError, match=name):
            PrivBayes.load(tmp_path / name)


def test_copies_keep_what_was_fitted(fitted):
    made = fitted[Independent]
    for again in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301 - our own bytes
        assert again.sample(9, rng=rng()).equals(made.sample(9, rng=rng()))


def test_no_row_of_the_data_is_in_an_estimator(fitted, tmp_path):
    codes = np.full((40, 2), 4567, dtype=np.uint32)
    made = Independent().fit(codes, {"x": 5000, "y": 5000}, units=[f"canary-{i}" for i in range(40)])
    assert b"canary" not in pickle.dumps(made)
    made.save(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz") as file:
        assert b"canary" not in file["header"].tobytes()


def test_a_budget_is_not_passed(monkeypatch):
    """An algorithm that asks for more than there is gets nothing, and the estimator no model."""
    module = synth.find("independent")
    true = module.fit

    def greedy(private, settings):
        model = true(private, settings)
        private.measure([("a",)], sigmas=[1.0], label="more")
        return model

    monkeypatch.setattr(module, "fit", greedy)
    made = Independent()
    with pytest.raises(BudgetError):
        made.fit(array(), SIZES)
    assert not hasattr(made, "model_")

"""Trees of tables that are drawn: whole, in order, and like what they were learnt of."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from trees import DOMAINS, NAMED, NOTES, STAYS, TESTS, joined, patient, people, private_of

from pasteur import synth
from pasteur.errors import ConfigError, DataError
from pasteur.marginals import Domain
from pasteur.privacy import Budget, Ledger
from pasteur.privacy.tables import Looked, PrivateTables, Relation
from pasteur.synth import relational
from pasteur.synth._relational_columns import Chain
from pasteur.synth._relational_conditional import Conditional, anchored
from pasteur.synth._relational_model import RelationalModel
from pasteur.synth._relational_sampling import drawn
from pasteur.synth.model import Model
from pasteur.table import UNIT, Table

SETTINGS = relational.Settings(root="independent")


@pytest.fixture(scope="module")
def real():
    return joined(*people(2000))


@pytest.fixture(scope="module")
def model(real):
    return relational.fit(private_of(real, epsilon=300.0), SETTINGS)


@pytest.fixture(scope="module")
def rows(model):
    tables = model.sample(3000, rng=np.random.default_rng(0))
    assert list(tables) == ["patients", "stays", "tests", "notes"]
    return {name: table.frame() for name, table in tables.items()}


def test_keys_are_fresh_and_each_foreign_key_names_a_row(rows):
    assert rows["patients"]["patient"].tolist() == list(range(1, 3001))
    assert rows["stays"]["stay"].is_unique
    assert rows["stays"]["patient"].isin(rows["patients"]["patient"]).all()
    assert rows["tests"]["stay"].isin(rows["stays"]["stay"]).all()
    assert rows["notes"]["patient"].isin(rows["patients"]["patient"]).all()
    named = rows["notes"].dropna(subset="stay").merge(rows["stays"], on="stay", suffixes=("", " of the stay"))
    assert len(named) == rows["notes"]["stay"].notna().sum() > 0
    assert (named["patient"] == named["patient of the stay"]).all()


def test_children_are_as_many_as_they_were(real, rows):
    counts = rows["stays"].groupby("patient").size().reindex(rows["patients"]["patient"], fill_value=0)
    shares = np.bincount(counts, minlength=5) / len(counts)
    np.testing.assert_allclose(shares, 0.2, atol=0.03)
    assert counts.max() <= 4
    wards = rows["tests"].groupby("stay").size().reindex(rows["stays"]["stay"], fill_value=0)
    assert (wards.to_numpy() == rows["stays"]["ward"].to_numpy()).mean() > 0.9
    notes = rows["notes"].groupby("patient").size().reindex(rows["patients"]["patient"], fill_value=0)
    assert (notes.to_numpy() == 1 + rows["patients"]["sex"].to_numpy()).mean() > 0.95


def test_rows_follow_their_steps(rows):
    steps = rows["stays"].groupby("patient")["day"].diff().dropna()
    assert (steps >= 0).all()
    assert (steps == 3).mean() > 0.95
    firsts = rows["stays"].groupby("patient")["day"].first()
    assert (firsts < 10).mean() > 0.95


def test_what_depends_on_rows_above_and_before_does_so(rows):
    before = rows["stays"].groupby("patient")["ward"].shift().dropna()
    assert (before == rows["stays"].loc[before.index, "ward"]).mean() > 0.95
    tests = rows["tests"].merge(rows["stays"], on="stay").merge(rows["patients"], on="patient")
    assert (tests["result"] == tests["ward"]).mean() > 0.9
    assert (tests["kind"] == tests["sex"]).mean() > 0.9
    notes = rows["notes"].merge(rows["patients"], on="patient")
    assert (notes["tone"] == notes["age"] % 3).mean() > 0.5


def test_codes_are_inside_their_domains(rows):
    for name, domain in DOMAINS.items():
        for column, size in domain.as_dict().items():
            assert rows[name][column].between(0, size - 1).all()


def test_a_model_is_kept_and_read_again(model, tmp_path):
    path = tmp_path / "model.npz"
    model.save(path)
    back = Model.load(path)
    assert isinstance(back, RelationalModel)
    one, other = (each.sample(50, rng=np.random.default_rng(3)) for each in (model, back))
    assert all(one[name].arrow().equals(other[name].arrow()) for name in one)
    assert back.ledger.to_dict() == model.ledger.to_dict()
    assert len(back.measurements) == len(model.measurements)
    with np.load(path, allow_pickle=False) as file:
        assert json.loads(file["header"].tobytes())["algorithm"] == "relational"
        assert all(file[array].dtype.kind in "iuf" for array in file.files)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("shares_0", np.array([-1.0])),
        ("shares_1", np.array([2.0])),
        ("groups_0_0", np.array([9**9])),
        ("looked_0", np.array([2])),
        ("looked_1", np.array([-1])),
    ],
)
def test_a_model_that_cannot_be_drawn_from_is_refused(model, tmp_path, name, array):
    model.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as file:
        arrays = {each: file[each] for each in file.files}
    arrays[name] = np.broadcast_to(array, arrays[name].shape).astype(array.dtype)
    with (tmp_path / "bad.npz").open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(DataError, match="is not a model that Pasteur wrote"):
        Model.load(tmp_path / "bad.npz")


def test_what_is_known_of_public_rows_is_a_context_and_is_never_contradicted():
    """Forty kinds are too many to tell apart at this noise, but a public table says of each which tube it takes."""
    rng = np.random.default_rng(5)
    tubes = rng.integers(0, 2, 40)
    looked = {"tests": {"tube of kind": Looked(column="kind", codes=tubes, size=3, ordinal=False)}}
    persons = [f"p{number}" for number in range(1500)]
    kinds = rng.integers(0, 40, (1500, 3))
    tests = [(who, who, kind, 5 * tubes[kind]) for who, row in zip(persons, kinds, strict=True) for kind in row]
    columns = list(zip(*tests, strict=True))
    codes = {
        "patients": Table.of(pa.table({UNIT: persons, "patient": persons, "sex": pa.array([0] * 1500, pa.uint8())})),
        "tests": Table.of(
            pa.table(
                {UNIT: columns[0], "patient": columns[1]}
                | {name: pa.array(columns[k], pa.uint8()) for k, name in ((2, "kind"), (3, "result"))}
            )
        ),
    }
    domains = {"patients": Domain.of({"sex": 2}), "tests": Domain.of({"result": 6, "kind": 40})}
    relation = Relation(parent="patients", parent_key="patient", child="tests", child_key="patient", max_rows=3)
    ledger = Ledger(Budget(epsilon=5.0, delta=1e-6), "gdp")
    private = PrivateTables.of(codes, domains, [relation], ledger, root="patients", salt="s", looked=looked)
    assert private.columns["tests"].own == ("kind", "result")  # what names comes first, so that the rest may depend
    model = relational.fit(private, SETTINGS)
    assert model.conditionals["tests"]["result"].contexts[0] == "tube of kind"
    made = model.sample(1500, rng=rng)["tests"].frame()
    assert list(made) == ["patient", "result", "kind"]
    assert (made["result"] == 5 * tubes[made["kind"]]).mean() > 0.95


def careers(people, rng):
    """Eight yearly rows each, all around a level of the person's own that no single row shows."""
    values = np.clip(np.round(rng.uniform(4, 27, (people, 1)) + rng.normal(0, 6, (people, 8))), 0, 31).astype(int)
    persons = [f"p{number}" for number in range(people)]
    return {
        "people": pa.table({UNIT: persons, "person": persons, "kind": pa.array([0] * people, pa.uint8())}),
        "years": pa.table(
            {UNIT: np.repeat(persons, 8), "person": np.repeat(persons, 8)}
            | {"year": pa.array(np.tile(range(8), people), pa.uint8()), "value": pa.array(values.ravel(), pa.uint8())}
        ),
    }


def test_a_trait_that_lasts_is_kept():
    """People differ from each other as much as they did, and a person's own rows no more than they did."""
    codes = careers(3000, np.random.default_rng(0))
    domains = {
        "people": Domain.of({"kind": 2}),
        "years": Domain.of({"year": 8, "value": 32}, ordinal=["year", "value"]),
    }
    relation = Relation(
        parent="people", parent_key="person", child="years", child_key="person", order=("year",), max_rows=8
    )
    ledger = Ledger(Budget(epsilon=5.0, delta=1e-6), "gdp")
    tables = {name: Table.of(table) for name, table in codes.items()}
    private = PrivateTables.of(tables, domains, [relation], ledger, root="people", salt="s")
    model = relational.fit(private, SETTINGS)
    assert {"value due", "value of years on average of people"} & {*model.conditionals["years"]["value"].contexts}
    made = model.sample(3000, rng=np.random.default_rng(1))["years"].frame()
    real, drawn_ = (frame.groupby("person")["value"] for frame in (codes["years"].to_pandas(), made))
    assert drawn_.mean().std() == pytest.approx(real.mean().std(), rel=0.04)
    assert drawn_.std().mean() == pytest.approx(real.std().mean(), rel=0.04)


def test_all_of_the_budget_is_spent_and_no_more():
    ledger = relational.fit(private_of(joined(*people(30))), SETTINGS).ledger
    assert 0.999 * ledger.total < ledger.spent <= ledger.total
    assert ledger.stamps == ()


@pytest.mark.parametrize(
    "tree",
    [
        joined(),
        joined(*(patient(k, np.random.default_rng(k), stays=0) for k in range(20))),
        joined(*(patient(k, np.random.default_rng(k), tests=0) for k in range(20))),
        joined(*(patient(k, np.random.default_rng(k), stays=40, tests=30) for k in range(5))),
        {**joined(*people(20)), "patients": []},
        {**joined(*people(20)), "stays": [(u, p, s, 7, w) for u, p, s, _, w in joined(*people(20))["stays"]]},
    ],
    ids=["empty", "no children", "an empty child", "ten times the maxima", "orphans", "equal times"],
)
def test_hard_trees_are_fitted_and_drawn(tree):
    model = relational.fit(private_of(tree), SETTINGS)
    tables = model.sample(40, rng=np.random.default_rng(0))
    assert tables["patients"].rows == 40
    assert set(tables["tests"].frame()["stay"]) <= set(tables["stays"].frame()["stay"])


def test_tables_that_nothing_hangs_on_and_one_row_each():
    once = NOTES.__class__(**{**NOTES.__dict__, "max_rows": 1})
    tables = relational.fit(private_of(joined(*people(200)), relations=(once,)), SETTINGS).sample(
        None, rng=np.random.default_rng(0)
    )
    assert tables["notes"].frame()["patient"].is_unique
    alone = relational.fit(private_of(joined(*people(200)), relations=()), SETTINGS)
    assert list(alone.sample(5, rng=np.random.default_rng(0))) == ["patients"]


def test_sampling_is_by_its_rng_alone(model):
    one, same, other = (model.sample(60, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(one[name].arrow().equals(same[name].arrow()) for name in one)
    assert not one["stays"].arrow().equals(other["stays"].arrow())
    with pytest.raises(ValueError, match="rows"):
        model.sample(-1, rng=np.random.default_rng(0))


def test_keys_take_the_types_they_are_said_to_have(model):
    typed = RelationalModel(**{**model.__dict__, "ids": {"stays": {"patient": "string", "stay": "string"}}})
    table = typed.sample(20, rng=np.random.default_rng(0))["stays"].arrow()
    assert [table.schema.field(name).type for name in ("patient", "stay")] == [pa.string(), pa.string()]


def test_systematic_draws_are_as_even_as_whole_numbers_allow():
    shares = np.array([[0.5, 0.3, 0.2], [0.0, 0.1, 0.9]])
    conditional = Conditional(target="y", contexts=("x",), groups=(np.array([0, 1, 1]),), shares=shares)
    x = np.repeat([0, 1, 2], [1000, 300, 200])
    codes = drawn(conditional, {"x": x}, len(x), without=None, rng=np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(codes[:1000]), [500, 300, 200], atol=1)
    np.testing.assert_allclose(np.bincount(codes[1000:], minlength=3), [0, 50, 450], atol=1)
    never = drawn(conditional, {"x": x}, len(x), without=0, rng=np.random.default_rng(0))
    assert never.min() == 1


def test_conditionals_come_to_what_is_known_on_average():
    shares = np.array([[0.5, 0.5], [0.9, 0.1]])
    known = Conditional(target="y", contexts=("x",), groups=(np.arange(2),), shares=shares)
    fixed = anchored(known, np.array([0.6, 0.4]), np.array([3.0, 1.0])).shares
    np.testing.assert_allclose(0.75 * fixed[0] + 0.25 * fixed[1], [0.6, 0.4], atol=1e-3)


def test_levels_are_nested():
    chain = Chain.of(np.random.default_rng(0).random(50), ordinal=True).with_none()
    assert list(chain.maps) == [51, 17, 9, 5]
    assert chain.counted == 17
    for codes in chain.maps.values():
        assert codes[-1] == codes.max()
        assert (codes[:-1] < codes[-1]).all()
    assert (chain.between(17, 5)[chain.maps[17]] == chain.maps[5]).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"root": "relational"},
            r"root \(relational\) must be a private algorithm for one table; choose from: aim, aim_gdp, ind",
        ),
        ({"root": "weve"}, "did you mean 'weave'"),
        ({"root": "bootstrap"}, "a private algorithm for one table"),
        ({"root_share": 1.0}, r"root_share \(1.0\) must be inside \(0, 1\)"),
        ({"contexts": 0}, r"contexts \(0\) must be 1 or more"),
        ({"clip": 99.0}, r"clip \(99.0\) must be"),
        ({"doubt": float("nan")}, "doubt"),
    ],
)
def test_settings_are_checked(settings, words):
    with pytest.raises(ConfigError, match=words):
        relational.Settings(**settings)


def test_the_accountant_is_chosen_from_public_numbers():
    assert relational.accountant(Budget(epsilon=1), relational.Settings()) in {"gdp", "zcdp"}
    assert synth.find("relational").COMPONENTS == "tree"
    assert (STAYS.owns, TESTS.owns, NAMED.owns) == (True, True, False)

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.errors import ConfigError, DataError
from pasteur.marginals import Domain, GraphicalModel, Measurement, Merging
from pasteur.privacy import Budget, Ledger
from pasteur.synth import find, names
from pasteur.synth.model import Model

DOMAIN = Domain.of({"a": 5, "b": 2})


@pytest.fixture
def model():
    ones = [
        Measurement(clique=("a",), values=np.array([50.0, 3.0, 40.0, -2.0, 1.0]), sigma=5.0),
        Measurement(clique=("b",), values=np.array([60.0, 30.0]), sigma=5.0),
    ]
    merging = Merging.below(DOMAIN, ones, 3)
    graphical = GraphicalModel.estimate(merging.merged, [merging.fold(each, 92.0) for each in ones], total=92.4)
    ledger = Ledger(Budget(epsilon=1.0))
    return Model(algorithm="mst", measurements=tuple(ones), merging=merging, graphical=graphical, ledger=ledger)


def test_rows_come_from_the_whole_domain(model):
    assert model.domain == DOMAIN
    assert model.rows == 92
    frame = model.sample(3000, rng=np.random.default_rng(0)).frame()
    counts = np.bincount(frame["a"], minlength=5) / 3000
    assert counts[0] == pytest.approx(50 / 92, abs=0.02)
    assert counts[3] == 0
    assert counts[1] == pytest.approx(3 * counts[4], rel=0.1)


def test_no_rows(model):
    table = model.sample(0, rng=np.random.default_rng(0))
    assert table.rows == 0
    assert len(table.frame()) == 0


def test_loading_needs_no_fit(model, tmp_path, monkeypatch):
    model.save(tmp_path / "deep/er/model.npz")
    monkeypatch.setattr(GraphicalModel, "estimate", None)
    back = Model.load(tmp_path / "deep/er/model.npz")
    assert back.graphical.total == model.graphical.total
    rows = [each.sample(None, rng=np.random.default_rng(1)).arrow() for each in (model, back)]
    assert rows[0].equals(rows[1])


def test_saving_is_whole_or_not_at_all(model, tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    model.save(path)
    before = path.read_bytes()

    def broken(file, **_):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", broken)
    with pytest.raises(KeyboardInterrupt):
        model.save(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("content", [None, b"", b"PK nothing", b"\x80\x04pickle"])
def test_what_is_no_model_is_refused(content, tmp_path):
    path = tmp_path / "model.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"model\.npz: is not a model that Pasteur wrote"):
        Model.load(path)


def test_a_truncated_or_foreign_npz_is_refused(model, tmp_path):
    path = tmp_path / "model.npz"
    model.save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="is not a model"):
        Model.load(path)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(DataError, match="is not a model"):
        Model.load(path)
    np.savez(path, header=np.array([object()], dtype=object))
    with pytest.raises(DataError, match="is not a model"):
        Model.load(path)


@pytest.mark.parametrize("rows", [-1, -5])
def test_rows_under_0_are_refused(model, rows):
    with pytest.raises(ValueError, match=rf"rows \({rows}\) must be 0 or more, or None"):
        model.sample(rows, rng=np.random.default_rng(0))


def test_rows_are_the_same_at_each_reading_in_any_batches_and_others_for_another_seed(model):
    table = model.sample(500, rng=np.random.default_rng(1))
    whole = table.arrow()
    assert whole.equals(table.arrow())
    pieces = [batch.num_rows for batch in table.batches(rows=7)]
    assert sum(pieces) == 500
    assert pa.Table.from_batches(table.batches(rows=7)).to_pydict() == whole.to_pydict()
    assert not whole.equals(model.sample(500, rng=np.random.default_rng(2)).arrow())


def test_two_samples_of_one_generator_differ(model):
    rng = np.random.default_rng(0)
    one, other = (model.sample(300, rng=rng).arrow() for _ in range(2))
    assert not one.equals(other)


@pytest.mark.parametrize(("size", "kind"), [(1, pa.uint8()), (256, pa.uint8()), (257, pa.uint16())])
def test_codes_have_the_smallest_type_that_holds_them(size, kind):
    domain = Domain.of({"a": size})
    values = np.zeros(size)
    values[-1] = 1000.0
    ones = [Measurement(clique=("a",), values=values, sigma=1.0)]
    made = Model(
        algorithm="independent",
        measurements=tuple(ones),
        merging=Merging.none(domain),
        graphical=GraphicalModel.estimate(domain, ones),
        ledger=Ledger(Budget(epsilon=1.0)),
    )
    drawn = made.sample(50, rng=np.random.default_rng(0)).arrow()
    assert drawn.schema.field("a").type == kind
    assert max(drawn["a"].to_pylist()) == size - 1


def test_an_algorithm_is_found_by_its_module_and_a_near_miss_named():
    assert {"mst", "independent", "reference", "bootstrap"} <= set(names())
    assert "model" not in names()
    assert all(find(name).__name__ == f"pasteur.synth.{name}" for name in names())
    with pytest.raises(ConfigError, match=r"algorithm 'mts' is not known; did you mean 'mst'\?"):
        find("mts")
    with pytest.raises(ConfigError, match="algorithm 'model' is not known"):
        find("model")


def test_every_algorithm_says_what_it_is():
    for name in names():
        module = find(name)
        assert module.COMPONENTS in {"one", "many", "tree"}
        offered = {each for each in ("fit", "accountant", "draw", "learn", "READS") if hasattr(module, each)}
        others = {"learn" if "learn" in offered else "draw", "READS"}
        assert offered == ({"fit", "accountant"} if module.PRIVATE else others)

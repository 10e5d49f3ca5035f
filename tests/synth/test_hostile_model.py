"""Model files that were cut short, edited by hand or made to do harm: refused as data, never run, never half-read."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pasteur.errors import DataError
from pasteur.marginals import Domain, GraphicalModel, Measurement, Merging
from pasteur.privacy import Budget, Ledger
from pasteur.synth.model import FORMAT, Model

DOMAIN = Domain.of({"a": 4, "b": 2})
FIELDS = ("algorithm", "domain", "measurements", "cliques", "total", "ledger", "settings", "format")


def made():
    ones = [
        Measurement(clique=("a",), values=np.array([50.0, 3.0, 40.0, -2.0]), sigma=5.0),
        Measurement(clique=("b",), values=np.array([60.0, 30.0]), sigma=5.0),
    ]
    merging = Merging.below(DOMAIN, ones, 3)
    folded = [merging.fold(each, 91.0) for each in ones]
    graphical = GraphicalModel.estimate(merging.merged, folded, total=91.0)
    return Model(
        algorithm="mst",
        measurements=tuple(ones),
        merging=merging,
        graphical=graphical,
        ledger=Ledger(Budget(epsilon=1.0)),
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of a good file, its arrays and its header."""
    path = tmp_path_factory.mktemp("good") / "model.npz"
    made().save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    return path.read_bytes(), arrays, json.loads(arrays["header"].tobytes())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def write(path, arrays, header=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    given = arrays if header is None else {**arrays, "header": np.frombuffer(text, dtype=np.uint8)}
    np.savez(path, **given)


def refused(path):
    with pytest.raises(DataError) as caught:
        Model.load(path)
    assert "model.npz: " in str(caught.value)
    return str(caught.value)


class Bomb:
    """Its pickle runs code when it is read."""

    fired = False

    def __reduce__(self):
        return (_fire, ())


def _fire():
    Bomb.fired = True


@pytest.mark.parametrize("name", ["header", "potential_0", "map_0", "shares_1", "measured_0"])
def test_a_pickle_in_any_array_is_refused_and_never_run(saved, path, name):
    _, arrays, _ = saved
    np.savez(path, **{**arrays, name: np.array([Bomb()], dtype=object)})
    refused(path)
    assert not Bomb.fired
    with np.load(path, allow_pickle=True) as file:
        file[name]
    assert Bomb.fired, "the bomb is a real one"
    Bomb.fired = False


def test_a_bare_pickle_is_refused_and_never_run(path):
    path.write_bytes(pickle.dumps(Bomb()))
    refused(path)
    assert not Bomb.fired


@pytest.mark.parametrize("missing", ["header", "potential_0", "potential_1", "map_1", "shares_0", "measured_1"])
def test_a_missing_array_is_refused(saved, path, missing):
    _, arrays, _ = saved
    np.savez(path, **{name: array for name, array in arrays.items() if name != missing})
    refused(path)


@pytest.mark.parametrize("field", FIELDS)
def test_a_header_without_one_of_its_fields_is_refused(saved, path, field):
    _, arrays, header = saved
    write(path, arrays, {name: value for name, value in header.items() if name != field})
    refused(path)


@pytest.mark.parametrize("version", ["pasteur-model-0", "pasteur-model-3", "", None, 1, [FORMAT]])
def test_another_version_says_which_is_read(saved, path, version):
    _, arrays, header = saved
    write(path, arrays, {**header, "format": version})
    assert f"its format ({version}) must be {FORMAT}" in refused(path)


@pytest.mark.parametrize(
    "over",
    [
        {"domain": ["a", "b"]},
        {"domain": {"a": 4}},
        {"domain": {"a": 4, "b": 0}},
        {"domain": {"a": 5, "b": 2}},
        {"domain": {"a": float("inf"), "b": 2}},
        {"domain": {"a": 4, "z": 2}},
        {"cliques": 5},
        {"cliques": [["a"]] * 3},
        {"cliques": [["a"], ["zz"]]},
        {"cliques": [["b"], ["a"]]},
        {"total": "91"},
        {"total": float("nan")},
        {"total": 0},
        {"total": -3.0},
        {"measurements": None},
        {"measurements": ["a", "b"]},
        {"measurements": [{"clique": ["a", "a"], "sigma": 1.0}, {"clique": ["b"], "sigma": 1.0}]},
        {"measurements": [{"clique": ["a"], "sigma": 0.0}, {"clique": ["b"], "sigma": 1.0}]},
        {"ledger": []},
        {"ledger": "none"},
        {"ledger": {"budget": {"epsilon": -1}}},
    ],
    ids=str,
)
def test_a_header_that_contradicts_itself_or_the_arrays_is_refused(saved, path, over):
    _, arrays, header = saved
    write(path, arrays, {**header, **over})
    refused(path)


@pytest.mark.parametrize(
    "text", [b"", b"not json", b"[]", b"[1]", b"null", b'"header"', b"\xff\xfe", b"[" * 100_000], ids=lambda t: t[:9]
)
def test_a_header_that_is_no_object_is_refused(saved, path, text):
    write(path, saved[1], text)
    refused(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("potential_0", lambda array: np.full_like(array, np.nan)),
        ("potential_0", lambda array: np.full_like(array, np.inf)),
        ("potential_1", lambda array: array.astype(str)),
        ("potential_1", lambda array: array.astype(complex)),
        ("potential_1", lambda array: array[None]),
        ("potential_1", lambda array: array[:1]),
        ("map_0", lambda array: array.astype(float)),
        ("map_0", lambda array: array + 1),
        ("map_0", lambda array: -array),
        ("map_1", lambda array: array[::-1][:1]),
        ("shares_0", lambda array: np.full_like(array, np.nan)),
        ("shares_0", lambda array: -array),
        ("shares_0", lambda array: array.astype(str)),
        ("measured_0", lambda array: array.reshape(2, 2)),
    ],
)
def test_arrays_that_no_row_can_be_drawn_from_are_refused(saved, path, name, change):
    _, arrays, _ = saved
    np.savez(path, **{**arrays, name: change(arrays[name])})
    refused(path)


def test_cells_that_cannot_be_are_no_reason_to_refuse(saved, path):
    _, arrays, _ = saved
    never = arrays["potential_1"].copy()
    never[0] = -np.inf
    np.savez(path, **{**arrays, "potential_1": never})
    drawn = Model.load(path).sample(200, rng=np.random.default_rng(0)).arrow()["b"]
    assert set(drawn.to_pylist()) == {1}


def test_members_that_are_no_arrays_are_refused(saved, path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("header", b"{}")
        file.writestr("../../outside.npy", b"x")
    path.write_bytes(buffer.getvalue())
    refused(path)
    assert [each.name for each in path.parent.iterdir()] == ["model.npz"], "nothing is unpacked"


def test_a_plain_npy_and_a_folder_are_refused(path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    path.write_bytes(buffer.getvalue())
    refused(path)
    path.unlink()
    path.mkdir()
    refused(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused(saved, path, share):
    whole, _, _ = saved
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255))
def test_a_damaged_byte_is_found_or_changes_nothing(saved, path, place, bits):
    """Wherever the damage is: what loads is the model that was saved, as zip's checksums promise."""
    whole, _, header = saved
    damaged = bytearray(whole)
    damaged[int(place * len(whole))] ^= bits
    path.write_bytes(bytes(damaged))
    try:
        back = Model.load(path)
    except DataError:
        return
    good = made()
    assert back.domain == good.domain
    assert back.ledger.to_dict() == header["ledger"]
    assert [each.sigma for each in back.measurements] == [each.sigma for each in good.measurements]
    for one, other in zip(back.measurements, good.measurements, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    for one, other in zip(back.graphical.potentials, good.graphical.potentials, strict=True):
        np.testing.assert_array_equal(one, other)

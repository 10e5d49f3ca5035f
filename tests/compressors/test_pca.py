"""pca finds the directions that series differ in, charges for it, and no unit moves its answer further than it says."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pasteur.compressors import Channel, Declaration, Series
from pasteur.compressors._private import PrivateFit
from pasteur.compressors.pca import Pca
from pasteur.errors import PrivacyError
from pasteur.privacy import Budget, ExactMechanisms, Ledger
from pasteur.privacy.moments import _summed, moments

pytestmark = pytest.mark.usefixtures("same_noise")

STEPS = 8


def declared(**settings):
    channel = Channel(name="x", min=0, max=1, decimals=3, transform="none", missing=True, zero=False)
    return Pca.declare(Declaration(component="c", channels=(channel,), steps=STEPS, settings=settings))


def test_it_finds_what_series_differ_in():
    rng = np.random.default_rng(0)
    slope = rng.uniform(-0.4, 0.4, 4000)[:, None]
    values = np.clip(0.5 + slope * np.linspace(-1, 1, STEPS), 0, 1)[:, :, None]
    series = Series(values=values, lengths=np.full(4000, STEPS))
    ledger = Ledger(Budget(epsilon=1, delta=1e-6))
    units = pa.array([str(number) for number in range(4000)])
    private = PrivateFit(series, units, ledger, salt="s", max_rows_per_unit=1, mechanisms=ExactMechanisms())
    fitted = declared(components=1).fit(private, cost=ledger.remaining)
    assert len(ledger.events) == 1
    curves = fitted.curves(fitted.encode(series), series.lengths)
    assert np.sqrt(np.mean((curves - values) ** 2)) < 0.35 * values.std()
    with pytest.raises(PrivacyError):
        private.__reduce__()


def test_no_unit_moves_the_moments_further_than_the_clip():
    rng = np.random.default_rng(1)
    units = pa.array([str(number) for number in rng.integers(0, 9, 60)])
    for scale in (0.01, 1, 1e6):
        rows = scale * rng.normal(size=(60, 4))
        whole = _summed(rows, units, 1.5)
        assert whole.dtype == np.int64
        for unit in set(units.to_pylist()):
            kept = np.array([each != unit for each in units.to_pylist()])
            moved = whole - _summed(rows[kept], units.filter(pa.array(kept)), 1.5)
            assert np.linalg.norm(moved.astype(float)) <= 1024 * 1.5**2
    one = _summed(np.array([[1e9, 0.0]]), pa.array(["a"]), 1.5)
    assert one[0] == pytest.approx(1024 * 1.5**2, abs=1)


def test_moments_are_charged_before_they_are_answered():
    ledger = Ledger(Budget(epsilon=1, delta=1e-6))
    rows, units = np.full((5, 2), np.nan), pa.array(["a"] * 5)
    asked = {"clip": 1.0, "label": "m", "mechanisms": ExactMechanisms()}
    found = moments(rows, units, ledger, cost=ledger.remaining, **asked)
    np.testing.assert_allclose(found.matrix, found.matrix.T)
    assert ledger.remaining == pytest.approx(0, abs=1e-9)
    with pytest.raises(PrivacyError, match="number of units"):
        moments(rows, units[:3], ledger, cost=0.1, **asked)

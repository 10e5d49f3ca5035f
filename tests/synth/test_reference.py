from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pasteur.errors import ConfigError
from pasteur.synth import reference
from pasteur.table import Table


def test_the_ref_split_comes_back_as_it_is():
    data = {"ref": {"core": Table.of(pd.DataFrame({"a": [1, 2]})), "more": Table.of(pd.DataFrame({"b": [3]}))}}
    drawn = reference.draw(data, reference.Settings(), rows=None, rng=np.random.default_rng(0))
    assert drawn == data["ref"]


def test_it_has_the_rows_that_it_has():
    with pytest.raises(ConfigError, match=r"rows \(5\) must be null for algorithm 'reference'"):
        reference.draw({"ref": {}}, reference.Settings(), rows=5, rng=np.random.default_rng(0))

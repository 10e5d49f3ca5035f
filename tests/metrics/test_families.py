"""Families of metrics: our own, and one of somebody else's installed package."""

from __future__ import annotations

import importlib
import sys

import pytest

from pasteur.errors import ConfigError
from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.metrics.families import chosen, families, find, stream

THEIRS = '''
from pasteur.metrics.families import Outcome
from pasteur.metrics.score import Raw


class RowCount:
    """One score: the candidate's rows over T's."""

    name = "rowcount"
    depths = frozenset({"standard", "full"})

    def measure(self, target, candidates, task):
        rows = target.rows("core")
        return Outcome(
            scores={
                name: [Raw(metric="rowcount/share", value=data.rows("core") / rows, better="higher", columns=())]
                for name, data in candidates.items()
            }
        )


FAMILY = RowCount()
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package as pip leaves it: a module and its metadata with an entry point."""
    info = tmp_path / "rowcount-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rowcount\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[pasteur.metrics]\nrowcount = rowcount_theirs:FAMILY\nsql = nowhere:FAMILY\n", encoding="utf-8"
    )
    (tmp_path / "rowcount_theirs.py").write_text(THEIRS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    families.cache_clear()
    yield
    families.cache_clear()
    sys.modules.pop("rowcount_theirs", None)


def test_our_own_are_the_modules():
    assert set(families()) >= {"marginals", "predictive", "sql"}
    assert all(family.name == name for name, family in families().items())


@pytest.mark.usefixtures("installed")
def test_somebody_elses_family_is_found_and_scores_beside_ours(flat, people):
    assert find("rowcount").name == "rowcount"
    config = MetricsConfig(depth="standard", families=["marginals", "rowcount"])
    measured = measure(people(100, 1), {"syn": people(50, 2)}, schema=flat, settings=config, seed=0, rows={})
    assert not measured.failures
    values = {raw.metric: raw.value for raw in measured.raws["syn"]}
    assert values["rowcount/share"] == 0.5
    assert "marginals/tvd2" in values


@pytest.mark.usefixtures("installed")
def test_somebody_elses_family_runs_at_its_own_depths():
    assert "rowcount" in {family.name for family in chosen(MetricsConfig(depth="full"))}
    assert "rowcount" not in {family.name for family in chosen(MetricsConfig(depth="quick"))}
    assert chosen(MetricsConfig(depth="quick", families=["rowcount"])) == []


@pytest.mark.usefixtures("installed")
def test_a_near_miss_of_somebody_elses_family_is_named():
    with pytest.raises(ConfigError, match=r"metrics: no family 'rowcuont'; did you mean 'rowcount'\?"):
        find("rowcuont")


def test_without_the_package_there_is_no_such_family():
    with pytest.raises(ConfigError, match="no family 'rowcount'"):
        chosen(MetricsConfig(families=["marginals", "rowcount"]))


def test_each_use_has_a_stream_of_its_own_that_comes_back():
    one = stream(0, "triples").integers(2**60, size=4).tolist()
    assert stream(0, "triples").integers(2**60, size=4).tolist() == one
    assert stream(0, "base").integers(2**60, size=4).tolist() != one
    assert stream(1, "triples").integers(2**60, size=4).tolist() != one


@pytest.mark.usefixtures("installed")
def test_an_entry_point_never_takes_the_place_of_our_own():
    """Scores of a name are comparable between machines, whatever else is installed there."""
    assert type(find("sql")).__module__ == "pasteur.metrics.sql"

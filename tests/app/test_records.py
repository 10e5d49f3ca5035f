from __future__ import annotations

import json
import math

import pytest

from pasteur import tracking
from pasteur.app import records
from pasteur.errors import ConfigError, DataError
from pasteur.experiment import flat
from pasteur.tracking.mlflow_store import key_of


@pytest.fixture
def result(experiment, make_result):
    return make_result(experiment)


def test_a_record_finds_its_run_again(result):
    record = records.of(result, kind="trial", sweep="s1")
    assert record.experiment == "adult"
    assert {k: record.tags[k] for k in ("kind", "sweep", "run_id", "version", "dataset", "schema", "algorithm")} == {
        "kind": "trial",
        "sweep": "s1",
        "run_id": "0123abcd",
        "version": result.version,
        "dataset": "adult",
        "schema": "detail",
        "algorithm": "weave",
    }
    assert record.tags["claim"] == "(1, 1e-09)"


def test_settings_are_flat_and_their_keys_allowed(result):
    settings = flat(result.experiment)
    assert settings["privacy.epsilon"] == 1.0
    assert settings["algorithm"] == "weave"
    assert all(key_of(key) == key for key in settings)
    assert not any(isinstance(value, dict) and value for value in settings.values())


def test_scores_beside_their_anchors_and_no_number_that_is_none(result):
    numbers = records.numbers(result)
    assert numbers["marginals/tvd2/syn"] == 0.1
    assert numbers["marginals/tvd2/gap"] == pytest.approx((0.1 - 0.06) / 0.14)
    assert numbers["gap/marginals"] == pytest.approx((0.1 - 0.06) / 0.14)
    assert "predictive/income/auc/ref" not in numbers
    assert numbers["releases/wrk/epsilon"] == 1.0
    assert all(math.isfinite(value) for value in numbers.values())


def test_what_mlflow_compares_unasked_comes_first(result):
    """Its page shows the first metric, and of the parameters that differ the first three in the alphabet."""
    assert next(iter(records.numbers(result))) == "gap/marginals"
    assert min(flat(result.experiment)) == "algorithm"
    assert {"privacy.epsilon", "seed"} < {key for key in flat(result.experiment) if key < "settings."}


def test_a_run_without_a_guarantee_is_stamped(result):
    from dataclasses import replace

    record = records.of(replace(result, claim={**result.claim, "private": False, "epsilon": None}), kind="run")
    assert record.tags["private"] == "NO DP GUARANTEE"
    assert record.tags["claim"] == "none"


def test_large_files_are_kept_by_name_alone(result, monkeypatch):
    monkeypatch.setattr(records, "LARGEST", 3)
    record = records.of(result, kind="run")
    assert record.files == {}
    (entry,) = record.documents["synthetic/manifest.json"].values()
    assert entry["sha256"] == result.digests["core"]


def test_digests_are_of_the_manifests_not_of_values(result, project):
    folder = project / "data/.manifests/orig/intermediate/adult"
    folder.mkdir(parents=True)
    (folder / "train.pq.json").write_text(json.dumps({"sha256": "a" * 64}), encoding="utf-8")
    assert records.of(result, kind="run").digests == {"adult.train": "a" * 64}


def test_every_name_of_a_run(experiment, make_result, project):
    first = make_result(experiment, run_id="0123abcd")
    second = make_result(experiment, run_id="0129ffff")
    records.remember(first, tracking.Tracked(experiment="1", run="e" * 32))
    for name in (first.version, "0123", "0123abcd", "e" * 32):
        assert records.find(project, name).document["run_id"] == "0123abcd"
    assert records.find(project, "last").document["run_id"] == second.run_id
    with pytest.raises(ConfigError, match="2 runs begin with it"):
        records.find(project, "012")
    with pytest.raises(ConfigError, match="no such run"):
        records.find(project, "zz")
    with pytest.raises(ConfigError, match="no such run"):
        records.find(project, "")


def test_no_runs_yet(project):
    with pytest.raises(ConfigError, match="there is none under"):
        records.find(project, "last")


def test_last_is_the_latest_version_in_whatever_order_the_folders_were_made(experiment, make_result, project):
    late = make_result(experiment, run_id="0000000f")
    early = make_result(experiment, run_id="ffffffff")
    (project / "outputs/runs" / early.version).rename(project / "outputs/runs/2025-01-02T03.04.05.678Z-ffffffff")
    assert records.find(project, "last").document["run_id"] == late.run_id


@pytest.mark.parametrize("run", ["LAST", "123abcd", "0123abcdef", "0123ABCD", "*", "../runs", "2026"])
def test_what_is_no_name_of_a_run(experiment, make_result, project, run):
    """No part of a name but its beginning counts, and nothing is a pattern or a path."""
    make_result(experiment)
    with pytest.raises(
        ConfigError, match=r"must be a version, a unique prefix .* no such run; the latest are 0123abcd$"
    ):
        records.find(project, run)


def test_a_run_that_did_not_finish_is_none(experiment, make_result, project):
    done = make_result(experiment)
    (project / "outputs/runs/2027-01-02T03.04.05.678Z-99999999").mkdir()
    assert [kept.document["run_id"] for kept in records.kept(project)] == [done.run_id]
    assert records.find(project, "last").document["run_id"] == done.run_id


def test_what_of_a_run_is_gone_or_broken_is_named(experiment, make_result, project):
    done = make_result(experiment)
    kept = records.find(project, "last")
    assert kept.path(kept.document["model"]) == done.model
    done.model.unlink()
    with pytest.raises(DataError, match=rf"adult\.npz: is gone; run {done.version} made it"):
        kept.path(kept.document["model"])
    (done.folder / "claim.json").write_text("{")
    with pytest.raises(DataError, match=r"claim\.json: cannot be read"):
        kept.json("claim.json")
    with pytest.raises(DataError, match=r"nothing\.json: cannot be read"):
        kept.json("nothing.json")
    (done.folder / "result.json").write_text("{")
    with pytest.raises(DataError, match=r"result\.json: is not valid JSON"):
        records.find(project, "last")

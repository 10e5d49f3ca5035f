"""Named experiments: they compose with all that they sweep, and run, on data and settings that are tiny."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from pasteur.app import compose, groups, main, records
from pasteur.run import run

ROOT = Path(__file__).parents[2]
FILES = {path.stem: path for path in sorted((ROOT / "configs/experiment").glob("*.yaml"))}
SWEPT = {
    name: params
    for name, path in FILES.items()
    if (params := yaml.safe_load(path.read_text(encoding="utf-8")).get("hydra", {}).get("sweeper", {}).get("params"))
}
"""Studies: what each sweeps, as its file says it."""

TINY = ["dataset=mine", "++metrics.families=[marginals]"]
METADATA = {
    "sdv": {
        "METADATA_SPEC_VERSION": "V2",
        "tables": {"core": {"columns": {"age": {"sdtype": "numerical"}, "word": {"sdtype": "categorical"}}}},
    },
    "pasteur": {
        "tables": {
            "core": {
                "columns": {
                    "age": {"embedding": {"type": "integers"}, "domain": {"min": 0, "max": 9}, "source": "public"},
                    "word": {"embedding": {"type": "categories"}, "domain": {"levels": ["a", "b"]}, "source": "public"},
                }
            }
        }
    },
}


@pytest.fixture
def mine(project):
    """A data set of 300 rows and two columns."""
    dice = random.Random(1)  # noqa: S311 - rows of a test
    rows = [f"{dice.randrange(10)},{dice.choice('ab')}" for _ in range(300)]
    texts = {
        "mine.csv": "\n".join(["age,word", *rows]) + "\n",
        "configs/dataset/mine.yaml": "name: mine\nfiles: {core: {path: mine.csv}}\n"
        "tables: {core: {types: {age: int64, word: string}}}\n",
        "metadata/mine.detail.json": json.dumps(METADATA),
    }
    for path, text in texts.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")
    return project


def options(study):
    """Each swept setting with its values, in the words of a command line."""
    parser = OverridesParser.create()
    parsed = [parser.parse_override(f"{name}={values}") for name, values in SWEPT[study].items()]
    return {each.get_key_element(): [f"{value}" for value in each.sweep_string_iterator()] for each in parsed}


def test_the_studies_are_as_large_as_the_readme_says():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for study in SWEPT:
        size = math.prod(map(len, options(study).values()))
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{study}` |")]
        assert row.endswith(f"| `-m`: {size} |")


@pytest.mark.parametrize("study", SWEPT)
def test_a_study_composes_with_what_it_sweeps(study):
    swept = options(study)
    assert set(swept["algorithm"]) <= set(groups.options("algorithm"))
    e = compose.experiment([f"experiment={study}", *(f"{name}={values[-1]}" for name, values in swept.items())])
    assert (e.tags, e.algorithm, e.report) == ({"experiment": study}, swept["algorithm"][-1], False)


@pytest.mark.slow
@pytest.mark.parametrize("study", [study for study in SWEPT if study not in ("adult_vs_sdv", "lahman_careers")])
def test_a_curve_runs_with_what_the_command_line_says_in_place_of_what_it_sweeps(study, mine, kept):
    words = ["privacy.epsilon=1", "seed=0", "algo=independent"]
    assert main(["-m", f"experiment={study}", *TINY, *words]) == 0
    told = [run.document for run in records.kept(mine)]
    assert [(run["algorithm"], run["epsilon"], run["seed"]) for run in told] == [("independent", 1, 0)]
    trials = [record for record in kept.kept if record.tags["kind"] == "trial"]
    assert {record.tags["experiment"] for record in trials} == {study}


@pytest.mark.slow
def test_sdv_is_one_of_a_study_stamped_and_sampled_from_a_file_that_is_checked(mine, kept, capsys, tmp_path):
    assert main(["-m", "experiment=adult_vs_sdv", *TINY, "algo=independent,gaussian_copula"]) == 0
    private, learnt = records.kept(mine)
    assert private.json("claim.json")["private"]
    assert learnt.json("claim.json")["stamps"] == ["NOT PRIVATE: no DP guarantee"]
    (trial,) = [record for record in kept.kept if record.tags.get("algorithm") == "gaussian_copula"]
    assert trial.tags["private"] == "NO DP GUARANTEE"
    model = mine / learnt.document["model"]
    assert model.suffix == ".pkl"
    out = tmp_path / "more.csv"
    words = ["sample", learnt.document["run_id"], "--rows", "7", "--out", str(out), "--seed", "1"]
    assert main(words) == 0
    first = out.read_bytes()
    assert len(first.splitlines()) == 8
    assert main(words) == 0
    assert out.read_bytes() == first
    capsys.readouterr()
    model.write_bytes(model.read_bytes() + b".")
    assert main(words) == 2
    assert "is not the file that its manifest tells of" in capsys.readouterr().err
    (manifest,) = (mine / "data/.manifests/synth/models").rglob("*.pkl.json")
    manifest.unlink()
    assert main(words) == 2
    assert "has no manifest, and is not loaded without" in capsys.readouterr().err
    assert main(["export", learnt.document["run_id"], "--out", str(tmp_path / "out"), "--without-claim"]) == 0
    assert not list((tmp_path / "out").glob("model*")), "a pickle of real rows' statistics is no release"


@pytest.mark.slow
def test_the_study_of_careers_takes_what_it_names_and_says_no_budget_for_what_knows_none(mine, kept):
    words = ["algo=independent,reference", "privacy.epsilon=1"]
    assert main(["-m", "experiment=lahman_careers", *TINY, *words]) == 0
    told = [(run.document["algorithm"], run.json("claim.json")["private"]) for run in records.kept(mine)]
    assert told == [("independent", True), ("reference", False)]
    trials = [record for record in kept.kept if record.tags["kind"] == "trial"]
    assert {record.tags["experiment"] for record in trials} == {"lahman_careers"}


@pytest.mark.slow
def test_an_experiment_of_one_run_runs(mine):
    for name in sorted(FILES.keys() - SWEPT):
        schema = ["schema=detail"] if name == "adult_paper" else []
        result = run(compose.experiment([f"experiment={name}", *TINY, *schema]))
        assert result.failures == {}
        assert result.experiment.tags == {"experiment": name}

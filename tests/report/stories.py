"""A story with something in nearly every section, and tracked runs, as tests of pages want them."""

from __future__ import annotations

from pasteur.metrics.score import Score
from pasteur.report import Privacy, Run, Spent, Story


def score(metric, syn, ref=0.05, base=0.10, dec=0.052, **more):
    return Score(
        **{
            "metric": metric,
            "better": "lower",
            "split": "dev",
            "syn": syn,
            "dec": dec,
            "ref": ref,
            "base": base,
            "se": 0.001,
            "dependence": True,
            **more,
        }
    )


COLUMNS = ("age", "education", "income")


def details(columns=COLUMNS):
    """What families found beside their scores, as `measure_synthetic` gives it."""
    first, second, third = columns
    target = {
        first: {"shares": [0.1] * 10, "column": first, "labels": [str(n) for n in range(10)], "ordered": True},
        second: {"shares": [0.6, 0.3, 0.1], "column": second, "labels": ["a", "b", "c"], "ordered": False},
        third: {"shares": [0.7, 0.3], "column": third, "labels": ["no", "yes"], "ordered": False},
    }
    side = {name: {"shares": about["shares"]} for name, about in target.items()}
    matrix = [[1.0, 0.5, -0.3], [0.5, 1.0, None], [-0.3, None, 1.0]]
    found = {"auc": 0.81, "low": 0.79, "high": 0.83, "rows": 100, "columns": [[first, 0.2], [second, 0.01]]}
    query = {
        "name": "pay by age",
        "kind": "groups",
        "sql": "SELECT 1",
        "file": "q.sql",
        "line": 3,
        "keys": [second],
        "values": ["n"],
    }
    groups = {"columns": ["n"], "keys": [["a"], ["b"]], "rows": [[3], None], "total": 2}
    syn = {
        "marginals": {"histograms": {"core": side}},
        "association": {"core": {"matrix": matrix}},
        "detection": {"core": found},
        "sql": {"results": {"sql/pay": groups}},
        "validity": {
            "checks": [{"component": "core", "check": "bounds", "column": first, "rows": 3, "share": 0.03, "says": "x"}]
        },
        "copies": {"core": {"rows": 100, "copies": 1, "share": 0.01}},
    }
    return {
        "target": {
            "marginals": {"histograms": {"core": target}},
            "association": {"core": {"matrix": matrix, "columns": list(columns), "kinds": ["number"] * 3}},
            "sql": {"queries": {"sql/pay": query}, "results": {"sql/pay": groups}},
            "predictive": {third: {"kind": "classification", "positive": "yes", "rows": 10, "note": ""}},
        },
        "syn": syn,
        "ref": {**syn, "detection": {"core": {**found, "auc": 0.5, "low": 0.48, "high": 0.52, "columns": []}}},
        "wrk": {"marginals": {"histograms": {"core": side}}, "association": {"core": {"matrix": matrix}}},
    }


def worst(columns=COLUMNS):
    def row(names, gap):
        return {
            "component": "core",
            "columns": list(names),
            "syn": 0.2,
            "dec": 0.1,
            "ref": 0.1,
            "base": 0.2,
            "gap": gap,
            "excess": 0.1,
        }

    first, second, third = columns
    return {
        "columns": [{**row([name], gap), "rank": gap} for name, gap in ((second, 0.9), (first, 0.4), (third, 0.1))],
        "pairs": [row([first, second], 0.8), row([second, third], None)],
        "triples": [row(columns, 0.7)],
    }


def make(columns=COLUMNS, **changes) -> Story:
    """A story of three columns with something in nearly every section."""
    told = {
        "title": "Adult, synthesised by mst",
        "subtitle": "run 0123abcd",
        "facts": {"data set": "adult"},
        "settings": {"seed": 0},
        "hashes": {"core": "ab" * 32},
        "privacy": Privacy(
            private=True,
            sentence="(1, 1e-09)-DP for adding or removing one person of wrk",
            epsilon=1.0,
            delta=1e-9,
            spending=[
                Spent(
                    label="one-way marginal: age",
                    event="discrete_gaussian",
                    noise="sigma 30",
                    sensitivity=1.0,
                    share=0.25,
                ),
                Spent(label="choice", event="exponential_choice", noise="epsilon 0.1", sensitivity=1.0, share=0.7),
            ],
            releases="1st release",
        ),
        "split": "dev",
        "scores": (
            score("marginals/tvd1", 0.02, dependence=False, se=None),
            score("marginals/tvd2", 0.07),
            score("predictive/income/forest/auc", 0.8, ref=0.9, base=0.5, dec=0.9, better="higher"),
            score("sql/mean", 0.8, ref=0.95, base=0.6, dec=0.95, better="higher", dependence=False),
            score("sql/pay", 0.7, ref=0.95, base=0.6, dec=0.95, better="higher", parts={"syn": {"group_f1": 0.5}}),
            score("detection/auc", 0.81, ref=0.5, base=0.95, dec=0.55),
            score("validity/bounds", 0.97, dependence=False, better="higher", ref=1.0, base=1.0, dec=1.0),
            score("copies/share", 0.01, dependence=False, ref=0.01, base=None, dec=None, se=None),
        ),
        "details": details(columns),
        "worst": worst(columns),
        "notes": {"sample/core": "scored on 10 rows"},
        "seconds": {"marginals": 1.0},
        "steps": {"fit": 2.0},
        "took": 12.0,
        "peak_mb": 400.0,
        "moved": {"core": {columns[0]: {"outside": 0.01}}},
        "rows": {"core": {"columns": list(columns), "rows": [["1", None, "yes"]], "of": 100}},
    }
    return Story(**{**told, **changes})


def tracked(algorithm="mst", epsilon=1.0, seed=0, gap=0.5, **metrics) -> Run:
    return Run(
        id=f"{algorithm}{epsilon}{seed}",
        name=f"{algorithm} eps={epsilon} {seed}",
        settings={
            "algorithm": algorithm,
            "privacy.epsilon": str(epsilon),
            "seed": str(seed),
            f"settings.{algorithm}s": "3",
        },
        metrics={
            "gap/marginals": gap,
            "marginals/tvd2/syn": 0.05 + 0.05 * gap,
            "marginals/tvd2/ref": 0.05,
            "marginals/tvd2/base": 0.1,
            "marginals/tvd2/gap": gap,
            "claim/epsilon": epsilon,
            "seconds": 9.0,
            "seconds/fit": 1.0 + seed,
            **metrics,
        },
        tags={"private": "yes", "algorithm": algorithm},
    )

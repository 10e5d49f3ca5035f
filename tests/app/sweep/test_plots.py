from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from pasteur.app.sweep import plots


def trials(objectives=("marginals/gap",), many=14):
    rng = np.random.default_rng(3)
    made = []
    for number in range(many):
        algorithm = ("mst", "aim")[number % 2]
        params = {"algorithm": algorithm, "privacy.epsilon": 10 ** rng.uniform(-1, 1), "algorithm.rounds": number + 1}
        if algorithm == "mst":
            params["algorithm.fine"] = bool(number % 4)
        found = {name: params["privacy.epsilon"] + rng.random() for name in objectives}
        made.append(
            {"number": number, "state": "complete", "params": params, "objectives": found, "run_id": f"r{number}"}
        )
    made.append(
        {"number": many, "state": "failed", "params": {"algorithm": "mst"}, "error": "no, signal", "overrides": []}
    )
    made.append({"number": many + 1, "state": "cut off", "overrides": []})
    return made


@pytest.mark.slow
def test_a_study_is_made_of_what_trials_wrote():
    study = plots.study(trials(), ["marginals/gap"], logs=("privacy.epsilon",))
    held = study.get_trials(deepcopy=False)
    assert len(held) == 15
    assert [t.state.name for t in held[-2:]] == ["COMPLETE", "FAIL"]
    assert set(held[0].params) == {"algorithm", "privacy.epsilon", "mst.rounds", "mst.fine"}
    assert set(held[1].params) == {"algorithm", "privacy.epsilon", "aim.rounds"}
    assert type(held[0].distributions["privacy.epsilon"]).__name__ == "LogUniformDistribution"
    assert type(held[0].distributions["mst.rounds"]).__name__ == "IntUniformDistribution"
    best = min(trials()[:14], key=lambda t: t["objectives"]["marginals/gap"])
    assert study.best_trial.user_attrs == {"trial": best["number"], "run": best["run_id"]}


@pytest.mark.slow
def test_a_page_has_every_picture_and_asks_the_network_for_nothing():
    one = plots.page(trials(), ["marginals/gap"], title="Sweep <toy>", logs=())
    assert "Sweep &lt;toy&gt;" in one
    assert "<toy>" not in one
    assert one.count('class="plotly-graph-div"') == 4
    assert "Not drawn" not in one
    own = one.replace(one[one.index("<script>") : one.index("</script></head>")], "")
    assert "src=" not in own
    assert "http:" not in own.split("<body>")[0]
    assert "default-src 'none'" in own
    two = plots.page(trials(("a/b", "seconds")), ["a/b", "seconds"], title="x", logs=())
    assert two.count('class="plotly-graph-div"') == 9
    assert "Front of Pareto" in two
    single = plots.page(trials(many=1), ["marginals/gap"], title="x", logs=())
    assert "What marginals/gap depends on" in single
    assert "Not drawn: " in single


def test_the_export_holds_every_trial():
    found = plots.document(trials(), ["marginals/gap"], "toy-1")
    assert len(json.loads(json.dumps(found))["trials"]) == 16
    assert found["best"] == [min(trials()[:14], key=lambda t: t["objectives"]["marginals/gap"])["number"]]
    rows = list(csv.DictReader(plots.table(trials(), ["marginals/gap"]).splitlines()))
    assert [row["state"] for row in rows[-3:]] == ["complete", "failed", "cut off"]
    assert float(rows[0]["marginals/gap"]) == trials()[0]["objectives"]["marginals/gap"]
    assert (rows[0]["algorithm"], rows[0]["algorithm.fine"], rows[1]["algorithm.fine"]) == ("mst", "False", "")
    assert rows[-2]["error"] == "no, signal"

"""SDMetrics' quality report as a family."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest

from pasteur.metrics.benchmark import measure
from pasteur.metrics.config import MetricsConfig
from pasteur.table import Table

ONLY = MetricsConfig(depth="standard", families=["sdmetrics"])


@pytest.mark.slow
def test_one_table_gets_sdmetrics_own_numbers(flat, people):
    from sdmetrics.reports import QualityReport

    target, syn = people(300, 1), people(300, 2)
    found = measure(target, {"syn": syn, "ref": people(300, 3)}, schema=flat, settings=ONLY, seed=0, rows={"core": 300})
    assert not found.failures
    report = QualityReport()
    report.generate({"core": target["core"].frame()}, {"core": syn["core"].frame()}, dict(flat.sdv), verbose=False)
    scores = {raw.metric: raw.value for raw in found.raws["syn"]}
    assert scores["sdmetrics/quality"] == pytest.approx(report.get_score())
    assert set(scores) == {"sdmetrics/quality", "sdmetrics/column-shapes", "sdmetrics/column-pair-trends"}
    assert set(found.details["syn"]["sdmetrics"]["columns"]["core"]) == set(flat.tables["core"].names)
    assert found.details["syn"]["sdmetrics"]["rows"] == {"core": 300}


@pytest.mark.slow
def test_several_tables(nested, ward):
    found = measure(ward(120, 1), {"syn": ward(120, 2)}, schema=nested, settings=ONLY, seed=0)
    assert not found.failures
    assert {"sdmetrics/cardinality", "sdmetrics/intertable-trends"} <= {raw.metric for raw in found.raws["syn"]}


@pytest.mark.slow
def test_what_cannot_be_scored_has_a_note_and_no_number(flat, people):
    rows = people(100, 2)["core"].arrow()
    for name in rows.column_names:
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, pa.nulls(100, rows.schema.field(name).type))
    found = measure(people(100, 1), {"syn": {"core": Table.of(rows)}}, schema=flat, settings=ONLY, seed=0)
    scored = {raw.metric for raw in found.raws["syn"]}
    noted = {name.removesuffix("/syn") for name in found.notes}
    assert found.failures or scored | noted >= {"sdmetrics/column-shapes", "sdmetrics/quality"}
    assert not scored & noted


@pytest.mark.slow
def test_a_quick_look_imports_no_sdv_and_no_torch():
    code = (
        "import sys, numpy as np, pandas as pd\n"
        "from pasteur.metrics import MetricsConfig, evaluate\n"
        "domain = {'embedding': {'type': 'integers'}, 'domain': {'min': 0, 'max': 9}, 'source': 'here'}\n"
        "sdv = {'METADATA_SPEC_VERSION': 'V1', 'tables': {'core': {'columns': {'a': {'sdtype': 'numerical'}}}}}\n"
        "schema = {'sdv': sdv, 'pasteur': {'tables': {'core': {'columns': {'a': domain}}}}}\n"
        "rows = pd.DataFrame({'a': np.arange(100) % 10})\n"
        "assert not evaluate(rows, rows, schema, settings=MetricsConfig(depth='quick')).failures\n"
        "print(sorted({'sdv', 'sdmetrics', 'torch', 'rdt'} & set(sys.modules)))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.stdout.strip() == "[]", said.stderr


@pytest.mark.slow
def test_the_report_comes_without_torch_which_can_be_imported_all_the_same():
    code = (
        "import sys\n"
        "from pasteur.metrics.parallel import load\n"
        "load(['sdmetrics.reports', 'no_such_package'])\n"
        "assert 'sdmetrics.reports' in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
        "import torch\n"
        "assert torch.ones(2).sum() == 2\n"
    )
    pytest.importorskip("torch")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not said.returncode, said.stderr

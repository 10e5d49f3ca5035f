from __future__ import annotations

import subprocess
import sys

import pytest

from pasteur.app import VERBS, main
from pasteur.app import help as helping

HEAVY = (
    "torch",
    "sdv",
    "mlflow",
    "optuna",
    "sklearn",
    "pandas",
    "numpy",
    "pyarrow",
    "duckdb",
    "numba",
    "kedro",
    "hydra",
)

PROBE = """
import sys
from pasteur.app import main
code = main(["--help"])
print(",".join(m for m in {heavy!r} if m in sys.modules), file=sys.stderr)
sys.exit(code)
"""


def test_help_imports_nothing_heavy_and_lists_all():
    done = subprocess.run([sys.executable, "-c", PROBE.format(heavy=HEAVY)], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
    for word in (*helping.GROUPS, *VERBS, "adult", "kdd_census", "mimic_demo", "mst", "reference", "detail", "algo="):
        assert word in done.stdout


CHECKED = """
import sys
from pasteur.app import compose
compose.experiment([])
sys.exit(",".join(m for m in ("torch", "sdv", "mlflow", "optuna", "sklearn") if m in sys.modules))
"""


@pytest.mark.slow
def test_a_command_line_is_checked_without_the_heaviest_libraries():
    done = subprocess.run([sys.executable, "-c", CHECKED], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_five_examples_and_eighty_columns(capsys, project):
    assert main([]) == 0
    assert len(helping.EXAMPLES) == 5
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)


def test_a_project_adds_its_own_choices(capsys, project):
    (project / "configs" / "dataset").mkdir(parents=True)
    (project / "configs" / "dataset" / "mine.yaml").write_text("name: mine\n")
    main(["--help"])
    assert "mine" in capsys.readouterr().out


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pasteur 0.")

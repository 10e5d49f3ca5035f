"""`pasteur --help`: groups, choices, examples and verbs, without composing or importing anything heavy."""

from __future__ import annotations

import textwrap

from pasteur.app.groups import options

GROUPS = {
    "dataset": "the data; names its default view",
    "view": "the slice of it; names its default schema",
    "schema": "how it becomes discrete",
    "algorithm": "what makes the synthetic data; algo= is the same",
    "privacy": "what a run may spend",
    "metrics": "how deep to look",
    "sweep": "many runs that search for the best settings; with -m",
    "experiment": "a named run",
}

EXAMPLES = (
    ("pasteur dataset=adult algo=weave", "one run: synthetic files, scores, claim"),
    ("pasteur dataset=adult algo=weave privacy.epsilon=0.5 seed=3", "another budget, another seed"),
    ("pasteur -m algo=weave,mst privacy.epsilon=0.1,1,10", "a grid of six runs"),
    ("pasteur dataset=mimic_demo algo=reference", "two related tables"),
    ("pasteur export last --out release", "what may leave the house"),
)

VERBS = {
    "ui": "open MLflow on this machine, at the runs",
    "sample RUN": "more rows from a finished run; spends nothing",
    "export RUN": "the release: data, model, claim, ledger, metadata",
    "evaluate": "a report on data that another tool made",
    "compare [RUN ...]": "a page that sets runs side by side",
    "check": "that every config, metadata file and view is sound",
    "schema": "draft or show a schema",
    "load DATASET": "write a data set's tables into a Postgres server",
}

SETTINGS = {
    "privacy.epsilon, .delta": "the claim's budget",
    "seed": "of everything but the noise",
    "rows": "rows to make; null: as many as the model believes in",
    "format": "csv or pq",
    "fit_on": "wrk, or for a final release wrk+ref, all",
    "--refresh, --accept": "read a server anew; take a raw file that has changed",
    "report": "false: write no page for a person",
    "pasteur.root": "where data/ and outputs/ lie (or PASTEUR_ROOT)",
}


def show() -> int:
    """Print the help; 0."""
    print(text())  # noqa: T201 - this is the command line
    return 0


def text() -> str:
    """The help."""
    return "\n".join(
        [
            "Pasteur: differentially private synthetic data, from raw files to a release.",
            "",
            "usage: pasteur [GROUP=CHOICE | SETTING=VALUE ...]        one run",
            "       pasteur -m GROUP=A,B SETTING=1,2 ...           a run for each combination",
            "       pasteur VERB ...                                  (pasteur VERB --help)",
            "",
            "Groups and their choices",
            *(line for group, what in GROUPS.items() for line in _group(group, what)),
            "",
            "Settings (all of them, as composed: pasteur --cfg job)",
            *_table(SETTINGS),
            "",
            "Verbs (RUN: a version, a prefix of a run id, an MLflow run id, or last)",
            *_table(VERBS),
            "",
            "Examples",
            *(f"  {command}\n      {what}" for command, what in EXAMPLES),
        ]
    )


def _group(group: str, what: str) -> list[str]:
    choices = ", ".join(options(group)) or "none"
    return [
        f"  {group:<12}{what}",
        *textwrap.wrap(choices, 78, initial_indent=" " * 14, subsequent_indent=" " * 14, break_on_hyphens=False),
    ]


def _table(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows)) + 2
    return [f"  {name:<{width}}{what}" for name, what in rows.items()]

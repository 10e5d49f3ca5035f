from __future__ import annotations

import pytest

from pasteur.app import main

MISTAKES = {
    "misspelt group": ("datset=adult", "datset is not a known setting; did you mean 'dataset'?"),
    "misspelt option": ("dataset=adlt", "dataset (adlt) must be one of", "did you mean 'adult'?"),
    "misspelt algorithm": ("algo=msst", "algorithm (msst) must be one of", "did you mean 'mst'?"),
    "misspelt key": ("privacy.epsilonn=1", "privacy.epsilonn is not a known setting; did you mean 'epsilon'?"),
    "misspelt key of an algorithm": ("algo.iteratons=1", "algorithm.iteratons", "did you mean 'iterations'?"),
    "misspelt top key": ("sed=1", "sed is not a known setting; did you mean 'seed'?"),
    "misspelt group of a key": ("privcy.epsilon=1", "privcy is not a known setting; did you mean 'privacy'?"),
    "misspelt key of Hydra's": ("hydra.run.dirr=x", "hydra.run.dirr is not a known setting; did you mean 'dir'?"),
    "misspelt flag": ("--multirrun", "--multirrun is not a known flag; did you mean '--multirun'?"),
    "misspelt verb": ("exprt", "'exprt' is no verb", "did you mean 'export'?"),
    "deleted what is not there": ("~privacy.epsilonn", "did you mean 'epsilon'?"),
    "wrong type": ("privacy.epsilon=abc", "privacy.epsilon (abc) must be a number"),
    "number for a group": ("algorithm=3", "algorithm (3) must be one of"),
    "nothing for a group": ("dataset=", "dataset () must be one of"),
    "view of another data set": (
        "dataset=adult view=mimic_core",
        "view (mimic_core) must belong to data set 'adult'",
        "views of 'adult': adult",
    ),
    "schema of another view": (
        "dataset=kdd_census schema=paper",
        "schema (paper) must be one of view 'kdd_census': detail, coarse",
    ),
    "a list for a mapping": ("tags=[1]", "tags ([1]) must be a mapping of names"),
    "a new name without a plus": ("tags={a:1}", "is given with a plus: +tags.<name>=<value>"),
    "no override": ("seed=1 nonsense", "nonsense"),
    "broken override": ("privacy.epsilon=[1", "'privacy.epsilon=[1' is not of the form name=value"),
    "one of several options": ("-m algo=mst,ms", "algorithm (ms) must be one of"),
    "one of several, alias": ("-m algo.iterations=10,x", "algorithm.iterations (x) must be a whole number"),
    "unknown verb flag": ("sample last --rows 5 --owt x", "--out"),
}


@pytest.mark.parametrize("words", MISTAKES.values(), ids=MISTAKES)
def test_one_line_the_near_miss_exit_2_and_nothing_started(words, project, capsys, kept):
    line, *expected = words
    assert main(line.split()) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err
    for text in expected:
        assert text in told.err
    assert not (project / "outputs").exists()
    assert not (project / "data").exists()

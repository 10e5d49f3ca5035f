"""Kill a sweep at random moments, start it again each time, and look for trials that were lost or done twice.

A grid of 120 points over 300 people, two processes: the sweep is killed (SIGKILL to its parent alone, to all its
processes, or Ctrl-C), then started again by the same command. At the end each point must have been finished once, and
nothing that was ever finished may have changed. `python benchmarks/sweep_kills.py [KILLS] [SEED]`
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

POINTS = 120
COMMAND = [sys.executable, "-m", "pasteur", "-m", "sweep=toy", "dataset=people", "algo=independent", "metrics=quick"]

DATASET = """
name: people
files:
  core: {path: people.csv}
tables:
  core: {types: {age: int64, sex: string}}
"""

METADATA = {
    "sdv": {
        "METADATA_SPEC_VERSION": "V1",
        "tables": {"core": {"columns": {"age": {"sdtype": "numerical"}, "sex": {"sdtype": "categorical"}}}},
        "relationships": [],
    },
    "pasteur": {
        "tables": {
            "core": {
                "columns": {
                    "age": {
                        "embedding": {"type": "uniform", "bins": 8},
                        "domain": {"min": 0, "max": 99},
                        "source": "a person's age",
                    },
                    "sex": {
                        "embedding": {"type": "categories"},
                        "domain": {"levels": ["f", "m"]},
                        "source": "how it is coded",
                    },
                }
            }
        }
    },
}

SWEEP = f"""# @package _global_
defaults:
  - base/optuna
  - override /hydra/sweeper/sampler: grid
sweep:
  objective: [marginals/tvd2]
  trials: null
  search: false
  space:
    privacy.epsilon: [0.5, 1.0, 2.0, 4.0]
    rows: {json.dumps(list(range(100, 100 + POINTS // 4)))}
"""


def project(root: Path) -> None:
    """A small project of a user's own."""
    rng = random.Random(0)  # noqa: S311 - a toy's rows
    rows = "".join(f"{rng.randint(18, 90)},{rng.choice('fm')}\n" for _ in range(300))
    for name, text in {
        "people.csv": "age,sex\n" + rows,
        "configs/dataset/people.yaml": DATASET,
        "configs/sweep/toy.yaml": SWEEP,
        "metadata/people.detail.json": json.dumps(METADATA),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def finished(root: Path) -> dict[str, bytes]:
    """What each finished trial wrote."""
    return {path.parent.name: path.read_bytes() for path in root.glob("outputs/sweeps/toy-*/*/result.json")}


def start(root: Path, log: Path) -> subprocess.Popen[bytes]:
    """One start of the sweep, in a session of its own."""
    environment = {**os.environ, "PASTEUR_ROOT": str(root), "OMP_NUM_THREADS": "1"}
    with log.open("ab") as stream:
        return subprocess.Popen(  # noqa: S603
            COMMAND, cwd=root, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )


def end(process: subprocess.Popen[bytes], how: str) -> None:
    """Kill the parent alone, all its processes, or press Ctrl-C."""
    if how == "parent":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL if how == "all" else signal.SIGINT)
    process.wait()


def moment(process: subprocess.Popen[bytes], root: Path, rng: random.Random, longest: float) -> None:
    """Wait for a random moment: one in four while the sweep starts, the others while its trials run."""
    until = time.perf_counter() + rng.uniform(0.0, longest)
    if rng.random() < 0.25:
        while process.poll() is None and time.perf_counter() < until:
            time.sleep(0.05)
        return
    before = set(root.glob("outputs/sweeps/toy-*/*/"))
    while process.poll() is None and before == set(root.glob("outputs/sweeps/toy-*/*/")):
        time.sleep(0.05)
    time.sleep(rng.uniform(0.0, 4.0))


def first(root: Path, log: Path) -> float:
    """Seconds until the first trial is finished; then all of it is killed."""
    started = time.perf_counter()
    process = start(root, log)
    while not finished(root):
        assert process.poll() is None, log.read_text()[-3000:]
        time.sleep(0.1)
    end(process, "all")
    return time.perf_counter() - started


def main(kills: int, seed: int) -> None:
    """Kill, start again, and count."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background process ignores it, and so its own
    rng = random.Random(seed)  # noqa: S311 - when to kill
    ways: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        project(root)
        log = root / "log"
        longest = first(root, log)
        seen = finished(root)
        print(f"killed when the first of {POINTS} was finished, after {longest:.0f} s; now at random", flush=True)
        while sum(ways.values()) < kills and len(seen) < POINTS:
            process = start(root, log)
            moment(process, root, rng, longest)
            how = rng.choice(("parent", "all", "ctrl-c"))
            end(process, how)
            ways[how] += 1
            now = finished(root)
            changed = [number for number, bytes_ in seen.items() if now.get(number) != bytes_]
            assert not changed, f"lost or changed: {changed}"
            seen = now
            print(f"kill {sum(ways.values())} ({how}): {len(seen)} of {POINTS} finished", flush=True)
        started = time.perf_counter()
        code = start(root, log).wait()
        assert code == 0, log.read_text()[-3000:]
        report(root, seen, ways, time.perf_counter() - started)


def report(root: Path, seen: dict[str, bytes], ways: Counter[str], seconds: float) -> None:
    """Say what was lost and what was done twice; neither may be."""
    done = finished(root)
    outcomes = [json.loads(text) for text in done.values()]
    points = Counter(json.dumps(outcome["params"], sort_keys=True) for outcome in outcomes)
    lost = [number for number, text in seen.items() if done.get(number) != text]
    twice = [point for point, count in points.items() if count > 1]
    told = study(root)
    print(f"{sum(ways.values())} kills ({dict(ways)}); the last start took {seconds:.0f} s")
    print(f"{len(done)} finished, {POINTS} points; lost {len(lost)}, done twice {len(twice)}; Optuna holds {len(told)}")
    assert not lost
    assert not twice
    assert len(points) == POINTS
    assert told == {outcome["number"]: outcome["objectives"]["marginals/tvd2"] for outcome in outcomes}


def study(root: Path) -> dict[int, float]:
    """The trials that Optuna holds as complete."""
    import optuna

    from pasteur.app.sweep import studies

    (folder,) = root.glob("outputs/sweeps/toy-*/")
    found = studies.open_study(studies.url_of(root, None), folder.name)
    complete = found.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    return {trial.number: trial.value for trial in complete}


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["30", "0"][len(sys.argv) - 1 :])))

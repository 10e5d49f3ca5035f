"""The child's side: a JSON document a line in, a JSON document a line out.

python -m pasteur.tracking ROOT
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pasteur.tracking.mlflow_store import answer, opened
from pasteur.tracking.places import ENVIRONMENT, hidden

if TYPE_CHECKING:
    from mlflow import MlflowClient


def serve(root: Path, incoming: IO[str], outgoing: IO[str]) -> None:
    """The child's side: answer each line of `incoming` on `outgoing`, until the parent closes it."""
    client = _early(root)
    for line in incoming:
        message = json.loads(line)
        try:
            client = client or opened(root)
            reply = answer(client, root, message)
        except Exception as error:  # noqa: BLE001 - whatever MLflow raises, the parent has a run to finish
            reply = {"error": hidden(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")}
        outgoing.write(json.dumps(reply) + "\n")
        outgoing.flush()


def _early(root: Path) -> MlflowClient | None:
    """What takes long, done before anything is asked: import MLflow, make the store, open it."""
    try:
        client = opened(root)
        client.search_experiments(max_results=1)
    except Exception as error:  # noqa: BLE001 - told when something is asked
        print(hidden(f"the store could not be opened: {error}"), file=sys.stderr)  # noqa: T201 - stderr is the log
        return None
    return client


def main() -> None:
    """Be the child of a `Tracker`."""
    os.environ.update(ENVIRONMENT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # an end like any other: half a store is removed
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not between our answers
    serve(Path(sys.argv[1]), sys.stdin, answers)
    sys.stderr.flush()
    os._exit(0)  # all is committed; taking MLflow down module by module would keep the parent waiting for a second


if __name__ == "__main__":
    main()

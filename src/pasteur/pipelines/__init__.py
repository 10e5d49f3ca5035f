"""The three pipelines of a run, as plain nodes: processing, synthesize, benchmark."""

from __future__ import annotations

import os
from importlib.resources import files

# Kedro reads both when it is first imported: without them it takes over logging and asks about telemetry.
os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(files("pasteur.resources") / "kedro_logging.yml"))
os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")

"""What a job was expected to take, kept in its folder beside what it took."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from qdcomp.engines import CostEstimate, Engine, EngineJob
from qdcomp.errors import QdcompError

ESTIMATE_NAME = "cost_estimate.json"
"""File in a job directory with the estimate from which the job was begun."""


def note_estimate(directory: Path, engine: Engine, job: EngineJob) -> None:
    """Write what the formula of the engine expects of a job; a job that it cannot say is run too.

    It is the bare formula, not one refined by finished jobs, so that these can be held against it.
    """
    try:
        estimate = engine.estimate_cost(job)
    except QdcompError:
        return
    partial = directory / f"{ESTIMATE_NAME}.partial"
    partial.write_text(json.dumps(asdict(estimate), indent=2) + "\n", encoding="utf-8")
    partial.replace(directory / ESTIMATE_NAME)


def read_estimate(directory: Path) -> CostEstimate | None:
    """Read what a job was expected to take; None where that was not written down, or is damaged."""
    try:
        text = (directory / ESTIMATE_NAME).read_text(encoding="utf-8")
        return CostEstimate(**json.loads(text))
    except (OSError, ValueError, TypeError):
        return None

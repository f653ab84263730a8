"""The files beside a page, and what is said when one cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qdcomp.errors import StoreError
from qdcomp.report.pages.strict_json import write_json


@contextmanager
def name_unwritable(what: str, directory: Path | str) -> Iterator[None]:
    """Raise a `StoreError` that names `what` and `directory` where a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write {what} in {directory}: {error}; is the disk full, or the folder not "
            "yours?"
        ) from error


def write_results(root: Path, results: Any, provenance: Any) -> None:
    """Write ``results.json`` and ``provenance.json``."""
    (root / "results.json").write_text(write_json(results), encoding="utf-8")
    (root / "provenance.json").write_text(write_json(provenance), encoding="utf-8")

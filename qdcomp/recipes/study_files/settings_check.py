"""The settings that a study gives its engine, checked with their lines before anything is built."""

from __future__ import annotations

import hashlib
from pathlib import Path

from qdcomp.engines import check_settings
from qdcomp.errors import InputError, QdcompError
from qdcomp.recipes.study_files.study_document import Section, read_document
from qdcomp.recipes.study_files.study_schema import Study


def check_engine_settings(study: Study) -> None:
    """Ask the engine of a study whether it knows its settings.

    Raises
    ------
    InputError
        It does not; every wrong setting with its line, where the file is still the one that was
        read.
    """
    section = _find_section(study)
    if section is None:
        check_settings(study.engine, study.engine_settings)
        return
    for key, value in study.engine_settings.items():
        with section.noting(key):
            check_settings(study.engine, {key: value})
    section.problems.raise_if_any()
    try:
        check_settings(study.engine, study.engine_settings)
    except InputError as error:  # two settings that do not go together
        section.problems.add(section.line, f"{section.name}: {error}")
    section.problems.raise_if_any()


def _find_section(study: Study) -> Section | None:
    """Section of the engine in the file of a study; None where it is not to be found any more."""
    content = _read_source(study.source)
    if hashlib.sha256(content).hexdigest() != study.source_sha256:
        return None
    try:
        document, _ = read_document(study.source or Path(), content.decode())
    except (QdcompError, UnicodeDecodeError):
        return None
    section = document.take_section("engines")
    return section.take_section(study.engine) if section else None


def _read_source(source: Path | None) -> bytes:
    try:
        return b"" if source is None else source.read_bytes()
    except OSError:
        return b""

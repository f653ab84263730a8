"""What ``results.json`` holds of a report on runs."""

from __future__ import annotations

from typing import Any

from qdcomp.report.dots.content import ReportInput
from qdcomp.report.dots.summary import collect_warnings, list_absent, summarise_run
from qdcomp.report.pages.strict_json import LONGEST_ARRAY, to_plain
from qdcomp.structures import structure_hash


def collect_results(report: ReportInput) -> dict[str, Any]:
    """Everything that ``results.json`` holds; units as in the names of the fields."""
    structure = report.structure
    described = None
    if structure is not None:
        described = {
            "description": structure.description,
            "composition": structure.composition,
            "n_atoms": len(structure.atoms),
            "charge": structure.charge,
            "charge_policy": structure.charge_policy,
            "edge_angstrom": structure.edge_angstrom,
            "cells": structure.cells,
            "n_frozen": int(structure.frozen.sum()),
            "hash": structure_hash(structure),
        }
    return {
        "title": report.title,
        "engine": {
            "name": report.engine_name,
            "version": report.engine_version,
            "is_surrogate": report.is_surrogate,
            "note": report.surrogate_note,
        },
        "structure": described,
        "headline": [summarise_run(report, run) for run in report.runs],
        "runs": [to_plain(run, longest_array=LONGEST_ARRAY) for run in report.runs],
        "published": to_plain(report.published),
        "jobs": to_plain(report.jobs),
        "warnings": list(collect_warnings(report)),
        "absent": list(list_absent(report)),
    }

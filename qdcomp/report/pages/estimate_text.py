"""Estimates in words: value ± error with the unit, and the same for results.json."""

from __future__ import annotations

from collections.abc import Sequence

from qdcomp.experiment import Estimate
from qdcomp.report.pages.number_text import MISSING, format_measured


def format_estimate(estimate: Estimate | None, unit: str = "", factor: float = 1.0) -> str:
    """Value ± error and the unit, both times `factor`; a dash where there is no estimate."""
    if estimate is None:
        return MISSING
    return format_measured(estimate.value * factor, estimate.error * abs(factor), unit)


def format_estimates(estimates: Sequence[Estimate], unit: str = "", factor: float = 1.0) -> str:
    """Several estimates with commas; a dash where there is none."""
    return ", ".join(format_estimate(one, unit, factor) for one in estimates) or MISSING

"""Many dots in one table: a line each, and the means over all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from qdcomp.experiment import Estimate
from qdcomp.experiment.photon_analysis import PhotonAnalysis
from qdcomp.report.pages.estimate_text import format_estimate

HEADER = ("dot", "counts/s", "ON fraction", "Mandel Q", "g2(0)", "lifetime", "blinking type")


def tabulate_dots(analyses: Mapping[str, PhotonAnalysis]) -> list[tuple[str, ...]]:
    """Give rows of texts, the heading first, and the means over the dots last."""
    rows: list[tuple[str, ...]] = [HEADER]
    rows += [(Path(name).name, *_describe_dot(one)) for name, one in analyses.items()]
    if len(analyses) > 1:
        columns = [_collect_numbers(one) for one in analyses.values()]
        means = [average_dots([numbers[k] for numbers in columns]) for k in range(5)]
        units = ("", "", "", "", "ns")
        rows.append(
            (
                "mean of dots",
                *(format_estimate(mean, unit) for mean, unit in zip(means, units, strict=True)),
                "",
            )
        )
    return rows


def average_dots(values: Sequence[Estimate | None]) -> Estimate | None:
    """Mean over the dots that have a value, with the standard error of their scatter."""
    known = np.array([value.value for value in values if value is not None])
    if len(known) == 0:
        return None
    error = float(known.std(ddof=1)) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    return Estimate(float(known.mean()), error)


def _describe_dot(one: PhotonAnalysis) -> tuple[str, ...]:
    rate, *others = _collect_numbers(one)
    units = ("", "", "", "ns")
    kind = one.decay.blinking_type if one.decay is not None else None
    return (
        "" if rate is None else f"{rate.value:.4g}",
        *(format_estimate(number, unit) for number, unit in zip(others, units, strict=True)),
        "" if kind is None else kind.verdict,
    )


def _collect_numbers(one: PhotonAnalysis) -> tuple[Estimate | None, ...]:
    states, mandel = one.blinking.states, one.blinking.mandel
    lifetime = one.decay.lifetime if one.decay is not None else None
    return (
        Estimate(one.blinking.trace.mean_rate_per_s, math.nan),
        None if states is None else states.on_fraction,
        None if mandel is None else mandel.gaussian or mandel.on_bins,
        None if one.g2 is None else one.g2.zero_delay,
        None if lifetime is None else lifetime.lifetime_ns,
    )

"""Runs of a campaign that differ only in the seed, as one: means with standard errors."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from qdcomp.analysis import DotAnalysis, pool_spectra
from qdcomp.analysis.linewidth import LinewidthTable
from qdcomp.errors import InputError
from qdcomp.recipes.study_files.study_schema import INDIFFERENT, Study
from qdcomp.report.campaigns.campaign_rows import CampaignRow
from qdcomp.report.dots.content import DotRun

_SEED_ENDING = re.compile(r"[-_. ]*(s(eed)?)?[-_. ]*$")
_ONE_SIGMA = float(ndtr(1.0))


@dataclass(frozen=True, eq=False)
class PooledRow:
    """Runs that differ only in the seed.

    Attributes
    ----------
    row
        The runs as one, its trajectories being means over the runs; its label is what the labels
        of the runs begin with.
    n_pooled
        Runs with a result that the means are over.
    n_runs
        All runs, those without a result among them.
    """

    row: CampaignRow
    n_pooled: int
    n_runs: int


def pool_rows(
    rows: Sequence[CampaignRow],
) -> tuple[tuple[CampaignRow, ...], tuple[PooledRow, ...]]:
    """Pool the dots that differ only in the seed, as far as they have results.

    Parameters
    ----------
    rows
        Rows of the index.

    Returns
    -------
    The rows, each pool in the place of its first run; and the pools. Two runs of the same seed are
    one sample: the second is left out of a pool, and without a second seed there is no pool.
    """
    groups: dict[str, list[CampaignRow]] = {}
    for row in rows:
        groups.setdefault(_describe_group(row), []).append(row)
    pools = {key: pool for key, group in groups.items() if (pool := _pool(group)) is not None}
    shown: list[CampaignRow] = []
    for key, group in groups.items():
        shown += [pools[key].row] if key in pools else group
    places = {id(row): index for index, row in enumerate(rows)}
    first = {id(pools[key].row): places[id(groups[key][0])] for key in pools}
    shown.sort(key=lambda row: first.get(id(row), places.get(id(row), 0)))
    return tuple(shown), tuple(pools.values())


def _describe_group(row: CampaignRow) -> str:
    """Say all that a study says, but its seed; each row without a study is alone."""
    if row.run is None:
        return f"{row.folder}"
    return json.dumps(_describe_without_seed(row.run.study), sort_keys=True, default=str)


def _describe_without_seed(study: Study) -> dict[str, object]:
    content = study.to_dict()
    return {key: value for key, value in content.items() if key not in (*INDIFFERENT, "seed")}


def _pool(group: Sequence[CampaignRow]) -> PooledRow | None:
    """Pool the dots of a group; None where there is nothing to pool, or it does not fit."""
    by_seed = {row.run.study.seed: row for row in reversed(group) if row.run and row.dots}
    done = [row for row in group if row in by_seed.values()]
    if len(done) < 2:
        return None
    try:
        dots = tuple(_pool_dots([row.dots[n] for row in done]) for n in range(len(done[0].dots)))
    except (InputError, IndexError):
        return None
    label = _name([row.label for row in group])
    headline = f"{len(done)} seeds"
    row = replace(done[0], label=f"{label}, {headline}", dots=dots, headlines=(), reason="")
    return PooledRow(row, len(done), len(group))


def _name(labels: Sequence[str]) -> str:
    """Give what labels have in common, without the beginning of the seed: ``dot-n3-s1``."""
    pairs = zip(min(labels), max(labels), strict=False)
    common = "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return _SEED_ENDING.sub("", re.sub(r"\d+$", "", common)) or labels[0]


def _pool_dots(runs: Sequence[DotRun]) -> DotRun:
    analyses = [run.analysis for run in runs]
    spectra = [one.spectrum for one in analyses]
    gap, gap_error = _mean_with_error(
        [one.mean_gap_ev for one in analyses], [one.mean_gap_error_ev for one in analyses]
    )
    _, energy_error = _mean_with_error(
        [one.reorganization_energy_ev for one in spectra],
        [one.reorganization_energy_error_ev for one in spectra],
    )
    pooled = replace(
        analyses[0],
        spectrum=replace(pool_spectra(spectra), reorganization_energy_error_ev=float(energy_error)),
        linewidths=_pool_linewidths(analyses),
        mean_gap_ev=float(gap),
        mean_gap_error_ev=float(gap_error),
    )
    return DotRun(runs[0].label, pooled)


def _pool_linewidths(analyses: Sequence[DotAnalysis]) -> LinewidthTable:
    tables = [one.linewidths for one in analyses]
    classical, classical_error = _mean_with_error(
        [table.classical_ev for table in tables], [table.classical_error_ev for table in tables]
    )
    quantum, quantum_error = _mean_with_error(
        [table.quantum_ev for table in tables], [table.quantum_error_ev for table in tables]
    )
    variance = np.mean([table.from_variance_ev for table in tables], axis=0)
    return replace(
        analyses[0].linewidths,
        classical_ev=classical,
        classical_error_ev=classical_error,
        quantum_ev=quantum,
        quantum_error_ev=quantum_error,
        from_variance_ev=variance,
        consistency=float(np.max(np.abs(classical - variance) / classical)),
    )


def _mean_with_error(
    values: Sequence[float | NDArray[np.float64]], errors: Sequence[float | NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Mean over runs, and its error; shape ``(2, ...)``.

    The error is that of their scatter, with Student's factor for so few, and not less than what the
    errors of the runs give together: two runs may agree by chance.
    """
    samples, own = np.array(values, dtype=np.float64), np.array(errors, dtype=np.float64)
    n = len(samples)
    scatter = samples.std(axis=0, ddof=1) / np.sqrt(n) * float(stdtrit(n - 1, _ONE_SIGMA))
    together = np.sqrt(np.sum(own**2, axis=0)) / n
    return np.stack([samples.mean(axis=0), np.fmax(scatter, together)])

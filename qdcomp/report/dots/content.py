"""What a report is made of: a structure, analysed runs, published numbers, jobs and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qdcomp.analysis import DotAnalysis, HuangRhysSpectrum, ModeCoupling
from qdcomp.structures import Structure


@dataclass(frozen=True)
class DotRun:
    """One analysed trajectory.

    Attributes
    ----------
    label
        What tells it from the other runs of the report, ``10 K`` or ``two-cell shell frozen``.
    analysis
        Its observables.
    modes
        Coupling of the normal modes, the route without a trajectory; None where it was not taken.
    harmonic
        Spectrum of the exact harmonic motion: the same route where a degenerate level at the gap
        leaves no gradient; None where it was not taken.
    """

    label: str
    analysis: DotAnalysis
    modes: ModeCoupling | None = None
    harmonic: HuangRhysSpectrum | None = None


@dataclass(frozen=True)
class PublishedRow:
    """One number beside the published one.

    Attributes
    ----------
    quantity, unit
        What is compared, and its unit ("" for a pure number).
    ours, our_error
        The calculated value and its standard error; None where there is none.
    published, published_error
        The printed value, and its error; the error is None where none is printed.
    where
        Paper and table or figure.
    """

    quantity: str
    unit: str
    ours: float | None
    our_error: float | None
    published: float
    where: str
    published_error: float | None = None


@dataclass(frozen=True)
class JobRow:
    """One job of the study.

    Attributes
    ----------
    name, state
        As the launchpad has them.
    steps
        Optimizer or molecular-dynamics steps done; None where it is none of these.
    walltime_s
        Time it ran [s]; None where unknown.
    corrections
        What the handlers changed to get it through, one line each.
    """

    name: str
    state: str
    steps: int | None = None
    walltime_s: float | None = None
    corrections: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportInput:
    """Everything that a report shows.

    Attributes
    ----------
    title
        Title of the page.
    engine_name, engine_version
        The code that computed it.
    is_surrogate
        True where the engine stands in for a first-principles code; every figure says so.
    surrogate_note
        How far the surrogate is to be trusted, one or two sentences.
    structure
        The relaxed structure; None where it is not known.
    runs
        Analysed trajectories, one per temperature or per case.
    published
        Rows of the comparison with the papers.
    provenance
        From the study file to the parameters of the analysis, nested; also written as
        ``provenance.json``.
    warnings
        What the reader should know, beside the warnings of the runs and of the structure.
    jobs
        Jobs of the study.
    """

    title: str
    engine_name: str
    engine_version: str
    is_surrogate: bool = False
    surrogate_note: str = ""
    structure: Structure | None = None
    runs: tuple[DotRun, ...] = ()
    published: tuple[PublishedRow, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    jobs: tuple[JobRow, ...] = ()


@dataclass(frozen=True)
class MadeReport:
    """A report that was written.

    Attributes
    ----------
    path
        The page.
    headline
        The main results, a line each.
    warnings
        What the user should know.
    """

    path: Path
    headline: tuple[str, ...]
    warnings: tuple[str, ...]

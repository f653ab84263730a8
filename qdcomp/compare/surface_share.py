"""The surface's share of the linewidth, by three routes.

    frozen shell        1 − Γ_frozen / Γ_free                 outer cells held still
    core/shell          1 − Γ_core/shell / Γ_core             outer cells made of another crystal
    mode participation  1 − √(1 − f),  f = Σ_k p_k Λ_k / Σ_k Λ_k

with p_k the share Σ|e_{k,i}|² of the outer cells in mode k. Γ ∝ √(ΛT) (PHYSICS.md section 4), so
that at one temperature Γ₁/Γ₀ = √(Λ₁/Λ₀) and the share of Λ is 1 − (Γ₁/Γ₀)². Frozen shells: Rainò
et al. 2022, SI Fig. 7; core/shell: SI Table 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from qdcomp.analysis import DotAnalysis, HuangRhysSpectrum, ModeCoupling, pool_spectra
from qdcomp.compare.surface_agreement import Agreement, judge_routes
from qdcomp.compare.surface_entries import (
    CORE_SHELL,
    FROZEN,
    MODES,
    SurfaceShare,
    convert_coupling_share,
    describe_cells,
    make_share,
)
from qdcomp.compare.surface_published import list_published_shares
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

DEFAULT_CELLS = 1.0
"""Outer unit cells that are the surface where no other route says."""

SAME_EDGE = 0.05
"""Relative difference in atoms up to which two dots may be of one edge: charged and neutral dots
differ by 1 to 3 %, a shell of one cell around the same core about doubles them or more."""

WHOLE = 1e-3
"""Share of the modes that the layers may lack before the user is told."""

SEEDS_NOTE = (
    "the runs are taken for independent; where they share a seed and move alike, the true error is "
    "smaller"
)
"""What the error of a ratio of two runs rests on."""


@dataclass(frozen=True)
class DotRuns:
    """Runs of one dot, with different seeds.

    Attributes
    ----------
    label
        The dot in a few words.
    source
        Calculated with what.
    analyses
        One or more, at one temperature.
    edge_nm
        Edge of the dot [nm]; None where unknown.
    """

    label: str
    source: str
    analyses: Sequence[DotAnalysis]
    edge_nm: float | None = None


@dataclass(frozen=True)
class DotModes:
    """Coupling of a free dot to its normal modes, with the layers as groups.

    Attributes
    ----------
    label, source, edge_nm
        As of `DotRuns`.
    coupling
        With groups named ``layer 0.0 CsBr``, ``layer 0.5 PbBr2``, …
    """

    label: str
    source: str
    coupling: ModeCoupling
    edge_nm: float | None = None


@dataclass(frozen=True)
class CoreShellRuns:
    """A core/shell dot and the dot without a shell that it is held against.

    Attributes
    ----------
    core, core_shell
        Their runs.
    shell_cells
        Thickness of the shell [unit cells].
    same
        What the two have in common, the ``core`` or the outer ``edge`` (as in Rainò et al. 2022).
    """

    core: DotRuns
    core_shell: DotRuns
    shell_cells: float
    same: Literal["core", "edge"] = "core"


@dataclass(frozen=True)
class SurfaceShares:
    """The surface's share by all routes.

    Attributes
    ----------
    own
        The user's, each route once or more; a route that is not available with its reason.
    published
        The paper's; empty where not wanted.
    agreement
        Whether the routes agree, and how far one's own are from the paper's.
    """

    own: tuple[SurfaceShare, ...]
    published: tuple[SurfaceShare, ...]
    agreement: Agreement


@dataclass(frozen=True)
class SurfaceRoutes:
    """What there is of each route.

    Attributes
    ----------
    free
        The dot whose atoms all move.
    frozen
        The same dot by the thickness of its frozen shell [unit cells].
    modes
        Its normal modes.
    core_shell
        Core/shell dots and their cores.
    """

    free: DotRuns | None = None
    frozen: Mapping[float, DotRuns] = field(default_factory=dict)
    modes: DotModes | None = None
    core_shell: Sequence[CoreShellRuns] = ()


def compute_surface_shares(routes: SurfaceRoutes, published: bool = True) -> SurfaceShares:
    """Compute the surface's share of linewidth and Λ by each route, and whether they agree.

    Errors follow from those of Λ, δr = ½ r √((δΛ₁/Λ₁)² + (δΛ₀/Λ₀)²) for r = Γ₁/Γ₀. Normal modes are
    not sampled, and their share has none.

    Parameters
    ----------
    routes
        Runs and modes.
    published
        Whether the paper's shares stand beside.

    Raises
    ------
    InputError
        If two dots of one route are of different temperatures, a frozen dot is another than the
        free one, a core/shell dot does not share with its core what it is said to, or a thickness
        is not positive.
    """
    own = (*_compute_frozen(routes), *_compute_modes(routes), *_compute_core_shell(routes))
    beside = list_published_shares() if published else ()
    return SurfaceShares(own, beside, judge_routes(own, beside))


def _compute_frozen(routes: SurfaceRoutes) -> tuple[SurfaceShare, ...]:
    if routes.free is None or not routes.frozen:
        missing = "run of the free dot" if routes.free is None else "run with a frozen shell"
        return (_leave_out(FROZEN, f"no {missing} was given"),)
    shares = []
    for cells, held in sorted(routes.frozen.items()):
        _check_frozen(routes.free, held)
        definition = (
            f"1 − Γ_frozen/Γ_free with the {describe_cells(cells)} held still; the exciton still "
            "reaches into them"
        )
        shares.append(_divide(FROZEN, held, routes.free, cells, definition))
    return tuple(shares)


def _compute_core_shell(routes: SurfaceRoutes) -> tuple[SurfaceShare, ...]:
    if not routes.core_shell:
        return (_leave_out(CORE_SHELL, "no core/shell dot with its core was given"),)
    for pair in routes.core_shell:
        _check_core_shell(pair)
    return tuple(
        _divide(
            CORE_SHELL,
            pair.core_shell,
            pair.core,
            pair.shell_cells,
            f"1 − Γ_core/shell/Γ_core of dots of the same {pair.same}, the "
            f"{describe_cells(pair.shell_cells)} of another crystal, into which the exciton "
            "reaches less",
        )
        for pair in routes.core_shell
    )


def _compute_modes(routes: SurfaceRoutes) -> tuple[SurfaceShare, ...]:
    if routes.modes is None:
        reason = (
            "no coupling to normal modes was given (a dot whose levels at the gap are degenerate "
            "has none, mode by mode)"
        )
        return (_leave_out(MODES, reason),)
    depths = {*routes.frozen, *(pair.shell_cells for pair in routes.core_shell)}
    return tuple(_weigh_modes(routes.modes, cells) for cells in sorted(depths or {DEFAULT_CELLS}))


def _leave_out(route: str, reason: str) -> SurfaceShare:
    return SurfaceShare(route, "", "", None, None, None, reason)


def _pool(runs: DotRuns) -> HuangRhysSpectrum:
    """Huang–Rhys spectrum of the dot, the mean over the seeds.

    Raises
    ------
    InputError
        If there is no run, or the runs do not belong together.
    """
    spectra = [analysis.spectrum for analysis in runs.analyses]
    if not spectra:
        raise InputError(f"{runs.label} has no run; give one or more")
    return spectra[0] if len(spectra) == 1 else pool_spectra(spectra)


def _check_frozen(free: DotRuns, held: DotRuns) -> None:
    for analysis in free.analyses:
        if analysis.n_free_atoms != analysis.n_atoms:
            raise InputError(
                f"{free.label} has {analysis.n_atoms - analysis.n_free_atoms} frozen atoms; "
                "expected the dot whose atoms all move"
            )
    for analysis in held.analyses:
        if analysis.n_free_atoms == analysis.n_atoms:
            raise InputError(f"{held.label} has no frozen atom; expected a frozen shell")
        if any(analysis.n_atoms != other.n_atoms for other in free.analyses):
            raise InputError(
                f"{held.label} has {analysis.n_atoms} atoms and {free.label} "
                f"{free.analyses[0].n_atoms}; both must be the same dot"
            )


def _check_core_shell(pair: CoreShellRuns) -> None:
    """Refuse two dots that cannot have in common what they are said to."""
    for shelled in pair.core_shell.analyses:
        for bare in pair.core.analyses:
            close = abs(shelled.n_atoms - bare.n_atoms) <= SAME_EDGE * bare.n_atoms
            if close != (pair.same == "edge"):
                raise InputError(
                    f"{pair.core_shell.label} has {shelled.n_atoms} atoms and {pair.core.label} "
                    f"{bare.n_atoms}: they are not of the same {pair.same}; say which they share"
                )


def _divide(
    route: str, less: DotRuns, whole: DotRuns, cells: float, definition: str
) -> SurfaceShare:
    """Share that the narrower of two dots lacks of the other."""
    narrow, wide = _pool(less), _pool(whole)
    if not math.isclose(narrow.temperature_k, wide.temperature_k, abs_tol=1e-6):
        raise InputError(
            f"{route}: {less.label} is at {narrow.temperature_k:g} K and {whole.label} at "
            f"{wide.temperature_k:g} K; run both at one temperature"
        )
    ratio = narrow.reorganization_energy_ev / wide.reorganization_energy_ev
    relative = math.hypot(
        *(
            one.reorganization_energy_error_ev / one.reorganization_energy_ev
            for one in (narrow, wide)
        )
    )
    width = math.sqrt(ratio)
    notes = [SEEDS_NOTE]
    if ratio > 1.0:
        notes.append(f"{less.label} is wider than {whole.label}: no share of the surface shows")
    notes += [
        f"{runs.label}: {text}"
        for runs, spectrum in ((less, narrow), (whole, wide))
        for text in spectrum.warnings
    ]
    return make_share(
        route,
        f"{less.label} against {whole.label}",
        definition,
        cells,
        Estimate(1.0 - width, 0.5 * width * relative),
        Estimate(1.0 - ratio, ratio * relative),
        source=less.source if less.source == whole.source else f"{less.source}; {whole.source}",
        temperature_k=wide.temperature_k,
        edge_nm=less.edge_nm,
        notes=tuple(notes),
    )


def _weigh_modes(modes: DotModes, cells: float) -> SurfaceShare:
    """Share of the outer cells in the modes, weighted with Λ_k."""
    shares = modes.coupling.coupled_participation
    depths = {name: _read_depth(name) for name in shares if name.startswith("layer ")}
    outer = [name for name, depth in depths.items() if depth is not None and depth < cells]
    if not outer:
        return _leave_out(MODES, f"the modes of {modes.label} were not told apart by layers")
    share = min(sum(shares[name] for name in outer), 1.0)
    notes = ["harmonic, at the relaxed structure: not sampled, so without a sampling error"]
    lacking = 1.0 - sum(shares[name] for name, depth in depths.items() if depth is not None)
    if lacking > WHOLE:
        notes.append(f"{lacking:.1%} of the coupled modes is on atoms of no layer")
    definition = (
        f"1 − √(1 − f), f the share of the {describe_cells(cells)} in the normal modes of the free "
        "dot, weighted with Λ of each; nothing is held or replaced"
    )
    return make_share(
        MODES,
        modes.label,
        definition,
        cells,
        convert_coupling_share(share),
        Estimate(share, math.nan),
        source=modes.source,
        temperature_k=None,
        edge_nm=modes.edge_nm,
        notes=(*notes, *modes.coupling.warnings),
    )


def _read_depth(name: str) -> float | None:
    """Depth of a layer from its name [unit cells]; None for atoms on no site."""
    try:
        return float(name.split()[1])
    except ValueError:
        return None

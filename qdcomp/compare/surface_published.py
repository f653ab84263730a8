"""The paper's shares of the surface: frozen shell and core/shell (Rainò et al. 2022)."""

from __future__ import annotations

import math

from qdcomp.compare.published import find_coupling_row, find_published
from qdcomp.compare.surface_entries import (
    CORE_SHELL,
    FROZEN,
    MODES,
    SurfaceShare,
    describe_cells,
    make_share,
)
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate

ENTRY = "raino2022.frozen_shell_2p9nm_300K"
FROZEN_EDGE_NM, FROZEN_CELLS = 2.9, 2.0
"""Edge [nm] and frozen shell [unit cells] of the dot of the entry."""

CORE_SHELL_CELLS, CORE_SHELL_EDGE_NM, SHELL_CELLS = 6, 3.6, 1.0
"""Cells along the edge, edge [nm] and shell [unit cells] of the core/shell dot."""

TEMPERATURE_K = 300.0
"""Temperature of both [K]."""


def list_published_shares() -> tuple[SurfaceShare, ...]:
    """List what the paper's linewidths give, by the definitions used for one's own; no errors.

    Raises
    ------
    InputError
        If the collection lacks a linewidth.
    """
    absent = SurfaceShare(MODES, "", "", None, None, None, "the paper has no share by modes")
    return _read_frozen(), absent, _read_core_shell()


def _read_frozen() -> SurfaceShare:
    found = find_published(ENTRY)
    free, held = (float(found.value[key]) for key in ("free_fwhm_mev", "frozen_two_cells_fwhm_mev"))
    return make_share(
        FROZEN,
        f"{FROZEN_EDGE_NM} nm dot, {held:g} meV against {free:g} meV",
        f"1 − Γ_frozen/Γ_free with the {describe_cells(FROZEN_CELLS)} held still; widths of the "
        "gap's histogram",
        FROZEN_CELLS,
        Estimate(1.0 - held / free, math.nan),
        Estimate(1.0 - (held / free) ** 2, math.nan),
        source=f"raino2022, {found.where}",
        temperature_k=TEMPERATURE_K,
        edge_nm=FROZEN_EDGE_NM,
        notes=(),
        published=True,
    )


def _read_core_shell() -> SurfaceShare:
    core = find_coupling_row(CORE_SHELL_CELLS)
    shell = find_coupling_row(CORE_SHELL_CELLS, core_shell=True)
    if core is None or shell is None:
        raise InputError("the published table of couplings lacks the 3.6 nm dots")
    return make_share(
        CORE_SHELL,
        f"3.6 nm dots, {shell.fwhm_300k_mev:g} meV against {core.fwhm_300k_mev:g} meV",
        f"1 − Γ_core/shell/Γ_core of dots of the same edge, the {describe_cells(SHELL_CELLS)} of "
        "CsCaBr3",
        SHELL_CELLS,
        Estimate(1.0 - shell.fwhm_300k_mev / core.fwhm_300k_mev, math.nan),
        Estimate(1.0 - shell.reorganization_energy_ev / core.reorganization_energy_ev, math.nan),
        source=f"raino2022, {core.where}",
        temperature_k=TEMPERATURE_K,
        edge_nm=CORE_SHELL_EDGE_NM,
        notes=("Λ from the printed Huang-Rhys factors",),
        published=True,
    )

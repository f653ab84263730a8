"""Calculation beside measurement: observables of either side, and how far they are apart."""

from qdcomp.compare.ligand_calculations import LigandCalculation
from qdcomp.compare.ligand_measurements import LigandMeasurement
from qdcomp.compare.ligands import LigandComparison, compare_ligands
from qdcomp.compare.lineshapes import (
    LineshapeComparison,
    compare_lineshape,
    compute_published_lineshape,
)
from qdcomp.compare.linewidths import LinewidthComparison, compare_linewidths
from qdcomp.compare.measured_linewidths import observe_fitted_line, read_measured_linewidths
from qdcomp.compare.observable import (
    Difference,
    Observable,
    compare_observables,
    convert_observable,
)
from qdcomp.compare.published import (
    PublishedCoupling,
    PublishedValue,
    check_reference,
    find_coupling_row,
    find_published,
    load_coupling_table,
    load_published,
)
from qdcomp.compare.published_linewidths import list_published_linewidths
from qdcomp.compare.sizes import compute_gap_shift, estimate_dot_peak
from qdcomp.compare.surface_share import SurfaceRoutes, SurfaceShares, compute_surface_shares
from qdcomp.compare.temperature import (
    compute_published_temperature_dependence,
    compute_temperature_dependence,
    convert_linewidth,
)
from qdcomp.compare.verdict import state_verdict

__all__ = [
    "Difference",
    "LigandCalculation",
    "LigandComparison",
    "LigandMeasurement",
    "LineshapeComparison",
    "LinewidthComparison",
    "Observable",
    "PublishedCoupling",
    "PublishedValue",
    "SurfaceRoutes",
    "SurfaceShares",
    "check_reference",
    "compare_ligands",
    "compare_lineshape",
    "compare_linewidths",
    "compare_observables",
    "compute_gap_shift",
    "compute_published_lineshape",
    "compute_published_temperature_dependence",
    "compute_surface_shares",
    "compute_temperature_dependence",
    "convert_linewidth",
    "convert_observable",
    "estimate_dot_peak",
    "find_coupling_row",
    "find_published",
    "list_published_linewidths",
    "load_coupling_table",
    "load_published",
    "observe_fitted_line",
    "read_measured_linewidths",
    "state_verdict",
]

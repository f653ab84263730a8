# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How wide is the emission line of a CsPbBr3 dot, and why do smaller dots have wider ones?
#
# The gap of a dot is followed over a 10 ps trajectory at 10 K. Its fluctuations give the coupling
# to phonons (Huang–Rhys factors S, reorganization energy Λ), and that gives the linewidth,
# Γ(T) = 2√(2 ln 2) √(2ΛkT): Rainò et al., Nat. Commun. 13, 2587 (2022).

# %%
import math

from drawing import show
from stored_results import load_dot

from qdcomp.compare import find_coupling_row
from qdcomp.compare.linewidths import compare_linewidths
from qdcomp.compare.observable import compare_observables
from qdcomp.compare.published_linewidths import list_published_linewidths
from qdcomp.report.comparisons.calculated_dots import observe_linewidths
from qdcomp.report.comparisons.linewidth_comparison_panels import draw_linewidths
from qdcomp.report.dots.comparison_panels import linewidth_temperature_panel
from qdcomp.report.dots.content import DotRun
from qdcomp.report.dots.coupling_panels import coupling_panels
from qdcomp.report.dots.dynamics_panels import gap_trace_panel
from qdcomp.report.pages.number_text import format_measured

ENGINE = "model"  # or "cp2k", "vasp": what is not stored is run, which takes a cluster

# %% [markdown]
# ## The coupling of the smallest dot
#
# The gap against time, and which phonons move it.

# %%
dots = [load_dot(f"raino2022_dot_{size}", ENGINE) for size in ("1p8nm", "2p4nm", "2p9nm", "3p6nm")]
smallest, largest = dots[0], dots[-1]
caution = f"{smallest.source}: no DFT" if smallest.is_surrogate else ""
show(gap_trace_panel(smallest.analysis), coupling_panels(smallest.analysis)[1], note=caution)

# %% [markdown]
# ## Linewidth against temperature and size
#
# Beside the published calculation, with the same formula from its own Huang–Rhys factors.

# %%
widths = observe_linewidths(dots, temperature_k=300.0)
comparison = compare_linewidths([*widths, *list_published_linewidths("calculated")])
show(
    linewidth_temperature_panel([DotRun(smallest.label, smallest.analysis)]),
    draw_linewidths(comparison, "edge"),
    note=caution,
)

# %% [markdown]
# ## The answer


# %%
def format_energy(part):
    """Write the reorganization energy of a spectrum or of one of its bands in meV."""
    energy, error = part.reorganization_energy_ev, part.reorganization_energy_error_ev
    return format_measured(1e3 * energy, 1e3 * error, "meV")


first, last = widths[0], widths[-1]
fall = first.value / last.value
fall_error = fall * math.hypot(first.error / first.value, last.error / last.value)
small, large = (dot.analysis.spectrum for dot in (smallest, largest))
bands = ", ".join(f"{format_energy(band)} around {band.name}" for band in small.bands)
printed = {point.label: point for point in list_published_linewidths("calculated")}
apart = compare_observables(first, printed[find_coupling_row(smallest.structure.cells).dot])
print(
    f"With {first.source} the line at 300 K narrows {format_measured(fall, fall_error)} times, "
    f"from {format_measured(first.value, first.error, 'meV')}, {first.label}, to "
    f"{format_measured(last.value, last.error, 'meV')}, {last.label}: the coupling to phonons "
    f"falls from Λ = {format_energy(small)} to {format_energy(large)}. That of the smallest is "
    f"{bands}. The published PBE width of the {apart.second.label} dot is "
    f"{apart.second.value:.0f} meV, {format_measured(-apart.value, apart.error, 'meV')} more."
)

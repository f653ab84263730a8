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
# # Rainò et al. 2022: is it the surface that makes the line of a CsPbBr3 dot broad?
#
# Nat. Commun. 13, 2587 (2022): the linewidth falls with size and under a shell, and holding the
# outer unit cells still takes most of it away. Here: the paper's widths from its Huang–Rhys
# factors alone, and the same dots with an engine of yours.

# %%
from dataclasses import replace

from drawing import show
from stored_results import load_dot

from qdcomp.compare import find_published, load_coupling_table
from qdcomp.compare.lineshapes import compute_published_lineshape
from qdcomp.compare.linewidths import compare_linewidths
from qdcomp.compare.published_linewidths import list_published_linewidths
from qdcomp.compare.surface_share import compute_surface_shares
from qdcomp.report.comparisons.calculated_dots import find_surface_routes, observe_linewidths
from qdcomp.report.comparisons.linewidth_comparison_panels import (
    draw_linewidths,
    draw_surface_shares,
)
from qdcomp.report.dots.dynamics_panels import gap_histogram_panel
from qdcomp.report.pages.number_text import format_measured

ENGINE = "model"  # or "cp2k", "vasp": what is not stored is run, which takes a cluster

# %% [markdown]
# ## SI Table 1: the linewidth from the Huang–Rhys factors alone
#
# The full emission line at 300 K of three phonons with the printed factors, beside the printed
# width.

# %%
deviations = []
for row in load_coupling_table():
    fwhm_mev = 1e3 * compute_published_lineshape(row, 300.0).fwhm_ev
    deviations.append(fwhm_mev / row.fwhm_300k_mev - 1.0)
    print(f"{row.dot}: {fwhm_mev:.1f} meV, printed {row.fwhm_300k_mev:g} meV")

# %% [markdown]
# ## Fig. 2: linewidth against size, with core/shell

# %%
names = ("dot_1p8nm", "dot_2p4nm", "dot_2p9nm", "dot_3p6nm", "core_shell_3p6nm")
dots = [load_dot(f"raino2022_{name}", ENGINE) for name in names]
caution = f"{dots[0].source}: no DFT" if dots[0].is_surrogate else ""
widths = [*observe_linewidths(dots, 300.0), *list_published_linewidths("calculated")]

# %% [markdown]
# ## SI Fig. 7: the dot of 2.9 nm at 300 K, free and with its outer cells held still

# %%
names = ("mobility_2p9nm", "frozen_shell_1p0", "frozen_shell_2p0")
free, one_cell, two_cells = (load_dot(f"raino2022_{name}", ENGINE) for name in names)
show(
    *(
        replace(gap_histogram_panel(dot.analysis), title=f"Gap of {dot.label}")
        for dot in (free, two_cells)
    ),
    note=caution,
)
shares = compute_surface_shares(find_surface_routes([free, one_cell, two_cells, *dots[3:]]))
show(draw_linewidths(compare_linewidths(widths), "edge"), draw_surface_shares(shares), note=caution)


# %% [markdown]
# ## The answer
# %%
def describe_gap(dot):
    """Give the width of the distribution of the gap."""
    histogram = dot.analysis.gap_histogram
    return format_measured(1e3 * histogram.fwhm_ev, 1e3 * histogram.fwhm_error_ev, "meV")


worst = max(deviations, key=abs)
frozen = find_published("raino2022.frozen_shell_2p9nm_300K").value
print(
    f"With {free.source} the gap is spread over {describe_gap(free)} ({free.label}), and over "
    f"{describe_gap(two_cells)} while its two outer cells are held still (paper: "
    f"{frozen['free_fwhm_mev']} and {frozen['frozen_two_cells_fwhm_mev']} meV). "
    f"{shares.agreement.sentence} The paper's widths follow from its Huang–Rhys factors within "
    f"{100.0 * abs(worst):.1f} %."
)

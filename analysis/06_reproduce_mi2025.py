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
# # Mi et al. 2025: does the more stable, better packed ligand shell blink less?
#
# Nat. Commun. (2025): PEA, whose rings stack, covers the surface of CsPbBr3 fully and its dots
# hardly blink; DDA, whose tails crowd each other, does not and its dots do. Here: the binding
# energies by CP2K, beside dots that are simulated from the paper's Fig. 2 and analysed as a
# measurement would be. The stored ΔG(N) is that of a stand-in for VASP, **not a DFT result**: it
# is drawn, and takes no part in the answer.

# %%
from dataclasses import replace

from drawing import show
from stored_results import load_cp2k_binding, load_surface

from qdcomp.compare import find_published
from qdcomp.compare.ligand_calculations import LigandCalculation
from qdcomp.compare.ligand_entries import ON_FRACTION
from qdcomp.compare.ligand_measurements import LigandMeasurement
from qdcomp.compare.ligands import compare_ligands
from qdcomp.experiment import SimulatedSource
from qdcomp.experiment.attempts import Attempts
from qdcomp.experiment.blinking.blinking_analysis import analyse_blinking
from qdcomp.experiment.blinking.blinking_statistics import summarise_blinking
from qdcomp.experiment.simulation.simulated_presets import make_mi_dda_preset, make_mi_pea_preset
from qdcomp.report.comparisons.ligand_comparison import tabulate_ligands
from qdcomp.report.measurements.blinking_panels import draw_trace
from qdcomp.report.pages.estimate_text import format_estimate
from qdcomp.report.surfaces.surface_panels import surface_energy_panels

ENGINE = "vasp stand-in"  # or "vasp", "cp2k": what is not stored is run, which takes a cluster
LIGANDS = ("pea",)  # and "dda", whose crowded tails the stand-in does not relax
DURATION_S = 30.0  # the paper's is 60 s

# %% [markdown]
# ## Fig. 1c–d: the shell

# %%
shells = [load_surface(f"mi2025_{name}_surface_energy", ENGINE) for name in LIGANDS]
caution = shells[0].runs[0].caution
show(*(surface_energy_panels(shell)[0] for shell in shells), note=caution)
calculated = [
    LigandCalculation(shell.ligand, ENGINE, shell.runs[0].curve, entropy=shell.runs[0].entropy)
    for shell in shells
    if not shell.runs[0].caution
]
bindings = {name: load_cp2k_binding(name) for name in ("PEA", "DDA_C2")}
calculated += [
    LigandCalculation(name, source="CP2K, PBE-D3(BJ)", binding=binding)
    for name, binding in bindings.items()
]

# %% [markdown]
# ## Fig. 2: the dots under it

# %%
presets = {"PEA": make_mi_pea_preset(), "DDA": make_mi_dda_preset()}
blinking = {
    name: analyse_blinking(
        SimulatedSource(preset.dot, preset.experiment, DURATION_S, seed=1), Attempts()
    )
    for name, preset in presets.items()
}
show(
    *(
        replace(draw_trace(found), title=f"Blinking under {name}")
        for name, found in blinking.items()
    ),
    note="Simulated from the paper's numbers, not measured",
)
measured = [
    LigandMeasurement(name, source="simulated", dots=[summarise_blinking(found)])
    for name, found in blinking.items()
]

# %% [markdown]
# ## Shell and dots in one table

# %%
comparison = compare_ligands(calculated, measured)
for ligand, quantity, own, printed, _ in tabulate_ligands(comparison).rows:
    print(f"{ligand:4} {quantity:34} {own:17} {printed}")

# %% [markdown]
# ## The answer


# %%
def describe(name):
    """Say how a simulated dot blinks, beside what the paper prints of it."""
    found, printed = blinking[name], presets[name].printed
    return (
        f"{name} {format_estimate(found.states.on_fraction, '%', 100.0)} of the time ON "
        f"(paper {100.0 * printed['on_fraction']:.1f} %), Mandel Q "
        f"{format_estimate(found.mandel.gaussian)} (paper {printed['mandel_q']:g})"
    )


whose = "; ".join(
    f"{answer.shell}: {'here' if answer.shell_side == 'own' else 'published'}"
    for answer in comparison.answers
    if answer.dots == ON_FRACTION
)
printed = find_published("mi2025.binding_energy_ev").value
same_order = (bindings["PEA"].value_ev > bindings["DDA_C2"].value_ev) == (
    printed["PEA"] > printed["DDA_truncated"]
)
print(
    f"{comparison.verdict} (Shells, {whose}.) By CP2K one PEA is bound by "
    f"{bindings['PEA'].value_ev:.2f} eV and one DDA_C2 by {bindings['DDA_C2'].value_ev:.2f} eV; "
    f"the paper prints {printed['PEA']:.2f} and {printed['DDA_truncated']:.2f} eV, the "
    f"{'same' if same_order else 'other'} order. Of the simulated dots "
    f"{describe('PEA')}; {describe('DDA')}. ΔG(N) of {ENGINE}: "
    f"{caution or 'first principles'}{', and takes no part' if caution else ''}."
)

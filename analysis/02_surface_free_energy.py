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
# # How many ligands does the surface of CsPbBr3 hold, and how strongly?
#
# ΔG(N) of a 2×2 (100) slab under N = 0 … 8 ligands: each leaves with a Br⁻ as an ideal gas of ion
# pairs. Where ΔG(N) is lowest is the coverage that the surface takes: Mi et al., Nat. Commun.
# (2025), Fig. 1c–d. The stored energies are those of a stand-in for VASP, a pair potential that
# reads VASP's inputs and writes its outputs: **they show the way to the answer, not the answer.**
# The binding energies are real, from CP2K.

# %%
from drawing import show
from stored_results import load_cp2k_binding, load_surface

from qdcomp.compare import find_published
from qdcomp.report.surfaces.surface_panels import describe_minimum, surface_energy_panels

ENGINE = "vasp stand-in"  # or "vasp", "cp2k": what is not stored is run, which takes a cluster
LIGANDS = ("pea",)  # and "dda", whose crowded tails the stand-in does not relax

# %% [markdown]
# ## Surface free energy

# %%
contents = [load_surface(f"mi2025_{name}_surface_energy", ENGINE) for name in LIGANDS]
for content in contents:
    free_energy, _, *stable = surface_energy_panels(content)
    show(free_energy, *stable, note=content.runs[0].caution)

# %% [markdown]
# ## Binding energy of one ligand, with CP2K
#
# PBE-D3(BJ), corrected for the basis sets, on 2×2×1 k-points: `validation/mi2025_binding_cp2k`.

# %%
bindings = {name: load_cp2k_binding(name) for name in ("PEA", "DDA_C2")}
published = find_published("mi2025.binding_energy_ev")
for (name, binding), key in zip(bindings.items(), ("PEA", "DDA_truncated"), strict=True):
    print(f"{name}: {binding.value_ev:.2f} eV, paper {published.value[key]:.2f} eV")

# %% [markdown]
# ## The answer

# %%
minima = find_published("mi2025.coverage_minimum").value
keys = {"PEA": "PEA", "DDA_C8": "DDA_truncated"}
curves = "; ".join(
    f"{content.ligand} {describe_minimum(content.runs[0].curve)} (paper: N = "
    f"{minima[keys[content.ligand]]})"
    for content in contents
)
own = " and ".join(f"{binding.value_ev:.2f} eV ({name})" for name, binding in bindings.items())
print(
    f"Of {minima['of']} sites with {ENGINE} ({contents[0].runs[0].caution or 'first principles'}): "
    f"{curves}. With CP2K (PBE-D3, real) one ligand is bound by {own}, without an error; the paper "
    f"prints {published.value['PEA']:.2f} and {published.value['DDA_truncated']:.2f} eV."
)

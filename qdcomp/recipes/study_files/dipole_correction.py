"""Whether the slabs of a study are computed with a dipole correction: all of them, or none.

A slab whose sides differ has a dipole along its normal, which interacts with those of its images:
tenths of an eV for one small ligand on a 1×1 slab. An energy with the correction and one without
may only be subtracted where the slab without it has no dipole by symmetry. So the study decides,
not the structure: where one slab of an energy difference can be asymmetric, all are corrected.
"""

from __future__ import annotations

from qdcomp.recipes.study_files.surface_schema import SurfaceStudy
from qdcomp.recipes.study_files.surface_structures import build_study_slab

WITHOUT_IMAGES = "mt"
"""Poisson solver of CP2K in which a slab has no images along its normal."""


def needs_dipole_correction(study: SurfaceStudy) -> bool:
    """Whether the engine compensates the dipole of every slab of a study."""
    return bool(_name_asymmetry(study)) and not _has_no_images(study)


def describe_dipole_correction(study: SurfaceStudy) -> tuple[str, ...]:
    """Say whether the slabs of a study are corrected, and why; nothing where none is computed."""
    if study.slab is None or (study.recipe == "ligand_pair" and study.pair.geometry == "built"):
        return ()
    asymmetry = _name_asymmetry(study)
    if not asymmetry:
        return ("the slabs are computed without dipole correction: their two sides are alike",)
    if _has_no_images(study):
        return (
            "the slabs are computed without dipole correction: the Poisson solver "
            f"{WITHOUT_IMAGES} leaves them no images along their normal",
        )
    return (
        f"all slabs are computed with the dipole correction along their normal, for {asymmetry}; "
        "energies with and without it do not go into one difference",
    )


def _has_no_images(study: SurfaceStudy) -> bool:
    return study.engine == "cp2k" and study.engine_settings.get("poisson_solver") == WITHOUT_IMAGES


def _name_asymmetry(study: SurfaceStudy) -> str:
    """Say how the two sides of a slab of a study can differ; empty where they cannot."""
    if study.slab is None:
        return ""
    slab = build_study_slab(study)
    if "/" in slab.termination:
        above, below = slab.termination.split("/")
        return f"they end in {above} above and in {below} below"
    if study.recipe == "ligand_binding":
        return "the one ligand is on one side"
    if study.slab.sides == "one":
        return "ligands are on one side alone"
    if study.recipe != "surface_energy":
        return ""
    n_sites = len(slab.sites)
    bound = study.coverage.bound or range(n_sites + 1)
    partial = [number for number in bound if 0 < number < n_sites]
    return f"with {partial[0]} of {n_sites} ligands their sides differ" if partial else ""

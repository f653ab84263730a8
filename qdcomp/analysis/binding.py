"""Binding energy of one ligand.

    E_b = E(slab − LBr) + E(LBr, gas) − E(slab with L) > 0 when bound

(PHYSICS.md section 6). The reference ``separate ions`` puts E(L⁺) + E(Br⁻) in place of E(LBr). With
a basis of local functions the counterpoise correction (Boys and Bernardi, Mol. Phys. 19, 553, 1970)
removes what each fragment gains from the functions of the other,

    E_b = Σ_f [E_f(ghosts) − E_f] + Σ_f E_f − E(slab with L) − Σ_f [E_f − E_f(relaxed)]

where f runs over the fragments, E_f is the fragment as it stands in the complex, in its own basis
or with the ghosts of the other, and the last sum is the deformation that binding costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qdcomp.errors import InputError

REFERENCES = ("ion pair", "separate ions")
"""What the ligand comes from: the gas of LBr, or free L⁺ and Br⁻."""

SURFACE, ADSORBATE = "surface", "adsorbate"
"""The fragments of a complex: the slab without LBr, and LBr."""


@dataclass(frozen=True)
class FragmentEnergy:
    """A fragment with its atoms where they are in the complex.

    Attributes
    ----------
    own_basis_ev
        Energy in the basis of its own atoms [eV].
    with_ghosts_ev
        Energy with the basis functions of the other fragment's atoms there too [eV].
    """

    own_basis_ev: float
    with_ghosts_ev: float


@dataclass(frozen=True)
class BindingEnergy:
    """Binding energy of one ligand and what it is made of.

    Attributes
    ----------
    value_ev, error_ev
        E_b [eV], positive when bound, with the counterpoise correction where there is one; the
        error is None unless the energies came with theirs.
    uncorrected_ev
        E_b without the counterpoise correction [eV].
    counterpoise_ev
        Σ [E_f − E_f(ghosts)] ≥ 0, by which ``value_ev`` is below ``uncorrected_ev`` [eV].
    dispersion_ev
        Part of ``uncorrected_ev`` that is the dispersion correction's [eV].
    reference
        ``ion pair`` or ``separate ions``.
    energies_ev
        The total energies that went in, by name [eV].
    terms_ev
        Contributions that add up to ``value_ev`` [eV]: ``interaction`` of the fragments as they
        stand, ``counterpoise``, ``deformation surface``, ``deformation adsorbate``, and, from
        separate ions, ``ion pair formation``. Empty where no fragment's energy is given.
    warnings
        What the user should know.
    """

    value_ev: float
    error_ev: float | None
    uncorrected_ev: float
    counterpoise_ev: float | None
    dispersion_ev: float | None
    reference: str
    energies_ev: Mapping[str, float]
    terms_ev: Mapping[str, float]
    warnings: tuple[str, ...]


def compute_binding_energy(
    *,
    complex_ev: float,
    without_ev: float,
    ion_pair_ev: float | None = None,
    cation_ev: float | None = None,
    anion_ev: float | None = None,
    reference: str = "ion pair",
    fragments: Mapping[str, FragmentEnergy] | None = None,
    errors_ev: Mapping[str, float] | None = None,
    dispersion_ev: Mapping[str, float] | None = None,
) -> BindingEnergy:
    """Binding energy of one ligand from total energies.

    Parameters
    ----------
    complex_ev
        E(slab with L) [eV].
    without_ev
        E(slab − LBr) [eV].
    ion_pair_ev
        E(LBr) in the gas [eV]; of the reference ``ion pair``, and of the terms in any case.
    cation_ev, anion_ev
        E(L⁺) and E(Br⁻) in the gas [eV]; of the reference ``separate ions``.
    reference
        ``ion pair`` or ``separate ions``.
    fragments
        ``surface`` and ``adsorbate`` as they stand in the complex, without and with ghosts.
    errors_ev
        Standard errors by the names ``complex``, ``without``, ``ion pair``, ``cation``, ``anion``
        [eV], independent of each other; of all the energies that E_b has, or none.
    dispersion_ev
        Dispersion energy in each of the total energies, by the same names [eV].

    Raises
    ------
    InputError
        If an energy that the reference needs is missing or not finite, the reference is neither,
        or the fragments are not the two.
    """
    energies = _collect_energies(
        reference, complex_ev, without_ev, ion_pair_ev, cation_ev, anion_ev
    )
    uncorrected = _sum_signed(energies)
    counterpoise = None if fragments is None else _sum_counterpoise(fragments)
    value = uncorrected - (counterpoise or 0.0)
    terms = {} if fragments is None else _decompose(energies, fragments, ion_pair_ev)
    return BindingEnergy(
        value_ev=value,
        error_ev=_propagate(energies, errors_ev),
        uncorrected_ev=uncorrected,
        counterpoise_ev=counterpoise,
        dispersion_ev=None if dispersion_ev is None else _sum_dispersion(energies, dispersion_ev),
        reference=reference,
        energies_ev=energies,
        terms_ev=terms,
        warnings=_warn(value, fragments, terms),
    )


def _collect_energies(
    reference: str,
    complex_ev: float,
    without_ev: float,
    ion_pair_ev: float | None,
    cation_ev: float | None,
    anion_ev: float | None,
) -> dict[str, float]:
    """Return the energies that the reference needs, by name."""
    if reference not in REFERENCES:
        raise InputError(
            f"the reference is {reference!r}; expected one of {', '.join(map(repr, REFERENCES))}"
        )
    given: dict[str, float | None] = {"complex": complex_ev, "without": without_ev}
    if reference == "ion pair":
        given["ion pair"] = ion_pair_ev
    else:
        given |= {"cation": cation_ev, "anion": anion_ev}
    energies = {}
    for name, energy in given.items():
        if energy is None or not np.isfinite(energy):
            raise InputError(
                f"the energy of {name!r} is {energy}; a binding energy with the reference "
                f"{reference!r} needs {', '.join(map(repr, given))} in eV"
            )
        energies[name] = float(energy)
    return energies


def _sum_signed(values: Mapping[str, float]) -> float:
    return sum(-value if name == "complex" else value for name, value in values.items())


def _sum_counterpoise(fragments: Mapping[str, FragmentEnergy]) -> float:
    if set(fragments) != {SURFACE, ADSORBATE}:
        raise InputError(
            f"the fragments are {', '.join(sorted(fragments)) or 'none'}; expected "
            f"{SURFACE!r} and {ADSORBATE!r}"
        )
    return sum(part.own_basis_ev - part.with_ghosts_ev for part in fragments.values())


def _decompose(
    energies: Mapping[str, float],
    fragments: Mapping[str, FragmentEnergy],
    ion_pair: float | None,
) -> dict[str, float]:
    """Contributions that add up to the corrected binding energy."""
    surface, adsorbate = fragments[SURFACE], fragments[ADSORBATE]
    from_ions = "ion pair" not in energies
    ions = energies["cation"] + energies["anion"] if from_ions else energies["ion pair"]
    relaxed = ions if ion_pair is None else ion_pair
    terms = {
        "interaction": surface.own_basis_ev + adsorbate.own_basis_ev - energies["complex"],
        "counterpoise": -_sum_counterpoise(fragments),
        "deformation surface": energies["without"] - surface.own_basis_ev,
        "deformation adsorbate": relaxed - adsorbate.own_basis_ev,
    }
    if from_ions and ion_pair is not None:
        terms["ion pair formation"] = ions - ion_pair
    elif from_ions:
        terms["ion pair formation and deformation"] = terms.pop("deformation adsorbate")
    return terms


def _propagate(energies: Mapping[str, float], errors: Mapping[str, float] | None) -> float | None:
    if errors is None:
        return None
    missing = [name for name in energies if name not in errors]
    if missing:
        raise InputError(
            f"no error is given for {', '.join(missing)}; give that of every energy in the "
            "binding energy (0 if it is exact), or none"
        )
    return float(np.sqrt(sum(errors[name] ** 2 for name in energies)))


def _sum_dispersion(energies: Mapping[str, float], dispersion: Mapping[str, float]) -> float:
    missing = [name for name in energies if name not in dispersion]
    if missing:
        raise InputError(
            f"no dispersion energy is given for {', '.join(missing)}; give all or none"
        )
    return _sum_signed({name: dispersion[name] for name in energies})


def _warn(
    value: float, fragments: Mapping[str, FragmentEnergy] | None, terms: Mapping[str, float]
) -> tuple[str, ...]:
    warnings = []
    if value <= 0:
        warnings.append(f"the binding energy is {value:.3f} eV: this ligand does not bind")
    for name, part in (fragments or {}).items():
        if part.with_ghosts_ev > part.own_basis_ev:
            warnings.append(
                f"ghost functions raise the energy of the {name} by "
                f"{part.with_ghosts_ev - part.own_basis_ev:.4f} eV; more functions can only lower "
                "it: check that both are converged to the same state"
            )
    for name in ("deformation surface", "deformation adsorbate"):
        if terms.get(name, 0.0) > 0:
            warnings.append(
                f"{name.replace('deformation ', 'the ')} is lower in energy as it stands in the "
                f"complex than relaxed, by {terms[name]:.3f} eV: the relaxed one is not in its "
                "minimum"
            )
    return tuple(warnings)

import numpy as np
import pytest

from qdcomp.analysis import FragmentEnergy, compute_binding_energy
from qdcomp.errors import InputError

SLAB = {"complex_ev": -122.0, "without_ev": -100.0, "ion_pair_ev": -20.0}
FRAGMENTS = {
    "surface": FragmentEnergy(own_basis_ev=-99.7, with_ghosts_ev=-99.8),
    "adsorbate": FragmentEnergy(own_basis_ev=-19.6, with_ghosts_ev=-19.75),
}


def test_positive_is_bound():
    bound = compute_binding_energy(**SLAB)
    assert bound.value_ev == bound.uncorrected_ev == pytest.approx(2.0)
    assert bound.error_ev is None
    assert bound.counterpoise_ev is None
    assert bound.terms_ev == {}
    assert bound.warnings == ()
    loose = compute_binding_energy(**SLAB | {"complex_ev": -119.0})
    assert loose.value_ev == pytest.approx(-1.0)
    assert any("does not bind" in warning for warning in loose.warnings)


def test_separate_ions_add_what_it_costs_to_part_them():
    ions = compute_binding_energy(
        complex_ev=-122.0, without_ev=-100.0, cation_ev=-9.0, anion_ev=-7.0,
        reference="separate ions",
    )  # fmt: skip
    pair = compute_binding_energy(**SLAB)
    assert ions.value_ev - pair.value_ev == pytest.approx(-16.0 - -20.0)
    assert set(ions.energies_ev) == {"complex", "without", "cation", "anion"}


def test_counterpoise_lowers_the_binding_energy_by_what_the_ghosts_give():
    bound = compute_binding_energy(**SLAB, fragments=FRAGMENTS)
    assert bound.counterpoise_ev == pytest.approx(0.25)
    assert bound.value_ev == pytest.approx(1.75)
    assert bound.uncorrected_ev == pytest.approx(2.0)


def test_terms_add_up_to_the_binding_energy():
    pair = compute_binding_energy(**SLAB, fragments=FRAGMENTS)
    assert sum(pair.terms_ev.values()) == pytest.approx(pair.value_ev)
    assert pair.terms_ev == pytest.approx(
        {
            "interaction": 2.7,
            "counterpoise": -0.25,
            "deformation surface": -0.3,
            "deformation adsorbate": -0.4,
        }
    )
    for ion_pair in (None, -20.0):
        ions = compute_binding_energy(
            **SLAB | {"ion_pair_ev": ion_pair},
            cation_ev=-9.0,
            anion_ev=-7.0,
            reference="separate ions",
            fragments=FRAGMENTS,
        )
        assert sum(ions.terms_ev.values()) == pytest.approx(ions.value_ev)
    assert ions.terms_ev["ion pair formation"] == pytest.approx(4.0)


def test_impossible_fragments_are_told():
    raised = FRAGMENTS | {"surface": FragmentEnergy(-99.7, -99.6)}
    warnings = compute_binding_energy(**SLAB, fragments=raised).warnings
    assert any("ghost functions raise the energy of the surface" in text for text in warnings)
    below = FRAGMENTS | {"adsorbate": FragmentEnergy(-20.2, -20.3)}
    warnings = compute_binding_energy(**SLAB, fragments=below).warnings
    assert any("the adsorbate is lower" in text for text in warnings)


def test_errors_add_in_squares_and_none_is_not_zero():
    errors = {"complex": 0.03, "without": 0.04, "ion pair": 0.12}
    assert compute_binding_energy(**SLAB, errors_ev=errors).error_ev == pytest.approx(0.13)
    with pytest.raises(InputError, match="no error is given for ion pair"):
        compute_binding_energy(**SLAB, errors_ev={"complex": 0.03, "without": 0.04})


def test_dispersion_is_a_part():
    bound = compute_binding_energy(
        **SLAB, dispersion_ev={"complex": -5.0, "without": -3.0, "ion pair": -1.2}
    )
    assert bound.dispersion_ev == pytest.approx(0.8)
    with pytest.raises(InputError, match="without"):
        compute_binding_energy(**SLAB, dispersion_ev={"complex": -5.0, "ion pair": -1.2})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ion_pair_ev": None}, "'ion pair' is None"),
        ({"complex_ev": np.nan}, "'complex' is nan"),
        ({"reference": "separate ions"}, "'cation' is None"),
        ({"reference": "vacuum"}, "'ion pair', 'separate ions'"),
        ({"fragments": {"surface": FRAGMENTS["surface"]}}, "'surface' and 'adsorbate'"),
    ],
)
def test_what_gives_no_binding_energy_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        compute_binding_energy(**SLAB | change)

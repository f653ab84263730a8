import dataclasses

import numpy as np
import pytest

from qdcomp.errors import InputError
from qdcomp.structures import build_quantum_dot, select_frozen_atoms, structure_hash
from qdcomp.structures.structure import sum_formal_charges


def test_hash_follows_what_a_calculation_depends_on():
    dot = build_quantum_dot(2)
    shifted = dot.atoms.positions.copy()
    shifted[0, 0] += 1e-3
    variants = [
        dot,
        dot.with_positions(shifted),
        dot.with_frozen(select_frozen_atoms(dot)),
        dataclasses.replace(dot, charge=0),
        build_quantum_dot(2, "CsSnBr3", lattice_constant=5.87),
    ]
    assert len({structure_hash(variant) for variant in variants}) == len(variants)


def test_hash_ignores_rounding_and_prose():
    dot = build_quantum_dot(2)
    noisy = dot.with_positions(dot.atoms.positions + 1e-9)
    told = dataclasses.replace(noisy, description="another story", warnings=("careful",))
    assert structure_hash(told) == structure_hash(dot)


def test_hash_is_pinned():
    """Provenance of old results must stay readable: a change here needs a new hash version."""
    assert structure_hash(build_quantum_dot(1, charge="neutral")) == (
        "e9fe89824fcef1d5ad009a7da5176fd5b830db5aa7e3a056d04d8c75f6e8dd76"
    )


def test_changed_copy_leaves_the_original_alone():
    dot = build_quantum_dot(2)
    before = dot.atoms.positions.copy()
    moved = dot.with_positions(before * 1.1)
    frozen = dot.with_frozen(select_frozen_atoms(dot))
    np.testing.assert_array_equal(dot.atoms.positions, before)
    np.testing.assert_allclose(moved.atoms.positions, before * 1.1)
    assert frozen.frozen.any() and not dot.frozen.any()


@pytest.mark.parametrize(
    ("mask", "complaint"),
    [(np.zeros(3, dtype=bool), "one value per atom"), (np.zeros(63), "one boolean per atom")],
)
def test_frozen_mask_is_one_boolean_per_atom(mask, complaint):
    with pytest.raises(InputError, match=complaint):
        build_quantum_dot(2).with_frozen(mask)


def test_positions_are_checked():
    dot = build_quantum_dot(2)
    with pytest.raises(InputError, match="in the order of the structure"):
        dot.with_positions(np.zeros((5, 3)))
    broken = dot.atoms.positions.copy()
    broken[3, 1] = np.nan
    with pytest.raises(InputError, match="NaN"):
        dot.with_positions(broken)


@pytest.mark.parametrize("text", ["two\nlines", "a\ttab"])
def test_description_is_one_line(text):
    dot = build_quantum_dot(2)
    with pytest.raises(InputError, match="one line of text"):
        dataclasses.replace(dot, description=text)
    with pytest.raises(InputError, match="one line of text"):
        dataclasses.replace(dot, warnings=(text,))


def test_formal_charge_of_a_stranger_is_not_guessed():
    assert sum_formal_charges(["Cs", "Pb", "Br", "Br", "Br"]) == 0
    with pytest.raises(InputError, match="no formal charge for C, N; known: Cs, Pb"):
        sum_formal_charges(["N", "C", "Cs"])

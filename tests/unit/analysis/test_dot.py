import dataclasses

import numpy as np
import pytest

from qdcomp.analysis import analyse_dot
from qdcomp.errors import InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K, HBAR_EV_FS

N_FRAMES, STEP, TEMPERATURE = 1000, 10.0, 10.0
SYMBOLS = ["Cs"] * 8 + ["Pb"] * 8 + ["Br"] * 14
MASSES = np.array([132.9] * 8 + [207.2] * 8 + [79.9] * 14)
DEPTHS = np.array([0.0] * 8 + [0.5] * 8 + [0.0] * 7 + [1.0] * 7)


@pytest.fixture
def trajectory():
    """Independent oscillators of 2 to 17 meV and a gap that is linear in them."""
    generator = np.random.default_rng(1)
    energies = generator.uniform(0.002, 0.017, (30, 3))
    frequency = energies / HBAR_EV_FS
    mass = MASSES[:, None] * AMU_ANGSTROM2_PER_FS2_EV
    amplitude = np.sqrt(2 * BOLTZMANN_EV_PER_K * TEMPERATURE / mass) / frequency
    phase = generator.uniform(0, 2 * np.pi, (30, 3))
    angle = frequency * STEP * np.arange(N_FRAMES)[:, None, None] + phase
    displacement = amplitude * np.sin(angle)
    gradient = 0.05 * generator.normal(size=(30, 3))
    lumo = generator.uniform(0.5, 1.0, size=(N_FRAMES, 30))
    gap = 2.0 + np.einsum("fni,ni->f", displacement, gradient)
    return {
        "positions": generator.normal(scale=5.0, size=(30, 3)) + displacement,
        "velocities": amplitude * frequency * np.cos(angle),
        "gap_ev": gap,
        "homo_ev": np.full(N_FRAMES, -6.0),
        "lumo_ev": gap - 6.0,
        "masses": MASSES,
        "symbols": SYMBOLS,
        "depth_cells": DEPTHS,
        "timestep_fs": STEP,
        "temperature_k": TEMPERATURE,
        "lumo_populations": lumo,
    }


def test_a_gap_that_fluctuates_at_its_ends_only_is_told_of(trajectory):
    said = "Γ from the variance of the gap differ"
    assert not any(said in warning for warning in analyse_dot(**trajectory).warnings)
    gap = trajectory["gap_ev"].copy()
    gap[100:-100] = gap.mean() + 0.05 * (gap[100:-100] - gap.mean())
    assert any(said in warning for warning in analyse_dot(**trajectory | {"gap_ev": gap}).warnings)


def test_atoms_of_unknown_depth_are_in_no_layer_and_still_counted(trajectory):
    depths = np.where(np.arange(30) % 10 == 0, np.nan, DEPTHS)
    result = analyse_dot(**trajectory | {"depth_cells": depths})
    partial = result.phonon_dos.partial
    layers = [name for name in partial if name.startswith("layer")]
    assert layers == ["layer 0", "layer 0.5", "layer 1", "layer off lattice"]
    np.testing.assert_allclose(sum(partial[name] for name in layers), result.phonon_dos.density)
    assert sum(entry.n_atoms for entry in result.fluctuations.by_layer) == 27
    assert result.orbitals.lumo.by_layer.sum() == pytest.approx(0.9, abs=0.01)


def test_a_structure_that_is_no_dot_has_no_layers(trajectory):
    result = analyse_dot(**trajectory | {"depth_cells": np.full(30, np.nan)})
    assert result.fluctuations.by_layer == ()
    assert len(result.orbitals.lumo.depths_cells) == 0
    assert not any(name.startswith("layer") for name in result.phonon_dos.partial)


def test_every_observable_is_there_and_the_parts_agree(trajectory):
    result = analyse_dot(**trajectory)
    assert result.n_free_atoms == result.n_atoms == 30
    assert result.times_fs[-1] == 9990.0
    assert result.mean_gap_ev == pytest.approx(result.gap_histogram.mean_ev)
    table = result.linewidths
    assert table.temperatures_k[-1] == result.emission_temperature_k == 300.0
    assert result.dephasing.linewidth_ev == pytest.approx(table.from_variance_ev[-1], rel=0.03)
    assert result.lineshape.fwhm_ev == pytest.approx(table.quantum_ev[-1], rel=0.03)
    apart = abs(table.classical_ev[-1] - table.from_variance_ev[-1])
    assert apart < 3 * table.classical_error_ev[-1]
    assert result.lineshape.mean_energy_ev == pytest.approx(
        result.mean_gap_ev - 2 * result.spectrum.reorganization_energy_ev, abs=1e-6
    )
    assert set(result.phonon_dos.partial) == {
        "element Br", "element Cs", "element Pb", "layer 0", "layer 0.5", "layer 1",
    }  # fmt: skip
    assert result.orbitals is not None
    assert result.orbitals.homo is None
    assert result.huang_rhys_per_free_atom == pytest.approx(result.spectrum.huang_rhys_factor / 30)
    assert result.rigid_body_motion_removed
    assert dataclasses.is_dataclass(result)


def test_frozen_atoms_fix_the_frame(trajectory):
    frozen = DEPTHS == 1.0
    trajectory["positions"][:, frozen] = trajectory["positions"][0, frozen]
    trajectory["velocities"][:, frozen] = 0.0
    result = analyse_dot(**trajectory, frozen=frozen)
    assert result.n_free_atoms == 23
    assert result.phonon_dos.n_degrees_of_freedom == 69
    assert not result.rigid_body_motion_removed
    assert result.mean_temperature_k == pytest.approx(TEMPERATURE, rel=0.02)
    assert result.huang_rhys_per_free_atom == pytest.approx(result.spectrum.huang_rhys_factor / 23)


def test_velocities_are_made_from_positions_where_they_were_not_written(trajectory):
    written = analyse_dot(**trajectory)
    derived = analyse_dot(**{**trajectory, "velocities": None})
    assert derived.velocities_from_positions
    assert not written.velocities_from_positions
    assert derived.mean_temperature_k == pytest.approx(written.mean_temperature_k, rel=5e-3)
    centre = [
        result.phonon_dos.density @ result.phonon_dos.energies_ev / result.phonon_dos.density.sum()
        for result in (written, derived)
    ]
    assert centre[1] == pytest.approx(centre[0], rel=5e-3)


def test_warnings_of_the_parts_are_collected(trajectory):
    result = analyse_dot(**{**trajectory, "temperature_k": 40.0})
    assert any("mean temperature" in text for text in result.warnings)
    trajectory["gap_ev"] = trajectory["gap_ev"] - 2.0
    result = analyse_dot(**trajectory)
    assert any("closed" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gap_ev", "gap has 990 frames"),
        ("velocities", "velocities have shape"),
        ("lumo_populations", "LUMO populations have 990 frames"),
        ("homo_ev", "HOMO energy has 990 frames"),
    ],
)
def test_files_of_different_length(trajectory, name, message):
    trajectory[name] = trajectory[name][:990]
    with pytest.raises(InputError, match=message):
        analyse_dot(**trajectory)


def test_a_broken_frame_is_named(trajectory):
    trajectory["positions"][123, 4, 0] = np.nan
    with pytest.raises(InputError, match="positions of frame 123"):
        analyse_dot(**trajectory)


def test_symbols_of_another_dot(trajectory):
    with pytest.raises(InputError, match="29 symbols for 30 atoms"):
        analyse_dot(**{**trajectory, "symbols": SYMBOLS[:-1]})


def test_a_trajectory_with_neither_layers_nor_orbitals_nor_velocities(trajectory):
    for name in ("depth_cells", "lumo_populations", "homo_ev", "lumo_ev", "velocities"):
        trajectory[name] = None
    frozen = np.arange(30) < 4
    trajectory["positions"][:, frozen] = trajectory["positions"][0, frozen]
    result = analyse_dot(**trajectory, frozen=frozen)
    assert result.orbitals is None
    assert result.homo_ev is None
    assert result.fluctuations.by_layer == ()
    assert set(result.phonon_dos.partial) == {"element Br", "element Cs", "element Pb"}
    assert result.mean_temperature_k == pytest.approx(TEMPERATURE, rel=0.02)

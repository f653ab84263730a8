"""The surface's share of the linewidth by three routes."""

import dataclasses

import numpy as np
import pytest

from qdcomp.analysis import (
    analyse_dot,
    compute_huang_rhys_spectrum,
    compute_mode_coupling,
    compute_normal_modes,
)
from qdcomp.compare.surface_share import (
    CoreShellRuns,
    DotModes,
    DotRuns,
    SurfaceRoutes,
    compute_surface_shares,
)
from qdcomp.errors import InputError
from qdcomp.units import AMU_ANGSTROM2_PER_FS2_EV, BOLTZMANN_EV_PER_K, HBAR_EV_FS

KELVIN, STEP_FS, FRAMES = 300.0, 10.0, 1000
NAMES = ("layer 0.0 CsBr", "layer 0.5 PbBr2", "layer 1.0 CsBr", "layer 1.5 PbBr2")
LAYER = np.arange(4).repeat(4)
MASSES = np.full(17, 80.0)


def make_analysis():
    """Analyse any trajectory: the tests put their own Λ in."""
    random = np.random.default_rng(1)
    return analyse_dot(
        positions=random.normal(size=(64, 10, 3)),
        gap_ev=2.0 + 0.05 * random.normal(size=64),
        masses=np.full(10, 80.0),
        symbols=["Br"] * 10,
        timestep_fs=STEP_FS,
        temperature_k=KELVIN,
    )


BASE = make_analysis()


def run(energy_ev, error_ev=0.0, frozen=0, label="dot", kelvin=KELVIN, atoms=10):
    spectrum = dataclasses.replace(
        BASE.spectrum,
        reorganization_energy_ev=energy_ev,
        reorganization_energy_error_ev=error_ev,
        temperature_k=kelvin,
        warnings=(),
    )
    analysis = dataclasses.replace(
        BASE, spectrum=spectrum, n_atoms=atoms, n_free_atoms=atoms - frozen
    )
    return DotRuns(label, "model", [analysis])


def compute_frozen(free, held, cells=2.0, **routes):
    return compute_surface_shares(SurfaceRoutes(free=free, frozen={cells: held}, **routes))


def find(shares, route):
    return [share for share in shares if share.route == route]


def test_published_widths_give_the_published_shares():
    """230 to 50 meV with two cells held; 126 to 89.9 meV in a core/shell dot."""
    result = compute_surface_shares(SurfaceRoutes())
    frozen, modes, core_shell = result.published
    assert frozen.of_linewidth.value == pytest.approx(0.783, abs=5e-4)
    assert frozen.of_coupling.value == pytest.approx(0.953, abs=5e-4)
    assert (frozen.cells, frozen.of_linewidth.temperature_k) == (2.0, 300.0)
    assert core_shell.of_linewidth.value == pytest.approx(0.2865, abs=5e-4)
    assert core_shell.of_coupling.value == pytest.approx(1 - 28.2 / 56.2, abs=1e-3)
    assert frozen.of_linewidth.error is None
    assert modes.of_linewidth is None
    assert "no share by modes" in modes.reason
    assert result.agreement.sentence.endswith(
        "frozen shell, outer 2 unit cells: 78 %; core/shell, outer 1 unit cell: 29 %."
    )


def test_what_is_not_given_is_absent_with_its_reason():
    result = compute_surface_shares(SurfaceRoutes(), published=False)
    assert result.published == ()
    assert [share.of_linewidth for share in result.own] == [None, None, None]
    assert all(share.reason for share in result.own)
    assert result.agreement.agree is None
    assert "No route" in result.agreement.sentence


def test_a_quarter_of_lambda_is_half_of_the_width():
    (share,) = find(compute_frozen(run(0.1), run(0.025, frozen=4)).own, "frozen shell")
    assert share.of_linewidth.value == pytest.approx(0.5)
    assert share.of_coupling.value == pytest.approx(0.75)
    assert "outer 2 unit cells" in share.definition


def test_errors_cover_the_truth_as_often_as_they_say():
    """Λ of a trajectory scatters like a sum of squares: gamma, here with 20 and 15 %."""
    random = np.random.default_rng(7)
    hits = np.zeros(2)
    repeats = 1000
    for _ in range(repeats):
        wide = 0.1 * random.gamma(1 / 0.20**2, 0.20**2)
        narrow = 0.04 * random.gamma(1 / 0.15**2, 0.15**2)
        shares = compute_frozen(run(wide, 0.20 * wide), run(narrow, 0.15 * narrow, frozen=4)).own
        share = shares[0]
        for index, (number, truth) in enumerate(
            ((share.of_linewidth, 1 - 0.4**0.5), (share.of_coupling, 0.6))
        ):
            hits[index] += abs(number.value - truth) < number.error
    assert (hits / repeats).min() > 0.62
    assert (hits / repeats).max() < 0.74


def make_lattice():
    """Atoms on springs of their own, in four layers, and one that is held.

    The gap is linear in the coordinates, so that Λ is a sum over atoms, and over layers.
    """
    random = np.random.default_rng(3)
    gradient = np.vstack([random.normal(size=(16, 3)) * (1.0 + LAYER[::-1])[:, None], np.zeros(3)])
    energies = random.uniform(0.002, 0.012, size=48)
    spring = MASSES[0] * AMU_ANGSTROM2_PER_FS2_EV * (energies / HBAR_EV_FS) ** 2
    return 0.1 * gradient, energies, spring


def couple(gradient, spring):
    """Normal modes of the lattice, by the layers."""
    held = np.arange(17) == 16
    hessian = np.diag([*spring, 1.0, 1.0, 1.0])
    modes = compute_normal_modes(hessian, MASSES, frozen=held)
    groups = {name: np.append(index == LAYER, False) for index, name in enumerate(NAMES)}
    return DotModes("lattice", "harmonic", compute_mode_coupling(modes, gradient, groups=groups))


def sample(gradient, energies, spring, moving, seed, frozen):
    """Draw a gap from the canonical ensemble, with only some atoms moving."""
    random = np.random.default_rng(seed)
    size = np.where(np.repeat(moving, 3), gradient[:16].ravel(), 0.0)
    size = size * np.sqrt(BOLTZMANN_EV_PER_K * KELVIN / spring)
    phase = np.outer(STEP_FS * np.arange(FRAMES), energies / HBAR_EV_FS)
    cosine, sine = size * random.normal(size=(2, 48))
    gap = 2.0 + np.cos(phase) @ cosine + np.sin(phase) @ sine
    spectrum = compute_huang_rhys_spectrum(gap, STEP_FS, KELVIN)
    return dataclasses.replace(
        BASE, spectrum=spectrum, n_atoms=17, n_free_atoms=17 - frozen, temperature_k=KELVIN
    )


def test_freezing_local_oscillators_is_what_their_modes_say():
    gradient, energies, spring = make_lattice()
    per_atom = (gradient[:16] ** 2 / spring.reshape(16, 3)).sum(axis=1)
    truth = per_atom[LAYER < 2].sum() / per_atom.sum()
    free, held = (
        [sample(gradient, energies, spring, moving, seed + first, frozen) for seed in range(12)]
        for moving, frozen, first in ((LAYER >= 0, 0, 0), (LAYER >= 2, 8, 100))
    )
    result = compute_surface_shares(
        SurfaceRoutes(
            free=DotRuns("free", "model", free),
            frozen={1.0: DotRuns("frozen", "model", held)},
            modes=couple(gradient, spring),
        )
    )
    (modes,), (frozen,) = (
        find(result.own, route) for route in ("mode participation", "frozen shell")
    )
    assert modes.of_coupling.value == pytest.approx(truth, rel=1e-9)
    assert modes.of_linewidth.value == pytest.approx(1 - (1 - truth) ** 0.5)
    assert modes.of_linewidth.error is None
    assert frozen.of_coupling.value == pytest.approx(truth, abs=3 * frozen.of_coupling.error)
    assert frozen.of_coupling.error < 0.15
    assert result.agreement.agree is True
    assert "agree within" in result.agreement.sentence


def test_a_thicker_surface_takes_more_layers_and_all_of_them_all():
    gradient, _, spring = make_lattice()
    modes = couple(gradient, spring)
    shares = [
        compute_surface_shares(
            SurfaceRoutes(
                modes=modes,
                core_shell=[CoreShellRuns(run(0.1), run(0.05), cells, same="edge")],
            )
        ).own[1]
        for cells in (0.5, 1.0, 1.5, 2.0)
    ]
    values = [share.of_coupling.value for share in shares]
    assert values == sorted(values)
    assert values[0] == pytest.approx(modes.coupling.coupled_participation[NAMES[0]])
    assert values[-1] == pytest.approx(1.0)
    assert shares[-1].of_linewidth.value == pytest.approx(1.0, abs=1e-6)


def test_modes_without_layers_have_no_share():
    gradient, _, spring = make_lattice()
    modes = couple(gradient, spring)
    nothing = dataclasses.replace(modes.coupling, coupled_participation={"element Br": 1.0})
    routes = SurfaceRoutes(modes=dataclasses.replace(modes, coupling=nothing))
    (share,) = find(compute_surface_shares(routes).own, "mode participation")
    assert share.of_linewidth is None
    assert "layers" in share.reason


def test_atoms_of_no_layer_are_told():
    gradient, _, spring = make_lattice()
    modes = couple(gradient, spring)
    shares = {NAMES[0]: 0.6, NAMES[1]: 0.1, "layer off lattice": 0.3}
    coupling = dataclasses.replace(modes.coupling, coupled_participation=shares)
    routes = SurfaceRoutes(modes=dataclasses.replace(modes, coupling=coupling))
    (share,) = find(compute_surface_shares(routes).own, "mode participation")
    assert share.of_coupling.value == pytest.approx(0.7)
    assert any("30.0%" in note for note in share.notes)


def test_routes_that_differ_by_more_than_their_errors_are_told_apart():
    free = run(0.1, 0.005)
    pair = CoreShellRuns(free, run(0.08, 0.004, label="core/shell"), 2.0, same="edge")
    result = compute_frozen(free, run(0.01, 0.0005, frozen=4), core_shell=[pair])
    (difference,) = result.agreement.between_routes
    assert difference.sigmas > 5
    assert result.agreement.agree is False
    assert "frozen shell and core/shell by" in result.agreement.sentence


def test_a_missing_error_decides_nothing():
    """The modes have no error, and the frozen dot's alone puts them more than two apart."""
    gradient, _, spring = make_lattice()
    routes = {"modes": couple(gradient, spring)}
    result = compute_frozen(run(0.1, 0.001), run(0.099, 0.001, frozen=4), cells=1.0, **routes)
    assert result.agreement.between_routes[0].one_sided
    assert result.agreement.between_routes[0].sigmas > 2
    assert result.agreement.agree is None
    assert "for want of an error" in result.agreement.sentence


def test_surfaces_of_different_thickness_are_not_held_against_each_other():
    free = run(0.1, 0.005)
    pair = CoreShellRuns(free, run(0.08, 0.004, atoms=30), 1.0)
    result = compute_frozen(free, run(0.01, 0.001, frozen=4), core_shell=[pair])
    assert result.agreement.between_routes == ()
    assert result.agreement.agree is None
    assert "surfaces of 2 and 1 cells" in result.agreement.not_compared[0]
    (difference,) = [
        one for one in result.agreement.from_published if "frozen" in one.first.assumptions[0]
    ]
    assert difference.value == pytest.approx((1 - 0.1**0.5) - (1 - 50 / 230))
    assert difference.one_sided


def test_a_cold_run_is_not_held_against_the_paper_at_300_k():
    result = compute_frozen(run(0.1, kelvin=10.0), run(0.01, frozen=4, kelvin=10.0))
    assert all(
        one.second.source != "raino2022, SI Fig. 7" for one in result.agreement.from_published
    )
    assert any("10 K" in text for text in result.agreement.not_compared)


def test_a_frozen_dot_that_is_wider_has_a_negative_share_and_a_note():
    (share,) = find(compute_frozen(run(0.05), run(0.06, frozen=4)).own, "frozen shell")
    assert share.of_linewidth.value < 0
    assert any("no share of the surface shows" in note for note in share.notes)


def test_seeds_are_pooled():
    free = dataclasses.replace(
        run(0.1), analyses=[run(energy).analyses[0] for energy in (0.08, 0.12)]
    )
    (share,) = find(compute_frozen(free, run(0.025, frozen=4)).own, "frozen shell")
    assert share.of_linewidth.value == pytest.approx(0.5)
    assert share.of_linewidth.error == pytest.approx(0.5 * 0.5 * 0.02 / 0.1)


@pytest.mark.parametrize(
    ("free", "held", "cells", "message"),
    [
        (run(0.1), run(0.02, frozen=4, kelvin=10.0), 2.0, "300 K"),
        (run(0.1), run(0.02, frozen=4, atoms=12), 2.0, "same dot"),
        (run(0.1), run(0.02), 2.0, "no frozen atom"),
        (run(0.1, frozen=2), run(0.02, frozen=4), 2.0, "2 frozen atoms"),
        (run(0.1), run(0.02, frozen=4), 0.0, "expected > 0"),
        (DotRuns("empty", "model", []), run(0.02, frozen=4), 2.0, "no run"),
    ],
)
def test_what_is_no_frozen_shell_of_the_dot_is_refused(free, held, cells, message):
    with pytest.raises(InputError, match=message):
        compute_frozen(free, held, cells)


@pytest.mark.parametrize(("same", "atoms"), [("core", 10), ("edge", 30)])
def test_dots_that_do_not_share_what_is_said_are_refused(same, atoms):
    pair = CoreShellRuns(run(0.1), run(0.05, atoms=atoms), 1.0, same)
    with pytest.raises(InputError, match=f"not of the same {same}"):
        compute_surface_shares(SurfaceRoutes(core_shell=[pair]))

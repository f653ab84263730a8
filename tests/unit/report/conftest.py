"""A small dot whose atoms and gap are sums of a few cosines, analysed once for all tests."""

import dataclasses
from html.parser import HTMLParser

import numpy as np
import pytest
from ase.build import molecule

from qdcomp.analysis import (
    ConfigurationEnergy,
    DotAnalysis,
    FragmentEnergy,
    SurfaceEnergyCurve,
    analyse_dot,
    compute_binding_energy,
    compute_interaction_energy,
    compute_mode_coupling,
    compute_normal_modes,
    compute_packing,
    compute_surface_energy,
    fit_interaction_scan,
    ideal_gas_entropy,
)
from qdcomp.report import DotRun, JobRow, PublishedRow, ReportInput
from qdcomp.report.surfaces.coverage_overview import CoverageOverview, collect_coverage
from qdcomp.report.surfaces.surface_content import (
    StructurePair,
    SurfaceReportContent,
    SurfaceRunContent,
)
from qdcomp.structures import (
    Slab,
    Structure,
    build_quantum_dot,
    build_slab,
    choose_configurations,
    enumerate_configurations,
)
from qdcomp.units import BOLTZMANN_EV_PER_K, HBAR_EV_FS

VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """Elements and visible text of a page; fails where an element is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text += data

    def find(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def plots(self):
        return {found["data-plot"] for found in self.find("div") if "data-plot" in found}


@pytest.fixture(scope="session")
def parse_page() -> type[Page]:
    return Page


MODE_ENERGIES_EV = np.array([0.0018, 0.0024, 0.0068, 0.0075, 0.0165])
HUANG_RHYS_FACTORS = np.array([12.0, 8.0, 3.0, 2.0, 0.6])


def simulate(temperature_k: float, **options) -> DotAnalysis:
    rng = np.random.default_rng(7)
    dot = build_quantum_dot(2)
    masses = dot.atoms.get_masses()
    times = 10.0 * np.arange(600)
    frequencies = MODE_ENERGIES_EV / HBAR_EV_FS
    positions = np.repeat(dot.atoms.positions[None], len(times), axis=0)
    velocities = np.zeros_like(positions)
    for frequency in frequencies:
        phases = rng.uniform(0.0, 2.0 * np.pi, (len(masses), 3))
        size = 0.02 * np.sqrt(temperature_k / (len(frequencies) * masses))[:, None] / frequency
        size *= 1e-2
        angle = frequency * times[:, None, None] + phases
        positions += size * np.cos(angle)
        velocities -= size * frequency * np.sin(angle)
    amplitudes = np.sqrt(
        4.0 * HUANG_RHYS_FACTORS * MODE_ENERGIES_EV * BOLTZMANN_EV_PER_K * temperature_k
    )
    phases = np.array([0.3, 2.0, 4.0, 5.0, 1.0])
    gap = 2.4 + np.cos(np.outer(times, frequencies) + phases) @ amplitudes
    share = rng.uniform(0.5, 1.5, (len(times), len(masses)))
    given = {
        "depth_cells": dot.depth_cells,
        "homo_populations": share,
        "lumo_populations": share[::-1],
    } | options
    return analyse_dot(
        positions=positions,
        velocities=velocities,
        gap_ev=gap,
        masses=masses,
        symbols=dot.atoms.get_chemical_symbols(),
        timestep_fs=10.0,
        temperature_k=temperature_k,
        **given,
    )


@pytest.fixture(scope="session")
def cold() -> DotAnalysis:
    return simulate(10.0)


@pytest.fixture(scope="session")
def warm() -> DotAnalysis:
    return simulate(300.0)


@pytest.fixture(scope="session")
def bare() -> DotAnalysis:
    """No layers, no orbitals: what a directory of foreign outputs may hold."""
    return simulate(10.0, depth_cells=None, homo_populations=None, lumo_populations=None)


@pytest.fixture(scope="session")
def modes():
    rng = np.random.default_rng(3)
    dot = build_quantum_dot(2)
    size = 3 * len(dot.atoms)
    root = rng.normal(size=(size, size)) / size
    coupled = compute_normal_modes(
        root @ root.T + 0.2 * np.eye(size), dot.atoms.get_masses(), dot.atoms.positions
    )
    gradient = rng.normal(size=(len(dot.atoms), 3))
    return compute_mode_coupling(coupled, gradient, groups={"surface": dot.depth_cells == 0.0})


@pytest.fixture(scope="session")
def report(cold, modes) -> ReportInput:
    return ReportInput(
        title="CsPbBr3 dot of 1.2 nm",
        engine_name="model",
        engine_version="1.0",
        is_surrogate=True,
        surrogate_note="Trends, not absolute values.",
        structure=build_quantum_dot(2),
        runs=(DotRun("10 K", cold, modes),),
        published=(PublishedRow("Γ(300 K)", "meV", 128.0, 19.0, 200.0, "SI Table 1"),),
        provenance={"study": {"sha256": "ab" * 32}, "jobs": [{"name": "relax", "seed": 1}]},
        warnings=("charge chosen by hand",),
        jobs=(JobRow("relax", "COMPLETED", 120, 33.0, ("another minimiser",)),),
    )


@pytest.fixture(scope="session")
def temperature_series(report, cold, warm) -> ReportInput:
    return dataclasses.replace(report, runs=(DotRun("10 K", cold), DotRun("300 K", warm)))


PAIR_EV, TS_EV = -100.0, 0.95
"""Energy of the made-up ion pair, and T S of its ligand [eV]."""


def make_curve(
    slab: Slab, *, gap: int | None = None, every: bool = False, error: float | None = 0.03
) -> SurfaceEnergyCurve:
    """A made-up curve whose Nth ligand brings -1.25 + 0.05 N eV, and the eighth costs 0.4 eV."""
    steps = np.array([0.0, *(-1.25 + 0.05 * n for n in range(1, 8)), 0.4])
    entries = []
    for bound in range(len(slab.sites) + 1):
        found = enumerate_configurations(slab, bound)
        for rank, configuration in enumerate(found if every else found[:1]):
            energy = steps[: bound + 1].sum() + bound * (PAIR_EV - TS_EV) - 500.0 + 0.1 * rank
            failed = bound == gap
            entries.append(
                ConfigurationEnergy(
                    configuration.name,
                    bound,
                    configuration.degeneracy,
                    None if failed else energy,
                    None if failed else error,
                    "SCF did not converge" if failed else None,
                )
            )
    return compute_surface_energy(
        entries,
        n_sites=len(slab.sites),
        ion_pair_energy_ev=PAIR_EV,
        ts_ev=TS_EV,
        area_angstrom2=slab.area_angstrom2,
        ion_pair_error_ev=error,
    )


@pytest.fixture(scope="session")
def slab() -> Slab:
    return build_slab()


@pytest.fixture(scope="session")
def coverage(slab) -> CoverageOverview:
    chosen = [choose_configurations(slab, bound)[0] for bound in range(9)]
    return collect_coverage(slab, chosen)


@pytest.fixture(scope="session")
def covered(slab) -> Structure:
    """The slab with two benzenes upright above it, which stand for ligands."""
    atoms = slab.structure.atoms.copy()
    top = atoms.positions[:, 2].max() + 4.0
    rings = []
    for shift in (0.0, 5.0):
        ring = molecule("C6H6")
        ring.rotate(90, "x")
        ring.translate([3.0, 3.0 + shift, top])
        rings.append(ring)
    n_atoms = len(atoms) + 24
    both = atoms + rings[0] + rings[1]
    return dataclasses.replace(
        slab.structure,
        atoms=both,
        depth_cells=np.append(slab.structure.depth_cells, np.full(24, np.nan)),
        frozen=np.arange(n_atoms) < len(atoms),
        ligand_index=np.append(np.full(len(atoms), -1), np.repeat([0, 1], 12)),
        ligands=("PEA", "PEA"),
        description="a slab with two benzenes",
    )


@pytest.fixture(scope="session")
def surface_run(slab, coverage, covered) -> SurfaceRunContent:
    atoms = covered.atoms
    water = molecule("H2O")
    distances = np.array([3.6, 3.9, 4.3, 4.8, 5.5, 7.0])
    scan = fit_interaction_scan(
        distances, 0.6 * np.exp(2.2 * (3.6 - distances)) - 0.1 * np.exp(-((distances - 4.4) ** 2))
    )
    return SurfaceRunContent(
        label="VASP",
        engine_name="vasp",
        engine_version="5.4.4.stand-in",
        level={"functional": "PBE", "dispersion": "D3BJ", "cutoff": "400 eV", "kpoints": "4×4×1"},
        curve=make_curve(slab, gap=3),
        binding=compute_binding_energy(
            complex_ev=-602.15,
            without_ev=-500.1,
            ion_pair_ev=-100.0,
            fragments={
                "surface": FragmentEnergy(-500.0, -500.05),
                "adsorbate": FragmentEnergy(-99.8, -99.86),
            },
        ),
        interaction=compute_interaction_energy(-20.07, [-10.0, -10.0]),
        scan=scan,
        entropy=ideal_gas_entropy(water.get_chemical_symbols(), water.positions),
        packings={
            "N2-a": compute_packing(
                atoms.positions,
                atoms.get_chemical_symbols(),
                atoms.cell.array,
                atoms.pbc,
                covered.ligand_index,
                names=covered.ligands,
            )
        },
        structures={"N2-a": StructurePair(covered, covered.with_positions(atoms.positions + 0.01))},
        coverage=coverage,
        entropy_ligand="PEA",
        assumptions=("the bound ligand has no entropy",),
        warnings=("one step did not converge",),
        failures={"N3-a": "SCF did not converge"},
        jobs=(JobRow("relax N3-a", "FIZZLED", 40, 900.0),),
        provenance={"study": {"sha256": "ab" * 32}},
    )


@pytest.fixture(scope="session")
def surface_content(surface_run) -> SurfaceReportContent:
    return SurfaceReportContent(
        recipe="surface_energy",
        title="PEA on CsPbBr3",
        ligand="PEA",
        runs=(surface_run,),
        paper="mi2025",
    )


@pytest.fixture(scope="session")
def two_engines(surface_content, surface_run, slab) -> SurfaceReportContent:
    other = dataclasses.replace(
        surface_run,
        label="CP2K",
        engine_name="cp2k",
        engine_version="2024.1",
        curve=make_curve(slab, every=True, error=None),
        scan=None,
        structures={},
        packings={},
        failures={},
    )
    return dataclasses.replace(surface_content, runs=(surface_run, other))

import json
from dataclasses import replace

import numpy as np
import pytest
from builders.campaign_runs import make_dot_run
from builders.emission_spectra import count_photons, expected_counts, make_line

from qdcomp.compare import Observable
from qdcomp.errors import InputError
from qdcomp.experiment import Estimate
from qdcomp.recipes.study_files.dot_schema import FrozenSpec, ShellSpec
from qdcomp.report.comparisons.calculated_dots import (
    find_surface_routes,
    load_calculated_dot,
    observe_linewidths,
)
from qdcomp.report.comparisons.comparison_input import ComparisonInput, make_comparison
from qdcomp.report.comparisons.comparison_report import (
    collect_comparison_results,
    describe_comparison,
    list_headlines,
    write_comparison_report,
)
from qdcomp.report.pages.strict_json import write_json


@pytest.fixture
def dot(tmp_path, cold):
    return load_calculated_dot(make_dot_run(tmp_path / "dot", (cold,)))


@pytest.fixture
def spectrum_file(tmp_path):
    line = expected_counts("double_half_voigt", make_line("double_half_voigt", 1e6))
    measured = count_photons(line, np.random.default_rng(1))
    path = tmp_path / "dot.csv"
    np.savetxt(
        path,
        np.column_stack([measured.wavelengths_nm, measured.counts]),
        delimiter=",",
        header="wavelength (nm),counts",
    )
    return path


def give(*dots, **more):
    entry = {
        "measured": (),
        "temperature_k": 300.0,
        "curve": "mi2025_damato2023",
        "published": True,
    }
    return ComparisonInput(dots=dots, **(entry | more))


def measure(edge_nm, value, error):
    return Observable(
        quantity="linewidth",
        value=value,
        error=error,
        unit="meV",
        origin="measured",
        source="measured here",
        label=f"{edge_nm} nm",
        temperature_k=300.0,
        edge_nm=Estimate(edge_nm, 0.1),
        peak_ev=Estimate(2.6, 0.01),
    )


def test_a_run_becomes_a_width_with_error_size_and_surrogate(dot, cold):
    (width,) = observe_linewidths([dot], 300.0)
    relative = 0.5 * cold.spectrum.reorganization_energy_error_ev
    relative /= cold.spectrum.reorganization_energy_ev
    assert width.error == pytest.approx(relative * width.value)
    assert width.edge_nm.value == pytest.approx(1.174)
    assert "surrogate" in width.source
    assert any("no DFT" in note for note in width.assumptions)


def test_a_frozen_dot_is_no_point_among_free_ones(dot):
    frozen = replace(dot, structure=replace(dot.structure, frozen=FrozenSpec("shell", 1.0)))
    assert observe_linewidths([frozen], 300.0) == ()


def test_runs_are_sorted_into_routes(dot):
    frozen = replace(dot, structure=replace(dot.structure, frozen=FrozenSpec("shell", 1.0)))
    core = replace(dot, structure=replace(dot.structure, frozen=FrozenSpec("core", 1.0)))
    covered = replace(dot.structure, kind="core_shell", shell=ShellSpec("CsCaBr3", 1.0))
    shell = replace(dot, structure=covered)
    routes = find_surface_routes([frozen, core, shell, dot])
    assert routes.free.label == dot.label
    assert list(routes.frozen) == [1.0]
    (pair,) = routes.core_shell
    assert (pair.shell_cells, pair.same) == (1.0, "edge")
    assert find_surface_routes([]).free is None


def test_dots_of_another_charge_or_temperature_are_no_pair(dot, tmp_path, warm):
    frozen = replace(dot.structure, frozen=FrozenSpec("shell", 1.0))
    charged = replace(dot, structure=replace(frozen, charge="neutral"))
    hot = replace(load_calculated_dot(make_dot_run(tmp_path / "hot", (warm,))), structure=frozen)
    assert not find_surface_routes([dot, charged, hot]).frozen


def test_runs_at_other_temperatures_are_no_seeds_of_one_dot(dot, tmp_path, warm):
    hot = load_calculated_dot(make_dot_run(tmp_path / "hot", (warm,)))
    comparison, _ = make_comparison(give(dot, hot, published=False))
    (group,) = comparison.linewidths.groups
    assert [point.label for point in group.points] == ["1.2 nm (10 K run)", "1.2 nm (300 K run)"]


def test_a_measured_dot_of_the_same_size_is_what_is_judged(dot):
    (own,) = observe_linewidths([dot], 300.0)
    twin = measure(1.2, own.value + 2.0, 1.0)
    comparison, _ = make_comparison(give(dot, published=False, measured=(twin,)))
    (row,) = [row for row in comparison.linewidths.rows if row.difference is not None]
    assert row.difference.value == pytest.approx(-2.0)
    assert row.difference.error == pytest.approx(np.hypot(own.error, 1.0))
    verdict = list_headlines(comparison)[0]
    assert "surrogate" in verdict and f"{own.value:.0f}" in verdict


def test_without_an_overlap_it_says_so(dot):
    comparison, _ = make_comparison(give(dot))
    report = describe_comparison(comparison, {})
    assert "no overlap" in report.headlines[0].lower()
    assert "no DFT" in report.caution
    for panel in report.panels:
        if panel.name.startswith("linewidth"):
            assert any("no DFT" in note for note in panel.notes), panel.name


def test_the_papers_alone_can_be_compared():
    comparison, provenance = make_comparison(give())
    report = describe_comparison(comparison, provenance)
    assert report.caution == ""
    titles = [table.caption for table in report.tables]
    assert titles == [
        "Differences of the linewidth",
        "The surface's share of the linewidth",
        "Ligands: shell and blinking",
    ]


def test_nothing_at_all_is_refused():
    with pytest.raises(InputError, match="nothing to compare"):
        make_comparison(give(published=False))


def test_the_line_of_the_largest_dot_is_laid_over_a_spectrum(dot, spectrum_file):
    comparison, provenance = make_comparison(
        give(dot, spectrum=spectrum_file, instrument_fwhm_ev=0.003)
    )
    shape = comparison.lineshape
    assert shape.instrument_fwhm_ev == pytest.approx(0.003)
    assert shape.share.value > 0.0 and shape.share.error > 0.0
    assert "of the measured width" in list_headlines(comparison)[1]
    names = [panel.name for panel in describe_comparison(comparison, provenance).panels]
    assert {"lineshape", "lineshape_residuals"} <= set(names)
    assert provenance["files"][0]["file"]["name"] == "dot.csv"


def test_page_and_numbers_are_written(tmp_path, dot, spectrum_file):
    comparison, provenance = make_comparison(give(dot, spectrum=spectrum_file))
    page = write_comparison_report(comparison, tmp_path / "out", provenance)
    text = page.read_text()
    assert "Calculation beside measurement" in text and "Differences of the linewidth" in text
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results == json.loads(write_json(collect_comparison_results(comparison)))
    assert results["verdict"][0] == list_headlines(comparison)[0]
    assert (tmp_path / "out" / "figures" / "linewidth_edge.svg").is_file()

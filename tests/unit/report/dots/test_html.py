import dataclasses
import json
import math

import numpy as np
import pytest

from qdcomp.errors import StoreError
from qdcomp.report import DotRun, PublishedRow, ReportInput, write_report
from qdcomp.report.dots.html import render_page
from qdcomp.report.dots.summary import (
    collect_warnings,
    list_absent,
    state_difference,
    summarise_run,
    tabulate_runs,
)
from qdcomp.report.pages.strict_json import to_plain, write_json


@pytest.fixture(scope="module")
def written(report, tmp_path_factory, parse_page):
    path = write_report(report, tmp_path_factory.mktemp("run") / "report")
    return path, parse_page(path.read_text(encoding="utf-8"))


def test_page_holds_everything_and_asks_for_nothing(written):
    path, page = written
    assert page.open == []
    assert all("src" not in script for script in page.find("script"))
    links = [found["href"] for found in (*page.find("link"), *page.find("a"))]
    assert not [link for link in links if link.startswith(("http", "//"))]
    beside = [link for link in links if not link.startswith(("#", "data:"))]
    assert beside
    assert all((path.parent / link).is_file() for link in beside)
    identifiers = [found["id"] for _, found in page.elements if "id" in found]
    assert len(identifiers) == len(set(identifiers))
    named = {part for _, found in page.elements for key in ("aria-labelledby", "aria-describedby")
             for part in (found.get(key) or "").split()}  # fmt: skip
    assert named <= set(identifiers)


def test_headline_banner_and_tables_are_there(written, report):
    _, page = written
    text = page.text.replace("\u00a0", " ")
    assert summarise_run(report, report.runs[0]) in text
    assert "Surrogate engine. Trends, not absolute values." in text
    assert "−36% (−3.8 of our errors, none printed)" in text
    assert "charge chosen by hand" in text
    assert "another minimiser" in text
    assert "ab" * 32 in text


def test_plots_of_the_page_are_the_files_beside_it(written):
    path, page = written
    stems = {file.stem for file in (path.parent / "figures").glob("*.png")}
    assert stems == page.plots | {"structure", "overview"}
    for kind in ("svg", "csv"):
        assert {f.stem for f in (path.parent / "figures").glob(f"*.{kind}")} >= page.plots
    assert {"mode_coupling", "orbitals_layer", "phonon_dos_layer"} <= page.plots


def test_every_svg_of_a_surrogate_is_labelled_in_the_plot(written):
    path, page = written
    text = path.read_text(encoding="utf-8")
    start = text.index('id="plot-data">') + len('id="plot-data">')
    plots = json.loads(text[start : text.index("</script>", start)])
    assert set(plots) == page.plots
    for name, plot in plots.items():
        notes = [note["text"] for note in plot["layout"]["annotations"]]
        assert any("surrogate engine model" in note for note in notes), name


def test_markup_in_texts_is_shown_and_not_run(report, cold, parse_page):
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    hostile = dataclasses.replace(
        report,
        title=attack,
        engine_version=attack,
        surrogate_note=attack,
        runs=(DotRun(attack, cold), DotRun("other", cold)),
        warnings=(attack,),
        provenance={attack: {attack: [attack]}},
    )
    text = render_page(hostile)
    page = parse_page(text)
    assert attack in page.text
    assert "<script>alert(1)" not in text
    assert page.find("img") == []
    assert not [found for _, found in page.elements if "onerror" in found]


def test_what_is_missing_is_absent_with_a_sentence(bare, parse_page):
    sparse = ReportInput("foreign run", "cp2k", "7.1", runs=(DotRun("10 K", bare),))
    page = parse_page(render_page(sparse))
    assert page.find("canvas") == []
    assert not {name for name in page.plots if name.startswith(("orbitals", "mode_", "structure"))}
    assert "phonon_dos_layer" not in page.plots
    assert "urrogate" not in page.text
    for sentence in list_absent(sparse):
        assert sentence in page.text
    words = " ".join(list_absent(sparse))
    for part in ("normal modes", "orbital", "layers", "published", "structure", "jobs"):
        assert part in words


def test_report_without_a_run_says_so(tmp_path, parse_page):
    path = write_report(ReportInput("nothing yet", "model", "1"), tmp_path)
    page = parse_page(path.read_text(encoding="utf-8"))
    assert "No trajectory has been analysed yet" in page.text
    assert page.plots == set()


def test_temperature_series_has_figures_of_each_run(temperature_series, parse_page):
    page = parse_page(render_page(temperature_series))
    assert {"run1_dephasing", "run2_dephasing", "linewidth_temperature"} <= page.plots
    table = tabulate_runs(temperature_series)
    assert table.header == ("Quantity", "10 K", "300 K")
    assert all(len(row) == 3 for row in table.rows)
    assert "Λ by normal modes" not in {row[0] for row in table.rows}


def test_results_are_strict_json(report, written):
    folder = written[0].parent

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    results = json.loads((folder / "results.json").read_text("utf-8"), parse_constant=refuse)
    spectrum = results["runs"][0]["analysis"]["spectrum"]
    ours = report.runs[0].analysis.spectrum
    assert spectrum["reorganization_energy_ev"] == ours.reorganization_energy_ev
    assert spectrum["energies_ev"] == {"omitted_array_of_shape": [len(ours.energies_ev)]}
    assert results["engine"]["is_surrogate"] is True
    assert results["headline"] == [summarise_run(report, report.runs[0])]
    provenance = json.loads((folder / "provenance.json").read_text("utf-8"))
    assert provenance == report.provenance


def test_a_folder_that_cannot_be_made_is_named(report, tmp_path):
    (tmp_path / "report").write_text("a file")
    with pytest.raises(StoreError, match=r"cannot write the report in .*report"):
        write_report(report, tmp_path / "report")


def test_numbers_that_are_none_become_null():
    value = {"a": math.nan, "b": np.array([1.0, np.inf]), 3: np.float64(np.nan), "c": (True, None)}
    assert json.loads(write_json(value)) == {"a": None, "b": [1.0, None], "3": None,
                                             "c": [True, None]}  # fmt: skip
    assert to_plain(np.arange(4), longest_array=3) == {"omitted_array_of_shape": [4]}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (PublishedRow("q", "", 23.0, 4.0, 29.0, "t", 3.0), "−21% (−1.20 combined errors)"),
        (PublishedRow("q", "", 30.0, None, 20.0, "t", 3.0), "+50%"),
        (PublishedRow("q", "", None, None, 20.0, "t"), "–"),
    ],
)
def test_difference_in_combined_errors(row, words):
    assert state_difference(row).replace("−1.2 ", "−1.20 ") == words


def test_warnings_are_collected_once(report, cold, modes):
    twice = dataclasses.replace(report, warnings=("same", "same"))
    found = collect_warnings(twice)
    assert len(found) == len(set(found))
    assert set(cold.warnings) | set(modes.warnings) | {"same"} == set(found)

import dataclasses
import json

import pytest

from qdcomp.compare import find_published
from qdcomp.errors import InputError, StoreError
from qdcomp.report.pages.number_text import MISSING
from qdcomp.report.pages.page_shell import render_template
from qdcomp.report.surfaces.packing_tables import tabulate_packing, tabulate_rings
from qdcomp.report.surfaces.surface_content import StructurePair
from qdcomp.report.surfaces.surface_html import choose_pictures, write_surface_report
from qdcomp.report.surfaces.surface_numbers import tabulate_numbers
from qdcomp.report.surfaces.surface_published import list_published, name_published_bars
from qdcomp.report.surfaces.surface_summary import (
    collect_surface_results,
    collect_surface_warnings,
    list_absent_of_surface,
    summarise_surface_run,
)
from qdcomp.report.surfaces.surface_tables import tabulate_binding, tabulate_curves, tabulate_levels


@pytest.fixture(scope="module")
def written(two_engines, tmp_path_factory, parse_page):
    path = write_surface_report(tmp_path_factory.mktemp("run") / "report", two_engines)
    return path, parse_page(path.read_text(encoding="utf-8"))


def test_page_holds_everything_and_asks_for_nothing(written):
    path, page = written
    assert page.open == []
    assert all("src" not in script for script in page.find("script"))
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.find("img"))
    links = [found["href"] for found in (*page.find("link"), *page.find("a"))]
    beside = [link for link in links if not link.startswith(("#", "data:"))]
    assert beside
    assert all((path.parent / link).is_file() for link in beside)
    identifiers = [found["id"] for _, found in page.elements if "id" in found]
    assert len(identifiers) == len(set(identifiers))
    assert {link[1:] for link in links if link.startswith("#")} <= set(identifiers)


def test_headlines_numbers_and_failures_are_on_the_page(written, two_engines):
    text = written[1].text.replace("\u00a0", " ")
    for run in two_engines.runs:
        assert summarise_surface_run(two_engines, run) in text
    for words in ("2.00 eV", "SI Note 3", "the bound ligand has no entropy", "relax N3-a",
                  "N3-a failed", "one step did not converge", "ab" * 32):  # fmt: skip
        assert words in text


def test_the_stand_in_is_named_in_banner_headline_and_results(written, two_engines):
    path, page = written
    assert page.text.count("VASP stand-in: not a DFT result") >= 3
    results = json.loads((path.parent / "results.json").read_text("utf-8"))
    assert results["runs"][0]["engine"]["caution"] == "VASP stand-in: not a DFT result"
    assert results["runs"][1]["engine"]["caution"] == ""
    assert "stand-in" not in summarise_surface_run(two_engines, two_engines.runs[1])


def test_every_arrangement_is_drawn_and_the_chosen_ones_framed(written, coverage):
    _, page = written
    schemes = [f for f in page.find("li") if (f.get("class") or "").startswith("scheme")]
    assert len(schemes) == len(coverage.shown)
    assert sum("chosen" in found["class"] for found in schemes) == 9
    assert sum("failed" in found["class"] for found in schemes) == 1


def test_results_are_strict_json(written):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    path, _ = written
    for name in ("results.json", "provenance.json"):
        json.loads((path.parent / name).read_text("utf-8"), parse_constant=refuse)
    results = json.loads((path.parent / "results.json").read_text("utf-8"))
    curve = results["runs"][0]["curve"]
    assert curve["free_energy_ev"][3] is None
    assert curve["minimum_bound"] == 7


def test_markup_in_names_is_shown_and_not_run(surface_content, surface_run, tmp_path, parse_page):
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    run = dataclasses.replace(
        surface_run,
        scan=None,
        binding=None,
        coverage=None,
        label=attack,
        engine_name=attack,
        level={attack: attack},
        structures={attack: StructurePair(surface_run.structures["N2-a"].built)},
        packings={attack: surface_run.packings["N2-a"]},
        failures={"N3-a": attack},
        assumptions=(attack,),
        warnings=(attack,),
    )
    hostile = dataclasses.replace(surface_content, title=attack, ligand=attack, runs=(run,))
    path = write_surface_report(tmp_path, hostile)
    page = parse_page(path.read_text(encoding="utf-8"))
    assert attack in page.text
    assert "<script>alert(1)" not in path.read_text(encoding="utf-8")
    assert not [found for _, found in page.elements if "onerror" in found]
    assert all(file.parent.name == "figures" for file in (tmp_path / "figures").iterdir())


def test_a_report_of_one_number_says_what_it_does_not_show(
    surface_run, surface_content, tmp_path, parse_page
):
    bare = dataclasses.replace(
        surface_run, curve=None, binding=None, interaction=None, scan=None, coverage=None,
        packings={}, structures={}, jobs=(), failures={},
    )  # fmt: skip
    sparse = dataclasses.replace(surface_content, runs=(bare,), paper=None)
    page = parse_page(write_surface_report(tmp_path, sparse).read_text(encoding="utf-8"))
    assert page.find("canvas") == []
    assert page.find("img") == []
    for sentence in list_absent_of_surface(sparse):
        assert sentence in page.text
    words = " ".join(list_absent_of_surface(sparse))
    for part in ("no picture", "no paper", "jobs"):
        assert part in words


def test_numbers_stand_side_by_side_with_the_printed_ones(two_engines, surface_run):
    table = tabulate_numbers(two_engines, list_published(two_engines))
    assert table.header == ("Quantity", "VASP", "CP2K", "Published", "Where")
    rows = {row[0]: row[1:] for row in table.rows}
    energy = surface_run.binding.value_ev
    assert energy == pytest.approx(1.94)
    assert rows["Binding energy of one ligand"][0] == "1.94 eV [−3%]"
    assert rows["Binding energy of one ligand"][2:] == ("2.00 eV", "mi2025, SI Note 3")
    assert rows["Minimum of ΔG(N)"][:3] == ("N = 7 of 8", "N = 7 of 8", "N = 8 of 8")
    assert rows["Least energy of the scan"][1] == MISSING
    assert "Interaction of all the ligands taken" not in rows


def test_a_value_that_is_missing_is_no_zero(surface_content, surface_run):
    curves = tabulate_curves(surface_content)
    gap = curves.rows[3]
    assert gap[0] == "3"
    assert set(gap[1:]) == {MISSING}
    no_error = tabulate_numbers(surface_content, {})
    assert all(row[-2:] == (MISSING, MISSING) for row in no_error.rows)


def test_the_average_has_a_column_where_all_configurations_were_computed(two_engines):
    lowest_alone, every = two_engines.runs
    assert not lowest_alone.curve.has_average
    header = tabulate_curves(two_engines).header
    averages = [name for name in header if "with configurations" in name]
    assert averages == [f"{every.label}: with configurations (eV)"]
    alone = tabulate_curves(dataclasses.replace(two_engines, runs=(lowest_alone,)))
    assert not any("configurations" in text for text in (*alone.header, alone.note))


def test_errors_stand_behind_their_values(surface_content):
    curves = tabulate_curves(surface_content)
    assert all("±" in row[1] for row in curves.rows if row[0] not in {"0", "3"})


def test_published_numbers_are_those_of_the_collection(surface_content, surface_run):
    energies = find_published("mi2025.binding_energy_ev").value
    pea = list_published(surface_content)
    assert pea["binding"].value == energies["PEA"]
    assert pea["minimum"].text == "N = 8 of 8"
    assert pea["pair"].text == "−0.08 eV"
    assert "chains" not in pea
    whole = dataclasses.replace(surface_run, entropy_ligand="DDA")
    dda = list_published(dataclasses.replace(surface_content, ligand="DDA_C8", runs=(whole,)))
    assert dda["binding"].value == energies["DDA_truncated"]
    assert dda["entropy"].value == find_published("mi2025.gas_phase_TS_298K_ev").value["DDA_full"]
    assert (dda["carbons"].value, dda["carbons"].text) == (None, "< 4 Å")
    assert dda["minimum"].value == 7.0
    assert dda["chains"].text == "5.7 1/nm²"


def test_the_truncated_ligand_is_not_held_against_the_entropy_of_the_whole_one(
    surface_content, surface_run
):
    own = dataclasses.replace(surface_run, entropy_ligand="DDA_C8")
    content = dataclasses.replace(surface_content, ligand="DDA_C8", runs=(own,))
    assert "entropy" not in list_published(content)


@pytest.mark.parametrize("change", [{"ligand": "OLA"}, {"paper": None}, {"paper": "raino2022"}])
def test_other_ligands_and_papers_have_nothing_printed_beside(surface_content, surface_run, change):
    runs = (dataclasses.replace(surface_run, entropy_ligand=""),)
    published = list_published(dataclasses.replace(surface_content, runs=runs, **change))
    assert published == {}
    assert name_published_bars(surface_content, published) == {}


def test_tables_of_packing_rings_settings_and_binding(surface_content, surface_run):
    packing = tabulate_packing(surface_content)
    of_layer = surface_run.packings["N2-a"]
    row = dict(zip(packing.header, packing.rows[0], strict=True))
    assert row["Ligands"] == "2 PEA"
    assert float(row["Nearest C–C (Å)"]) == pytest.approx(
        of_layer.nearest_carbon_angstrom, abs=5e-3
    )
    rings = tabulate_rings(surface_content)
    distances = [pair.centroid_distance_angstrom for pair in of_layer.ring_pairs]
    assert [float(row[2]) for row in rings.rows] == pytest.approx(distances[:12], abs=5e-3)
    levels = dict(tabulate_levels(surface_content).rows)
    assert levels["functional"] == "PBE"
    parts = dict(tabulate_binding(surface_content).rows)
    assert parts["counted from"] == "ion pair"
    assert parts["total energy, complex"] == "−602.1500 eV"


def test_pictures_leave_out_configurations_that_are_not_the_lowest(surface_content, surface_run):
    pair = surface_run.structures["N2-a"]
    run = dataclasses.replace(
        surface_run,
        curve=dataclasses.replace(
            surface_run.curve,
            configurations=(
                *surface_run.curve.configurations,
                dataclasses.replace(surface_run.curve.configurations[0], name="N2-b", bound=2),
            ),
        ),
        structures={"N2-b": pair, "N2-a": pair, "ion_pair": pair},
    )
    content = dataclasses.replace(surface_content, runs=(run,))
    assert [picture.label for picture in choose_pictures(content)] == ["N2-a", "ion_pair"]


def test_warnings_are_collected_once_with_their_run(two_engines):
    found = collect_surface_warnings(two_engines)
    assert len(found) == len(set(found))
    assert "VASP: one step did not converge" in found
    assert sum("N3-a" in text for text in found) == 1


def test_runs_need_labels_of_their_own(surface_content, surface_run, tmp_path):
    twice = dataclasses.replace(surface_content, runs=(surface_run, surface_run))
    with pytest.raises(InputError, match="label of its own"):
        write_surface_report(tmp_path, twice)
    with pytest.raises(InputError, match="at least one"):
        write_surface_report(tmp_path, dataclasses.replace(surface_content, runs=()))


def test_a_folder_that_cannot_be_made_is_named(surface_content, tmp_path):
    (tmp_path / "report").write_text("a file")
    with pytest.raises(StoreError, match=r"cannot write the report in .*report"):
        write_surface_report(tmp_path / "report", surface_content)


def test_results_name_each_configuration_and_its_state(surface_content):
    (run,) = collect_surface_results(surface_content)["runs"]
    chosen = [entry["name"] for entry in run["configurations"] if entry["chosen"]]
    assert len(chosen) == 9
    assert run["failures"] == {"N3-a": "SCF did not converge"}
    assert run["structures"]["N2-a"]["relaxed"]["ligands"] == ["PEA", "PEA"]


def test_a_template_that_lacks_a_value_fails_loudly():
    with pytest.raises(Exception, match="undefined"):
        render_template("report/surface.html.j2", [], None)

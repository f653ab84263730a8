import csv
import json
from html.parser import HTMLParser

import pytest
from builders.campaign_runs import make_binding_run, make_dot_run
from plotly.offline import get_plotlyjs

from qdcomp.errors import InputError
from qdcomp.report.campaigns import campaign_page
from qdcomp.report.campaigns.campaign_page import group_comparable, report_campaign
from qdcomp.report.dots.content import MadeReport
from qdcomp.report.dots.html import render_page
from qdcomp.report.pages.shared_assets import share_library, write_library


class Table(HTMLParser):
    """Attributes of the rows of the index, and of every element with an id."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.links, self.by_id, self.heads = [], [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "tr" and "data-state" in found:
            self.rows.append(found)
        if tag == "a":
            self.links.append(found["href"])
        if tag == "th":
            self.heads.append(found.get("scope"))
        if "id" in found:
            self.by_id[found["id"]] = found | {"tag": tag}


def make_runs(root, cold):
    make_dot_run(root / "dot", (cold,), reference="reference: {paper: raino2022, dot: 1.8 nm}")
    make_dot_run(root / "begun")
    make_binding_run(root / "pea", "5.4.4.stand-in", 1.5)
    (root / "torn").mkdir()
    (root / "torn" / "study.yaml").write_text("name: [")
    (root / "nothing").mkdir()
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory, cold):
    root = tmp_path_factory.mktemp("made")
    return report_campaign([make_runs(root / "runs", cold)], root / "campaign")


@pytest.fixture
def runs(tmp_path, cold, monkeypatch):
    """The same runs to change, and a campaign that spends no time on drawing."""
    monkeypatch.setattr(campaign_page, "campaign_panels", lambda rows: ())
    return make_runs(tmp_path / "runs", cold)


def test_every_run_is_a_row_whatever_its_state(made):
    table = Table(made.path.read_text())
    states = {row["data-run"]: row["data-state"] for row in table.rows}
    assert states == {
        "begun": "unfinished", "dot": "finished", "nothing": "no run", "pea": "finished",
        "torn": "damaged",
    }  # fmt: skip
    expected = "2 of 4 runs finished; 1 unfinished; 1 damaged; 1 folder without a run"
    assert made.headline == (expected,)
    assert expected in made.path.read_text()


def test_own_pages_are_beside_and_lead_back(made):
    folder = made.path.parent
    table = Table(made.path.read_text())
    pages = [link for link in table.links if link.startswith("pages/") and "#" not in link]
    assert pages == ["pages/dot/index.html", "pages/pea/index.html"]
    for page in pages:
        text = (folder / page).read_text()
        assert 'href="../../index.html"' in text
        assert (folder / page).with_name("figures").is_dir()


def test_the_index_is_small_and_names_nothing_far(made):
    text = made.path.read_text()
    assert len(text.encode()) < 300_000
    assert 'src="assets/plotly.min.js"' in text and "http" not in text.replace("http-equiv", "")
    assert (made.path.parent / "assets" / "plotly.min.js").stat().st_size > 1e6
    table = Table(text)
    for link in table.links:
        if not link.startswith("#"):
            assert (made.path.parent / link.split("#")[0]).is_file(), link
        else:
            assert link[1:] in table.by_id


def test_it_can_be_read_out(made):
    table = Table(made.path.read_text())
    assert table.by_id["count"]["aria-live"] == "polite"
    assert table.by_id["filters"]["role"] == "search"
    assert set(table.heads) == {"col", "row"}
    for key in ("text", "kind", "engine", "size", "ligand", "state"):
        assert f"filter-{key}" in table.by_id


def test_the_table_is_in_files_too(made):
    folder = made.path.parent
    rows = json.loads((folder / "runs.json").read_text())
    with (folder / "runs.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["run"] for row in table] == [row["run"] for row in rows]
    assert {row["caution"] for row in rows} == {
        "", "surrogate engine model, not first principles", "VASP stand-in: not a DFT result",
    }  # fmt: skip
    assert (folder / "figures" / "linewidth_edge.csv").is_file()


def test_hostile_texts_stay_texts(runs, tmp_path):
    study = runs / "begun" / "study.yaml"
    mark = '"><script>alert(1)</script>'
    study.write_text(
        "\n".join(
            f"description: '{mark}'" if line.startswith("description") else line
            for line in study.read_text().splitlines()
        )
    )
    text = report_campaign([runs], tmp_path / "campaign").path.read_text()
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text


def test_a_comparison_in_the_folder_is_linked(runs, tmp_path):
    page = tmp_path / "campaign" / "compare" / "index.html"
    made = report_campaign([runs], tmp_path / "campaign")
    assert "compare/index.html" not in made.path.read_text()
    page.parent.mkdir()
    page.write_text("kept")
    again = report_campaign([runs], tmp_path / "campaign")
    assert "compare/index.html" in Table(again.path.read_text()).links
    assert page.read_text() == "kept"


def test_runs_of_one_study_of_ligands_get_a_page_together(runs, tmp_path, monkeypatch):
    make_binding_run(runs / "pea_cp2k", "2024.1", 1.7, "cp2k")
    asked = []

    def write(found, states, directory):
        asked.append([run.study.engine for run in found])
        directory.mkdir(parents=True)
        (directory / "index.html").write_text("together")
        return MadeReport(directory / "index.html", (), ())

    monkeypatch.setattr(campaign_page, "report_side_by_side", write)
    made = report_campaign([runs], tmp_path / "campaign")
    assert asked == [["vasp", "cp2k"]]
    links = Table(made.path.read_text()).links
    assert "side_by_side/mi2025_pea_binding/index.html" in links


def test_what_cannot_stand_side_by_side_is_a_warning(runs, tmp_path):
    make_binding_run(runs / "pea_cp2k", "2024.1", 1.7, "cp2k")  # no structure to draw
    made = report_campaign([runs], tmp_path / "campaign")
    (warning,) = made.warnings
    assert warning.startswith("no page of mi2025_pea_binding side by side: ")
    assert "side_by_side/" not in made.path.read_text()


def test_groups_are_of_one_ligand_and_one_recipe(tmp_path, cold):
    pea = [make_binding_run(tmp_path / name, "1", 1.0) for name in ("a", "b")]
    dot = make_dot_run(tmp_path / "dot", (cold,))
    assert group_comparable([pea[0], dot, pea[1]]) == [pea]
    assert group_comparable([pea[0], dot]) == []


def test_a_campaign_never_goes_into_a_run(runs):
    before = sorted((runs / "dot").rglob("*"))
    with pytest.raises(InputError, match="is a run; choose another folder with --out"):
        report_campaign([runs], runs / "dot")
    assert sorted((runs / "dot").rglob("*")) == before


def test_a_campaign_beside_its_runs_leaves_them_alone(runs):
    def list_runs():
        return sorted(path for name in ("dot", "pea") for path in (runs / name).rglob("*"))

    before = list_runs()
    report_campaign([runs], runs)
    assert list_runs() == before
    made = report_campaign([runs], runs)  # its own folders hold no run
    assert made.headline[0].startswith("2 of 4 runs finished")


def test_no_run_at_all_is_an_error(tmp_path):
    with pytest.raises(InputError, match="not the folder of a run, and none inside"):
        report_campaign([tmp_path], tmp_path / "campaign")


def test_a_real_page_shares_its_library_and_shows_the_same(report, tmp_path):
    page = tmp_path / "pages" / "one" / "index.html"
    page.parent.mkdir(parents=True)
    whole = render_page(report)
    page.write_text(whole)
    library = write_library(tmp_path)
    assert share_library(page, library, tmp_path / "index.html")
    text = page.read_text()
    assert len(text) < 300_000 < len(whole)
    assert '<script src="../../assets/plotly.min.js"></script>' in text
    assert "script-src 'self' file: 'unsafe-inline'" in text
    rest = whole.replace(f"<script>{get_plotlyjs()}</script>", "")
    assert abs(len(rest) - len(text)) < 300


def test_pictures_beside_a_page_are_not_held_twice(tmp_path):
    page = tmp_path / "pages" / "one" / "index.html"
    (page.parent / "figures").mkdir(parents=True)
    (page.parent / "figures" / "a b.png").write_bytes(b"\x89PNG")
    closed = "script-src 'unsafe-inline'; img-src data: blob:"
    held = '<img src="data:image/png;base64,iVBORw==" alt="x">'
    page.write_text(f"{closed}{held}<script>{get_plotlyjs()}</script>")
    library = write_library(tmp_path)
    assert share_library(page, library, tmp_path / "index.html")
    assert '<img src="figures/a%20b.png" loading="lazy" alt="x">' in page.read_text()


def test_a_page_with_another_library_keeps_it(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("script-src 'unsafe-inline'<script>older plotly</script>")
    assert not share_library(page, write_library(tmp_path), tmp_path / "all.html")
    assert "script-src 'unsafe-inline'<script>older plotly</script>" in page.read_text()

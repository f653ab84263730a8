import pytest

from qdcomp.compare.published import find_published, load_coupling_table, load_published
from qdcomp.compare.published_linewidths import list_published_linewidths
from qdcomp.errors import InputError, ParseError

OWN = """
smith2024:
  doi: 10.1000/example
  measured:
    - {what: single dot, edge_nm: 6.1, edge_error_nm: 0.4, fwhm_mev: 92, fwhm_error_mev: 3,
       temperature_k: 77, where: Fig. 2}
    - {what: range of dots, fwhm_mev: [60, 90], where: abstract}
  coupling_table:
    where: Table 1
    rows:
      - {dot: 2.4 nm, cells: 4, S_2meV: 18, S_7meV: 6, S_17meV: 1, fwhm_300K_mev: 160,
         fwhm_300K_error_mev: 12}
"""


def write(folder, text, name="own.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_own_file_of_the_shipped_form_is_read_beside_the_shipped_numbers(tmp_path):
    published = load_published([write(tmp_path, OWN)])
    assert set(published) == {*load_published(), "smith2024"}
    assert find_published("smith2024.measured", published).doi == "10.1000/example"
    (row,) = load_coupling_table("smith2024", published)
    assert (row.cells, row.fwhm_300k_mev, row.where) == (4, 160.0, "Table 1")
    calculated, measured = [
        point
        for point in list_published_linewidths(published=published)
        if "smith2024" in point.source
    ]
    assert (calculated.value, calculated.error, calculated.edge_nm.value) == (160.0, 12.0, 2.4)
    assert (measured.value, measured.error, measured.temperature_k) == (92.0, 3.0, 77.0)
    assert (measured.edge_nm.value, measured.edge_nm.error) == (6.1, 0.4)
    assert measured.assumptions == ()


def test_every_shipped_entry_can_be_copied_into_a_file_of_ones_own(tmp_path):
    import yaml

    shipped = {f"{key}_copy": paper for key, paper in load_published().items()}
    path = write(tmp_path, yaml.safe_dump(shipped, allow_unicode=True))
    assert len(list_published_linewidths(published=load_published([path]))) == 2 * len(
        list_published_linewidths()
    )


def test_shipped_numbers_are_not_touched_by_a_file(tmp_path):
    load_published([write(tmp_path, OWN)])
    assert "smith2024" not in load_published()


def test_a_paper_that_is_there_already_is_refused(tmp_path):
    clash = write(tmp_path, "raino2022: {measured: [{what: dot, fwhm_mev: 3}]}")
    with pytest.raises(InputError, match=r"'raino2022' is in the numbers of qdcomp already"):
        load_published([clash])
    twice = [write(tmp_path, OWN, "a.yaml"), write(tmp_path, OWN, "b.yaml")]
    with pytest.raises(InputError, match=r"b\.yaml.*'smith2024' is in another file already"):
        load_published(twice)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("smith: {mesured: []}", "unknown key 'mesured'; nearest: 'measured'"),
        ("smith: {measured: [{what: dot, fwhm: 3}]}", "unknown key 'fwhm'; nearest: 'fwhm_mev'"),
        ("smith: {measured: [{what: dot}]}", "has no fwhm_mev"),
        ("smith: {measured: [{what: dot, fwhm_mev: broad}]}", "'broad'; expected a positive"),
        ("smith: {measured: [{what: dot, fwhm_mev: -3}]}", "expected a positive number"),
        ("smith: {measured: [{what: dot, fwhm_mev: 70, fwhm_error_mev: 0}]}", "positive number"),
        ("smith: {measured: [{what: dot, fwhm_mev: .nan}]}", "expected a positive number"),
        ("smith: {measured: [{what: dot, fwhm_mev: 3, where: Fig. 2, 5}]}", "comma in quotes"),
        ("smith: {measured: [3]}", "expected keys with values"),
        ("smith: {measured: {what: dot, fwhm_mev: 3}}", "expected keys with values"),
        ("smith: {coupling_table: [1]}", "no list of rows"),
        ("smith: {coupling_table: {rows: [{dot: 1.8 nm}]}}", "has no cells, S_2meV"),
        ("smith: {coupling_table: {wher: x, rows: []}}", "'wher'; nearest: 'where'"),
        ("smith: {linewidth: {fwhm_mev: 3, edge: 4}}", "unknown key 'edge'; nearest: 'edge_nm'"),
        ("smith: 3", "expected a paper with its entries"),
        ("- 3", "has no papers"),
        ("", "has no papers"),
    ],
)
def test_what_nobody_would_read_is_refused_with_the_nearest(tmp_path, text, complaint):
    with pytest.raises(InputError, match=complaint):
        load_published([write(tmp_path, text)])


def test_file_that_is_no_yaml_is_refused_with_its_line(tmp_path):
    path = write(tmp_path, "smith:\n  measured: [")
    with pytest.raises(ParseError, match=r"own\.yaml, line"):
        load_published([path])


def test_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        load_published([tmp_path / "none.yaml"])

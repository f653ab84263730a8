"""``qdcomp spectrum`` as a user calls it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.errors import InputError, ParseError

runner = CliRunner()

WAVELENGTHS = np.linspace(470.0, 560.0, 512)


def write_spectrum(path, peak_nm=505.0, frames=1, height=900.0):
    rng = np.random.default_rng(round(peak_nm))
    offsets = 1239.842 / WAVELENGTHS - 1239.842 / peak_nm
    line = height / (1 + (2 * offsets / 0.07) ** 2) + 30.0
    columns = [rng.poisson(line) for _ in range(frames)]
    names = ",".join(f"frame {k}" for k in range(frames))
    np.savetxt(
        path,
        np.column_stack([WAVELENGTHS, *columns]),
        delimiter=",",
        header=f"wavelength [nm],{names}",
        comments="",
    )
    return path


def test_one_file_becomes_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_spectrum(tmp_path / "dot.csv")
    result = runner.invoke(application, ["spectrum", "dot.csv", "--window", "480:540"])
    assert result.exit_code == 0, result.exception or result.output
    assert "peak 2.45" in result.output and "FWHM" in result.output
    folder = tmp_path / "dot-spectrum"
    page = (folder / "index.html").read_text()
    assert "Emission line, two half-Voigts" in page
    results = json.loads((folder / "results.json").read_text())
    assert results["line"]["peak_energy_ev"]["error"] > 0
    provenance = json.loads((folder / "provenance.json").read_text())
    assert len(provenance["file"]["sha256"]) == 64
    assert provenance["analysis"]["window_nm"] == [480.0, 540.0]
    assert {path.name for path in (folder / "figures").glob("*.png")} >= {
        "emission_line.png",
        "emission_residuals.png",
    }


def test_a_series_is_followed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_spectrum(tmp_path / "series.csv", frames=8)
    result = runner.invoke(
        application,
        ["spectrum", "series.csv", "--frame-period", "10", "--model", "voigt", "--out", "here"],
    )
    assert result.exit_code == 0, result.exception or result.output
    assert (tmp_path / "here/figures/peak_energy.csv").is_file()
    assert "Spectral diffusion" in (tmp_path / "here/index.html").read_text()


def test_json_is_all_that_is_printed(tmp_path):
    path = write_spectrum(tmp_path / "dot.csv")
    result = runner.invoke(application, ["spectrum", str(path), "--json"])
    found = json.loads(result.stdout)
    assert found["size"]["edge_nm"]["value"] > 5
    assert not (tmp_path / "dot-spectrum").exists()


def test_many_dots_come_out_in_one_table_and_broken_files_are_named(tmp_path):
    files = [str(write_spectrum(tmp_path / f"d{peak}.csv", peak)) for peak in (495, 505, 515)]
    broken = tmp_path / "broken.csv"
    broken.write_bytes(b"\x00\x01\x02")
    result = runner.invoke(application, ["spectrum", *files, str(broken), "--model", "lorentzian"])
    assert result.exit_code == 0, result.exception or result.output
    assert "d495.csv" in result.output and "3 dots: mean FWHM" in result.output
    assert "left out" in result.output and "broken.csv" in result.output


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--model", "triangle"], InputError),
        (["--window", "600:700"], InputError),
        (["--sizing", "nobody"], InputError),
    ],
)
def test_wrong_options_are_refused(tmp_path, arguments, error):
    path = write_spectrum(tmp_path / "dot.csv")
    result = runner.invoke(application, ["spectrum", str(path), *arguments])
    assert isinstance(result.exception, error)


def test_a_window_that_is_none_and_a_file_that_is_not_there(tmp_path):
    path = write_spectrum(tmp_path / "dot.csv")
    result = runner.invoke(application, ["spectrum", str(path), "--window", "540-480"])
    assert result.exit_code == 2 and "expected FROM:TO" in result.output
    result = runner.invoke(application, ["spectrum", str(tmp_path / "none.csv")])
    assert isinstance(result.exception, ParseError | InputError)


def test_the_name_of_a_file_is_shown_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "<img src=x onerror=alert(1)>$x^{.csv"
    write_spectrum(tmp_path / name)
    result = runner.invoke(application, ["spectrum", name, "--model", "voigt", "--out", "here"])
    assert result.exit_code == 0, result.exception or result.output
    page = (tmp_path / "here" / "index.html").read_text()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page

from pathlib import Path

import numpy as np
import pytest
from builders.sif_files import write_sif

from qdcomp.errors import InputError, ParseError
from qdcomp.experiment.files.spectrum_files import read_spectra, read_spectrum
from qdcomp.experiment.spectra.spectrum import HC_EV_NM

AXIS = np.round(np.linspace(500.0, 520.0, 41), 2)
COUNTS = np.arange(41) + 7.0


def write(tmp_path: Path, text: str, name: str = "a.txt") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("separator", "mark", "header"),
    [
        (",", ".", "wavelength,counts\n"),
        ("\t", ".", ""),
        ("\t", ",", "# Wellenlänge\tZählrate\n"),
        (";", ",", "nm;a.u.\n"),
        (";", ".", "dot 7\n2024\n\nWavelength (nm);Intensity\n"),
        ("  ", ".", "% nm counts\n"),
        (" ", ",", "Wavelength [nm]  Counts\n\n"),
    ],
)
def test_columns_are_read_however_they_are_written(
    tmp_path: Path, separator: str, mark: str, header: str
) -> None:
    rows = [
        f"{x:.2f}{separator}{y:.1f}".replace(".", mark) for x, y in zip(AXIS, COUNTS, strict=True)
    ]
    if separator == ",":
        rows = [f"{x:.2f},{y:.1f}" for x, y in zip(AXIS, COUNTS, strict=True)]
    spectrum = read_spectrum(write(tmp_path, header + "\r\n".join(rows) + "\n"))
    np.testing.assert_allclose(spectrum.wavelengths_nm, AXIS)
    np.testing.assert_allclose(spectrum.counts, COUNTS)
    assert any("unit" in note for note in spectrum.warnings) == ("nm" not in header)


def test_a_falling_axis_is_turned(tmp_path: Path) -> None:
    text = "".join(f"{x} {y}\n" for x, y in zip(AXIS[::-1], COUNTS[::-1], strict=True))
    spectrum = read_spectrum(write(tmp_path, text))
    np.testing.assert_allclose(spectrum.wavelengths_nm, AXIS)
    np.testing.assert_allclose(spectrum.counts, COUNTS)


@pytest.mark.parametrize(
    ("unit", "header", "factor"),
    [
        ("eV", "Energy (eV),counts", 1.0),
        ("meV", "E [meV],counts", 1e3),
        ("cm-1", "wavenumber (cm-1),counts", 1e7 / HC_EV_NM),
    ],
)
def test_energies_become_vacuum_wavelengths(
    tmp_path: Path, unit: str, header: str, factor: float
) -> None:
    energies = np.linspace(2.3, 2.6, 31)
    rows = "".join(f"{e * factor:.8f},{10 + e}\n" for e in energies)
    by_header = read_spectrum(write(tmp_path, f"{header}\n{rows}"))
    by_argument = read_spectrum(write(tmp_path, rows), axis_unit=unit)  # type: ignore[arg-type]
    np.testing.assert_allclose(by_header.wavelengths_nm, HC_EV_NM / energies[::-1], rtol=1e-7)
    np.testing.assert_array_equal(by_header.wavelengths_nm, by_argument.wavelengths_nm)
    assert any("counts per pixel" in note for note in by_header.warnings)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("  \n\n", "is empty"),
        ("no numbers\nhere\n", "no two columns of numbers"),
        ("1\n2\n3\n", "no two columns of numbers"),
        ("\0\1\2\3 binary", "is binary"),
        ("500 1\n501 2\n502 3\n501.5 4\n503 5\n504 6\n", "turn back"),
        ("500 1\n501 2\n502 nan\n503 5\n504 6\n505 6\n", "line 3.*not finite"),
        ("500 1\n501 2\n50x 3\n503 5\n504 6\n505 6\n", "line 4.*no row of numbers"),
        ("500 1\n501 2\n502\n503 5\n504 6\n505 6\n", "line 4.*no row of numbers"),
        ("500 1\n501 2\n502 3\n503 5\n504 6\n505", "cut off"),
        ("500 1 1\n501 2 2\n502 3 3\n503 5 5\n504 6 6\n505 7", "line 6.*2 columns"),
        ("500 1\n501 2\n502 3\n", "3 pixels are no spectrum"),
        ("2.1 1\n2.2 2\n2.3 3\n2.4 3\n2.5 2\n", "give axis_unit"),
        ("1 9\n2 9\n3 8\n4 9\n5 9\n6 9\n", "pixel numbers"),
        ("Raman shift (cm-1),counts\n100,1\n200,2\n300,3\n400,4\n500,5\n", "Raman shift"),
    ],
)
def test_a_bad_file_says_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ParseError, match=complaint):
        read_spectrum(write(tmp_path, text))


def test_negative_counts_are_kept_and_noted(tmp_path: Path) -> None:
    text = "".join(f"{x} {y}\n" for x, y in zip(AXIS, COUNTS - 10.0, strict=True))
    assert any("negative" in note for note in read_spectrum(write(tmp_path, text)).warnings)
    told = read_spectrum(write(tmp_path, text), background_subtracted=True)
    assert told.background_subtracted
    assert not any("negative" in note for note in told.warnings)


def test_andors_text_gives_the_exposure_of_all_accumulations(shared_data: Path) -> None:
    spectrum = read_spectrum(shared_data / "photon/sif_parser_raman1.asc")
    assert len(spectrum) == 1024
    assert spectrum.exposure_s == pytest.approx(50.0)
    assert spectrum.metadata["Model"] == "DU888_BV"
    assert not spectrum.background_subtracted


def test_a_corrected_sif_file_is_known_as_such(shared_data: Path) -> None:
    spectrum = read_spectrum(shared_data / "photon/sif_parser_cli-0.sif")
    assert spectrum.background_subtracted
    assert any("per second" in note for note in spectrum.warnings)
    export = read_spectrum(shared_data / "photon/sif_parser_cli-0.csv")
    np.testing.assert_array_equal(spectrum.counts, export.counts)
    np.testing.assert_allclose(spectrum.wavelengths_nm, export.wavelengths_nm, rtol=1e-6)


def test_a_series_of_many_columns_is_one_spectrum_a_column(tmp_path: Path) -> None:
    table = np.column_stack((AXIS, COUNTS, 2 * COUNTS, 3 * COUNTS))
    path = write(tmp_path, "\n".join("\t".join(f"{v:g}" for v in row) for row in table))
    series = read_spectra(path, frame_period_s=300.0)
    np.testing.assert_allclose(series.times_s, [0.0, 300.0, 600.0])
    np.testing.assert_allclose(series.spectra[2].counts, 3 * COUNTS)
    assert "1 s apart" in read_spectra(path).warnings[0]
    with pytest.raises(InputError, match="holds 3 spectra"):
        read_spectrum(path)
    np.testing.assert_allclose(read_spectrum(path, frame=1).counts, 2 * COUNTS)


def test_a_kinetic_sif_file_is_a_series(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).poisson(50.0, (7, 32))
    series = read_spectra(write_sif(tmp_path / "a.sif", frames, cycle_s=1.5))
    assert len(series) == 7
    np.testing.assert_allclose(np.diff(series.times_s), 1.5)
    np.testing.assert_array_equal(series.spectra[4].counts, frames[4])


def test_sif_files_that_are_no_spectra_say_why(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="images of 4 rows"):
        read_spectra(write_sif(tmp_path / "a.sif", np.ones((1, 4, 32))))
    with pytest.raises(ParseError, match="calibrate"):
        read_spectra(write_sif(tmp_path / "b.sif", np.ones((1, 32)), axis_name="Pixel number"))
    with pytest.raises(ParseError, match="not finite"):
        read_spectra(write_sif(tmp_path / "c.sif", np.full((1, 32), np.nan)))
    with pytest.raises(ParseError, match="turn back"):
        read_spectra(
            write_sif(tmp_path / "d.sif", np.ones((1, 64)), coefficients=(500.0, 1.0, -0.02, 0.0))
        )


def test_damaged_files_are_read_or_refused_but_nothing_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    text = "Wavelength (nm)\tCounts\n" + "".join(
        f"{x:.2f}\t{y:.0f}\n" for x, y in zip(AXIS, COUNTS, strict=True)
    )
    sif = write_sif(tmp_path / "whole.sif", rng.poisson(100.0, (5, 64))).read_bytes()
    refused = 0
    for trial in range(400):
        data = bytearray(sif if trial % 2 else text.encode())
        kind = trial // 2 % 4
        at = int(rng.integers(len(data)))
        length = int(rng.integers(1, 60))
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at:at] = bytes(rng.integers(0, 256, length, dtype=np.uint8))
        else:
            for place in rng.integers(0, len(data), length):
                data[place] = rng.integers(0, 256)
        path = tmp_path / "damaged"
        path.write_bytes(bytes(data))
        try:
            series = read_spectra(path)
        except (ParseError, InputError):
            refused += 1
            continue
        for spectrum in series.spectra:
            assert np.all(np.isfinite(spectrum.counts))
            assert np.all(np.diff(spectrum.wavelengths_nm) > 0.0)
    assert 100 < refused < 400

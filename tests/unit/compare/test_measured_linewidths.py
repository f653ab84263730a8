import json

import numpy as np
import pytest
from builders.emission_spectra import count_photons, expected_counts, make_line

from qdcomp.compare import observe_fitted_line, read_measured_linewidths
from qdcomp.errors import ParseError
from qdcomp.experiment import fit_emission_spectrum
from qdcomp.report.pages.strict_json import write_json


@pytest.fixture(scope="module")
def fit():
    line = expected_counts("double_half_voigt", make_line("double_half_voigt", 1e5))
    return fit_emission_spectrum(count_photons(line, np.random.default_rng(4)))


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_the_spectrum_command_writes_is_read_back(tmp_path, fit):
    line = {"fwhm_mev": fit.fwhm_mev, "peak_energy_ev": fit.peak_energy_ev}
    one = write(tmp_path / "one.json", write_json({"source": "dots/a.csv", "line": line}))
    many = write(
        tmp_path / "many.json", write_json({"dots": {"a.csv": {"line": line}}, "failed": {}})
    )
    for path in (one, many):
        (found,) = read_measured_linewidths(path, temperature_k=300.0)
        assert found == observe_fitted_line(fit, "a.csv", temperature_k=300.0)
        assert found.unit == "meV" and found.origin == "measured" and not found.assumptions


def test_an_unstated_temperature_is_room_temperature_and_said(fit):
    found = observe_fitted_line(fit, "a dot")
    assert found.temperature_k == 300.0
    assert "unstated temperature" in found.assumptions[0]


def test_a_width_without_an_error_keeps_none(tmp_path):
    line = {
        "fwhm_mev": {"value": 70.0, "error": None},
        "peak_energy_ev": {"value": 2.4, "error": 0.001},
    }
    (found,) = read_measured_linewidths(write(tmp_path / "a.json", {"line": line}))
    assert found.error is None


@pytest.mark.parametrize(
    "content, reason",
    [
        ("{", "no JSON"),
        ("[]", "qdcomp spectrum --table --json"),
        ({"other": 1}, "qdcomp spectrum --table --json"),
        ({"dots": {}}, "no dot"),
        ({"dots": {"a": {"line": {"fwhm_mev": None}}}}, "a has no usable linewidth"),
        ({"line": {"fwhm_mev": {"value": "x", "error": 1}}}, "no usable linewidth"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, content, reason):
    path = write(tmp_path / "wrong.json", content)
    with pytest.raises(ParseError, match=reason) as caught:
        read_measured_linewidths(path)
    assert "wrong.json" in str(caught.value)
    with pytest.raises(ParseError, match="no JSON"):
        read_measured_linewidths(tmp_path / "missing.json")

"""``qdcomp photons`` as a user calls it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from qdcomp.cli.application import application
from qdcomp.errors import InputError, ParseError

runner = CliRunner()


@pytest.fixture
def dot(shared_data):
    return shared_data / "photon/tsb_hydraharp_v20_t3.ptu"


def test_a_real_dot_becomes_a_report(dot, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = runner.invoke(application, ["photons", str(dot)])
    assert result.exit_code == 0, result.exception or result.output
    assert "g2(0) = 0.17 ± 0.05" in result.output
    folder = tmp_path / "tsb_hydraharp_v20_t3-photons"
    page = (folder / "index.html").read_text()
    assert "59 55 59 58 54 10 65 69 64 68 48" in page
    assert {path.stem for path in (folder / "figures").glob("*.svg")} >= {
        "blinking_trace",
        "durations",
        "intensity_levels",
        "intensity_correlation",
        "photodarkening",
        "pulsed_g2",
        "gated_g2",
        "long_delay_g2",
        "decay",
        "decay_by_intensity",
        "lifetime_trace",
        "flid",
    }
    results = json.loads((folder / "results.json").read_text())
    assert results["mandel"]["all_bins"]["value"] == pytest.approx(24.0, abs=0.5)
    assert results["g2"]["coincidences"][5] == 10
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["stream"]["photons_per_channel"] == {"0": 45012, "1": 32871}


def test_g2_of_chosen_intensities_says_what_was_chosen(dot, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = runner.invoke(application, ["photons", str(dot), "--g2-of", "on", "--out", "on"])
    assert result.exit_code == 0, result.exception or result.output
    assert "ON time" in (tmp_path / "on/index.html").read_text()
    found = json.loads((tmp_path / "on/results.json").read_text())["g2"]
    assert found["photons_of"] == "ON time" and 0.2 < found["time_share"] < 0.5
    assert sum(found["coincidences"]) < 609
    provenance = json.loads((tmp_path / "on/provenance.json").read_text())
    assert provenance["analysis"]["g2_of"] == "on"
    wrong = runner.invoke(application, ["photons", str(dot), "--g2-of", "bright"])
    assert wrong.exit_code == 2 and "20-50" in wrong.output


def test_a_stream_without_pulses_leaves_out_what_needs_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    np.save(tmp_path / "times.npy", np.sort(rng.random(30_000)) * 10.0)
    result = runner.invoke(application, ["photons", "times.npy", "--json"])
    assert result.exit_code == 0, result.exception or result.output
    found = json.loads(result.stdout)
    absent = " ".join(found["absent"])
    assert "Decay and lifetimes: the stream is of mode T2" in absent
    assert "Long-delay g2" in absent and "two detectors" in absent
    assert found["lifetime"] is None and found["g2"] is None
    assert found["states"]["on_fraction"]["value"] > 0.95


def test_many_files_come_out_in_one_table_and_broken_ones_are_named(dot, tmp_path):
    broken = tmp_path / "broken.ptu"
    broken.write_bytes(dot.read_bytes()[:3000])
    result = runner.invoke(application, ["photons", str(dot), str(broken), "--table"])
    assert result.exit_code == 0, result.exception or result.output
    assert "tsb_hydraharp_v20_t3.ptu" in result.output
    assert "left out" in result.output and "broken.ptu" in result.output


def test_only_broken_files_are_a_failure(tmp_path):
    (tmp_path / "a.ptu").write_bytes(b"no photons")
    result = runner.invoke(application, ["photons", str(tmp_path / "a.ptu"), "--table"])
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--threshold", "2"], None),
        (["--channels", "7"], InputError),
        (["--bin", "1e9"], InputError),
    ],
)
def test_options_that_do_not_fit_the_data(dot, arguments, error):
    result = runner.invoke(application, ["photons", str(dot), "--json", *arguments])
    if error is None:
        assert any("ON and OFF" in text for text in json.loads(result.stdout)["absent"])
    else:
        assert isinstance(result.exception, error)


def test_wrong_arguments_are_said(tmp_path):
    result = runner.invoke(application, ["photons", "x.ptu", "--bin", "-1"])
    assert result.exit_code == 2 and "positive" in result.output
    result = runner.invoke(application, ["photons", "x.ptu", "--channels", "a"])
    assert result.exit_code == 2 and "numbers of channels" in result.output
    result = runner.invoke(application, ["photons", str(tmp_path / "none.ptu")])
    assert isinstance(result.exception, ParseError | InputError)

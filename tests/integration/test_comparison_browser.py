"""The page of qdcomp compare in a browser: without a network, on a phone, without an error."""

import json
import subprocess
import sys

import pytest
from builders.page_plots import draw_plots, hover_over_point

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def loaded(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    call = [sys.executable, "-m", "qdcomp", "compare", "--out", str(folder)]
    subprocess.run(call, check=True, capture_output=True)
    browser.get((folder / "index.html").as_uri())
    draw_plots(browser)
    return browser


def test_the_verdict_opens_the_page(loaded):
    assert loaded.find_element("css selector", "h1").text == "Calculation beside measurement"
    text = loaded.find_element("css selector", "main").text
    assert text.index("4.2 nm dot is 122 meV") < text.index("Differences of the linewidth")


def test_every_figure_has_its_points(loaded):
    text = loaded.find_element("css selector", "main").text
    assert "Linewidth against edge" in text and "Linewidth against temperature" in text
    plots = loaded.find_elements("css selector", "[data-plot]")
    assert len(plots) >= 4
    for plot in plots:
        assert plot.find_elements("css selector", ".trace"), plot.get_attribute("id")


def test_hovering_shows_the_numbers(loaded):
    plot = loaded.find_elements("css selector", "[data-plot]")[0]
    assert "published" in hover_over_point(loaded, plot)


def test_telephone_needs_no_sideways_scrolling(loaded):
    loaded.set_window_size(375, 800)
    try:
        inner, outer = loaded.execute_script(
            "return [document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert inner <= outer
    finally:
        loaded.set_window_size(1280, 1000)


def test_no_error_and_no_request(loaded):
    assert [entry for entry in loaded.get_log("browser") if entry["level"] == "SEVERE"] == []
    sent = [json.loads(entry["message"])["message"] for entry in loaded.get_log("performance")]
    outside = [
        event["params"]["request"]["url"]
        for event in sent
        if event["method"] == "Network.requestWillBeSent"
        and event["params"]["request"]["url"].startswith("http")
    ]
    assert outside == []

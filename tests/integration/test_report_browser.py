"""The report in a browser: it loads without a network, draws its plots, turns its structure."""

import json
from pathlib import Path

import numpy as np
import pytest
from builders.page_plots import draw_plots

from qdcomp.analysis import analyse_dot
from qdcomp.report import DotRun, ReportInput, write_report
from qdcomp.structures import build_quantum_dot
from qdcomp.units import HBAR_EV_FS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    rng = np.random.default_rng(5)
    dot = build_quantum_dot(3)
    times = 10.0 * np.arange(400)
    phases = rng.uniform(0.0, 2.0 * np.pi, (len(dot.atoms), 3))
    swing = 0.1 * np.sin(0.005 / HBAR_EV_FS * times[:, None, None] + phases)
    gap = 2.3 + 0.02 * np.sin(np.outer(times, np.array([2e-3, 7e-3]) / HBAR_EV_FS)).sum(axis=1)
    analysis = analyse_dot(
        positions=dot.atoms.positions + swing,
        gap_ev=gap,
        masses=dot.atoms.get_masses(),
        symbols=dot.atoms.get_chemical_symbols(),
        depth_cells=dot.depth_cells,
        timestep_fs=10.0,
        temperature_k=10.0,
    )
    report = ReportInput(
        title="Dot in a browser",
        engine_name="model",
        engine_version="1",
        is_surrogate=True,
        structure=dot,
        runs=(DotRun("10 K", analysis),),
    )
    return write_report(report, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def loaded(browser, page):
    browser.get(page.as_uri())
    draw_plots(browser)
    return browser


def canvas_pixels(browser) -> np.ndarray:
    """Pixels of the viewer after the frame that is being painted, flat."""
    sample = browser.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        const canvas = document.getElementById("viewer-canvas");
        const copy = document.createElement("canvas");
        [copy.width, copy.height] = [canvas.width, canvas.height];
        const brush = copy.getContext("2d", { willReadFrequently: true });
        const read = () => {
          brush.drawImage(canvas, 0, 0);
          return brush.getImageData(0, 0, copy.width, copy.height)
            .data.filter((_, i) => i % 37 === 0);
        };
        requestAnimationFrame(() => requestAnimationFrame(() => done(Array.from(read()))));
        """
    )
    return np.array(sample)


def share_changed(before: np.ndarray, after: np.ndarray) -> float:
    return float((before != after).mean())


def test_headline_is_there(loaded):
    headline = loaded.find_element("css selector", ".headline").text.replace("\u00a0", " ")
    assert headline.startswith("Γ(300 K) = ")
    assert "surrogate" in headline


def test_every_plot_is_drawn_with_its_label(loaded):
    plots = loaded.find_elements("css selector", "[data-plot]")
    assert len(plots) >= 10
    for plot in plots:
        name = plot.get_attribute("data-plot")
        assert plot.find_elements("css selector", ".scatterlayer path, .barlayer path"), name
        assert "surrogate engine model" in plot.get_attribute("textContent"), name


def test_structure_turns_with_the_mouse_and_the_keyboard(loaded):
    from selenium.webdriver import ActionChains, Keys

    canvas = loaded.find_element("id", "viewer-canvas")
    loaded.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    start = canvas_pixels(loaded)
    assert len(np.unique(start)) > 20
    ActionChains(loaded).drag_and_drop_by_offset(canvas, 80, 30).perform()
    dragged = canvas_pixels(loaded)
    assert share_changed(start, dragged) > 0.1
    canvas.send_keys(Keys.ARROW_LEFT)
    turned = canvas_pixels(loaded)
    assert share_changed(dragged, turned) > 0.1
    canvas.send_keys("0")
    assert share_changed(start, canvas_pixels(loaded)) == 0.0


def test_layers_and_elements_can_be_shown_up(loaded):
    from selenium.webdriver.support.ui import Select

    before = canvas_pixels(loaded)
    Select(loaded.find_element("id", "viewer-layer")).select_by_visible_text("0.5 PbBr2")
    assert share_changed(before, canvas_pixels(loaded)) > 0.1
    assert "0.5 PbBr2" in loaded.find_element("id", "viewer-status").text
    button = loaded.find_element("css selector", "#viewer-elements button")
    button.click()
    assert button.get_attribute("aria-pressed") == "false"


def test_telephone_needs_no_sideways_scrolling(loaded):
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    loaded.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    too_wide = loaded.execute_async_script(
        """
        const done = arguments[arguments.length - 1];
        setTimeout(() => done([...document.querySelectorAll("body, .plot, .main-svg, canvas")]
          .filter((element) => element.getBoundingClientRect().right > 390)
          .map((element) => `${element.tagName} ${element.id} ${element.className}`)), 800);
        """
    )
    width = loaded.execute_script("return document.documentElement.scrollWidth")
    loaded.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert too_wide == []
    assert width <= 390


def test_no_error_and_no_request(loaded, page):
    complaints = [entry for entry in loaded.get_log("browser") if entry["level"] != "INFO"]
    assert complaints == []
    messages = (json.loads(entry["message"])["message"] for entry in loaded.get_log("performance"))
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
        and message["params"]["documentURL"].startswith(page.as_uri())
    }
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {page.as_uri()}

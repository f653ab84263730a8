"""The page of a campaign in a browser: from a disk and from a server, by keyboard, on a phone."""

import functools
import json
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from builders.page_plots import draw_plots, hover_over_point

pytestmark = [pytest.mark.browser, pytest.mark.slow]


PHONE_PX = 375
"""Width of a small telephone."""

STUDY = """
name: small
description: a small dot, a few steps of everything
recipe: dot_linewidth
engine: model
structure: {kind: quantum_dot, cells: 2, composition: CsPbBr3, charge: formal}
relaxation: {max_force: 24 meV/angstrom, max_steps: 500}
sampling: {temperatures: [10 K], duration: 400 fs, timestep: 10 fs, thermostat_time: 1 ps}
seed: 2
"""


def call(*arguments, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "qdcomp", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> Path:
    """A finished dot, a copy of it, one that was not begun, a torn one and an empty folder."""
    root = tmp_path_factory.mktemp("campaign")
    (root / "small.yaml").write_text(STUDY)
    call("run", "small.yaml", "--out", "runs/dot", cwd=root)
    call("run", "mi2025_pea_entropy", "--out", "runs/pea", cwd=root)
    runs = root / "runs"
    shutil.copytree(runs / "dot", runs / "copy")
    for name in ("begun", "torn", "empty"):
        (runs / name).mkdir()
    shutil.copyfile(runs / "dot" / "study.yaml", runs / "begun" / "study.yaml")
    (runs / "torn" / "study.yaml").write_text("name: [")
    said = call("report", "runs", "--out", "pages", cwd=root)
    assert "3 of 5 runs finished; 1 unfinished; 1 damaged; 1 folder without a run" in said
    return root / "pages"


@pytest.fixture(scope="module")
def served(campaign):
    handler = functools.partial(_Quiet, directory=str(campaign))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()
    thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        return None


@pytest.fixture
def index(browser, campaign):
    browser.get((campaign / "index.html").as_uri())
    return browser


def shown(browser) -> list[str]:
    rows = browser.find_elements("css selector", "#run-table tbody tr")
    return [row.get_attribute("data-run") for row in rows if row.is_displayed()]


def press(browser, *keys):
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def focused(browser):
    return browser.switch_to.active_element


def complaints(browser):
    return [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"]


def test_every_run_is_there_with_its_state(index):
    rows = index.find_elements("css selector", "#run-table tbody tr")
    states = {row.get_attribute("data-run"): row.get_attribute("data-state") for row in rows}
    assert states == {
        "begun": "unfinished", "copy": "finished", "dot": "finished", "empty": "no run",
        "pea": "finished", "torn": "damaged",
    }  # fmt: skip
    assert "not valid YAML" in index.find_element("css selector", "[data-run=torn]").text


def test_the_first_tab_skips_to_the_runs(index):
    from selenium.webdriver import Keys

    press(index, Keys.TAB)
    assert focused(index).text == "Skip to the runs"
    press(index, Keys.ENTER)
    assert focused(index).get_attribute("id") == "main"
    press(index, Keys.TAB)
    assert focused(index).get_attribute("id") == "filter-text"
    outline = focused(index).value_of_css_property("outline-style")
    assert outline == "solid"


def test_the_keyboard_alone_chooses_and_the_count_is_told(index):
    from selenium.webdriver import Keys

    count = index.find_element("id", "count")
    assert count.get_attribute("aria-live") == "polite" and count.text == "All 6 rows"
    index.find_element("css selector", ".skip").send_keys(Keys.ENTER)
    press(index, Keys.TAB, "dot finished")
    assert shown(index) == ["copy", "dot"]
    assert count.text == "2 of 6 rows"
    press(index, *[Keys.BACKSPACE] * len("dot finished"), "no such run")
    assert shown(index) == [] and count.text == "0 of 6 rows"
    assert index.find_element("id", "nothing").is_displayed()
    index.find_element("id", "show-all").send_keys(Keys.ENTER)
    assert len(shown(index)) == 6
    assert focused(index).get_attribute("id") == "filter-text"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        # not what is unfinished; the study that is torn says what keeps its finished jobs
        ("finished", ["copy", "dot", "pea", "torn"]),
        ("1.17 MODEL", ["copy", "dot"]),
        ("cspbbr3 Γ(300", ["copy", "dot"]),
        ("study.yaml", ["torn"]),
        ("\\[^_=-*(", []),
    ],
)
def test_the_search_takes_any_text(index, typed, expected):
    index.find_element("id", "filter-text").send_keys(typed)
    assert shown(index) == expected
    assert complaints(index) == []


@pytest.mark.parametrize(
    ("key", "typed", "expected"),
    [
        ("state", "dam", ["torn"]),
        ("kind", "ligand", ["pea"]),
        ("engine", "mod", ["begun", "copy", "dot"]),
        ("size", "mol", ["pea"]),
        ("ligand", "PEA", ["pea"]),
    ],
)
def test_each_choice_is_made_by_typing_into_it(index, key, typed, expected):
    index.find_element("id", f"filter-{key}").send_keys(typed)
    assert shown(index) == expected


def test_choices_go_together_and_are_cleared(index):
    from selenium.webdriver import Keys

    index.find_element("id", "filter-kind").send_keys("dot")
    index.find_element("id", "filter-state").send_keys("unf")
    assert shown(index) == ["begun"]
    index.find_element("css selector", "#filters [type=reset]").send_keys(Keys.ENTER)
    index.execute_async_script("setTimeout(arguments[0], 50)")
    assert len(shown(index)) == 6


def test_names_of_columns_sort(index):
    from selenium.webdriver import Keys

    button = index.find_element("css selector", "[data-sort=run]")
    button.send_keys(Keys.ENTER)
    head = index.find_element("css selector", "th[aria-sort=ascending]")
    assert shown(index) == ["begun", "copy", "dot", "empty", "pea", "torn"]
    button.send_keys(Keys.SPACE)
    assert head.get_attribute("aria-sort") == "descending"
    assert shown(index) == ["torn", "pea", "empty", "dot", "copy", "begun"]
    index.find_element("css selector", "[data-sort=state]").send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") == "none"
    assert shown(index)[-2:] == ["torn", "empty"]


def test_a_plot_names_the_point_under_the_mouse(index):

    plots = draw_plots(index)
    assert len(plots) == 3
    for plot in plots:
        assert "surrogate engine model" in plot.get_attribute("textContent")
    plot = index.find_element("id", "linewidth_edge")
    assert "1.1" in hover_over_point(index, plot)


def canvas_pixels(browser) -> np.ndarray:
    """Pixels of the viewer after the frame that is being painted, flat."""
    return np.array(
        browser.execute_async_script(
            """
            const done = arguments[0], canvas = document.getElementById("viewer-canvas");
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
    )


def test_the_structure_on_a_linked_page_turns(index):
    from selenium.webdriver import Keys

    index.find_element("link text", "dot").send_keys(Keys.ENTER)
    assert index.current_url.endswith("/pages/dot/index.html")
    canvas = index.find_element("id", "viewer-canvas")
    index.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    before = canvas_pixels(index)
    assert len(np.unique(before)) > 20
    canvas.send_keys(Keys.ARROW_LEFT)
    assert (canvas_pixels(index) != before).mean() > 0.1
    draw_plots(index)
    index.find_element("link text", "All runs").send_keys(Keys.ENTER)
    assert len(shown(index)) == 6
    assert complaints(index) == []


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_needs_no_sideways_scrolling(browser, campaign, dark):
    metrics = {"width": PHONE_PX, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    try:
        browser.get((campaign / "index.html").as_uri())
        draw_plots(browser)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        too_wide = browser.execute_script(
            """
            return [...document.querySelectorAll("body *:not(.unseen):not(.skip)")]
              .filter((element) => element.checkVisibility()
                && element.getBoundingClientRect().right > arguments[0] + 0.5
                && !element.closest("svg"))
              .map((element) => `${element.tagName} ${element.id} ${element.className}`);
            """,
            PHONE_PX,
        )
        paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        names = browser.find_elements("css selector", "#run-table tbody th")
        assert all(name.is_displayed() for name in names)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert too_wide == []
    assert width <= PHONE_PX
    assert (paper == "rgb(255, 255, 255)") is not dark


def test_the_table_stays_a_table_for_those_who_hear_it(index):
    """Cards on a phone are laid out by CSS, which takes the roles away unless they are given."""
    tree = index.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [node.get("role", {}).get("value") for node in tree]
    for landmark in ("banner", "navigation", "main", "search"):
        assert landmark in roles, landmark
    assert roles.count("rowheader") == 6 and roles.count("columnheader") == 8
    names = {
        node["name"]["value"]
        for node in tree
        if node.get("role", {}).get("value") in ("combobox", "searchbox")
    }
    assert names == {"Search", "Study", "Engine", "Size", "Ligand", "State"}


def test_a_server_shows_the_same_and_nothing_else_is_asked_for(browser, served):
    from selenium.webdriver import Keys

    browser.get_log("performance")
    browser.get(served)
    draw_plots(browser)
    browser.find_element("link text", "dot").send_keys(Keys.ENTER)
    draw_plots(browser)
    assert complaints(browser) == []
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    asked = {
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    home = served.removesuffix("index.html")
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {
        served, f"{home}pages/dot/index.html", f"{home}assets/plotly.min.js",
    }  # fmt: skip


def test_a_disk_shows_it_without_a_complaint(index):
    draw_plots(index)
    assert complaints(index) == []

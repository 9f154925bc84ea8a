"""The pages in a real browser: they render, load nothing, and their controls do what they say.

Without Chromium and its driver (Debian: ``apt-get install chromium chromium-driver``) these tests
skip and say so. axe-core, where it is found, is a file of this machine: ``HEDGETHEORY_AXE``, or
what ``npm install axe-core`` leaves beside these tests; nothing is loaded from a network.
"""

from __future__ import annotations

import base64
import json
import re

import pytest
from browser_support import FLAGS, PAGES, RESULTS, Screen, axe_source, found

pytest.importorskip("selenium")
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(21, 24, 28)"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """The driver. Skips where there is no browser to drive."""
    binary = found("chromium", "chromium-browser", "google-chrome")
    driver = found("chromedriver", "chromium-driver")
    if binary is None or driver is None:
        pytest.skip("no chromium and chromedriver on this machine")
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """A folder with a page of every kind."""
    from hedgetheory.cli.app import run

    folder = tmp_path_factory.mktemp("pages")
    results = folder / "results.json"
    results.write_text(json.dumps(RESULTS))
    for name, argv in PAGES.items():
        given = [str(results) if word == results.name else word for word in argv]
        assert run([*given, "--html", str(folder / f"{name}.html")]) == (name == "compare")
    return folder


@pytest.fixture
def screen(chromium, pages):
    yield Screen(chromium, pages)
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def body(screen) -> str:
    return screen.colour("body", "backgroundColor")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_renders_without_a_complaint_and_asks_for_nothing(screen, name):
    screen.open(name)
    assert screen.browser.get_log("browser") == []
    assert screen.find("h1").is_displayed()
    for svg in screen.browser.find_elements("css selector", "svg"):
        assert svg.size["width"] > 300
        assert svg.size["height"] > 150
    assert screen.run("return performance.getEntriesByType('resource').length") == 0
    assert [url for url in screen.requests() if not url.startswith("file:")] == []
    assert screen.run("return document.compatMode") == "CSS1Compat"


def test_the_policy_stops_a_script_a_picture_and_a_request_that_are_not_the_pages_own(screen):
    screen.open("tune")
    stopped = screen.browser.execute_async_script("""
        const done = arguments[0], stopped = [];
        addEventListener('securitypolicyviolation', e => stopped.push(e.effectiveDirective));
        const script = document.createElement('script');
        script.textContent = 'window.hit = true';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<p onclick="window.hit = true">x</p>');
        document.body.lastElementChild.click();
        new Image().src = 'http://127.0.0.1:9/x.png';
        fetch('http://127.0.0.1:9/x').catch(() => 0);
        setTimeout(() => done([window.hit === undefined, stopped]), 300);
    """)
    assert stopped[0]
    kinds = {kind.removesuffix("-elem").removesuffix("-attr") for kind in stopped[1]}
    assert kinds == {"script-src", "img-src", "connect-src"}


@pytest.mark.parametrize(("scheme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_a_page_follows_the_system_until_a_theme_is_chosen(screen, scheme, ground):
    screen.open("check", scheme=scheme)
    assert body(screen) == ground
    screen.find("#theme-dark").click()
    assert body(screen) == DARK
    assert screen.colour("svg .tick", "fill") == "rgb(170, 179, 189)"
    screen.find("#theme-dark").send_keys(Keys.ARROW_LEFT)  # by the keyboard too
    assert body(screen) == LIGHT
    screen.find("#theme-auto").click()
    assert body(screen) == ground


def test_the_slider_reads_the_curve_off_and_moves_the_ring(screen):
    screen.open("tune")
    slider, output = screen.find("#p0-slider"), screen.find("#p0-read")
    assert output.text.startswith("n = 3: gold score 0.2087, 95 % interval ")  # the best, at first
    places = [
        screen.find(f"#p0-{kind}-cursor").get_attribute("transform") for kind in ("theta", "kl")
    ]
    slider.send_keys(Keys.END)
    assert output.text.startswith("n = 64: ")
    assert slider.get_attribute("aria-valuetext") == output.text
    moved = [
        screen.find(f"#p0-{kind}-cursor").get_attribute("transform") for kind in ("theta", "kl")
    ]
    assert all(before != after for before, after in zip(places, moved, strict=True))
    slider.send_keys(Keys.HOME, Keys.ARROW_RIGHT)
    assert output.text.startswith("n = 2: ")
    # The ring lies on the curve: at a point of the path that is drawn.
    place = screen.find("#p0-theta-cursor").get_attribute("transform")
    x, y = re.fullmatch(r"translate\((.*),(.*)\)", place).groups()
    assert f"L{x} {y}" in screen.find("svg .curve").get_attribute("d")


def test_the_slider_shows_what_the_row_says(screen):
    screen.open("check")
    screen.find("details summary").click()
    slider = screen.find("#f-slider")
    for key in (Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.END):
        slider.send_keys(key)
        row = screen.find("tr.here")
        cells = [cell.text for cell in row.find_elements("css selector", "th,td")]
        assert screen.find("#f-read").text == f"n = {cells[0]}: expected gold reward {cells[1]}."


def test_a_table_sorts_by_its_numbers_both_ways_and_says_so(screen):
    screen.open("tune")
    screen.find("details summary").click()
    column = "return Array.from(document.querySelectorAll('#p0-points tbody tr')).map("
    thetas = f"{column}r => Number(r.cells[0].dataset.v))"
    values = f"{column}r => Number(r.cells[1].dataset.v))"
    button = screen.find("#p0-points th:nth-child(2) button")
    button.click()
    assert screen.run(values) == sorted(screen.run(values))
    assert screen.run(thetas) != sorted(screen.run(thetas))
    button.send_keys(Keys.ENTER)
    assert screen.run(values) == sorted(screen.run(values), reverse=True)
    heads = screen.browser.find_elements("css selector", "#p0-points th[aria-sort]")
    assert [head.get_attribute("aria-sort") for head in heads] == ["descending"]
    # The slider goes along the curve all the same.
    screen.find("#p0-slider").send_keys(Keys.HOME)
    assert screen.find("#p0-read").text.startswith("n = 1: ")


def test_the_command_is_copied(screen):
    screen.open("check")
    button = screen.find("button.copy")
    button.click()
    WebDriverWait(screen.browser, 5).until(lambda _: button.text != "Copy the command")
    assert button.text == "Copied"
    assert "clipboard" in screen.find(".copying [role=status]").text
    # What was copied, pasted: into a field that the test puts there.
    screen.run("document.body.insertAdjacentHTML('afterbegin', '<textarea id=t></textarea>')")
    screen.find("#t").send_keys(Keys.CONTROL, "v")
    assert screen.find("#t").get_property("value") == screen.find("#command").text


@pytest.mark.parametrize(("name", "width"), [*((name, 360) for name in PAGES), ("tune", 320)])
def test_nothing_but_tables_scrolls_sideways_on_a_phone(screen, name, width):
    screen.open(name, width=width)
    screen.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert screen.run("return document.documentElement.scrollWidth") <= width
    wide = screen.run("""
        return Array.from(document.querySelectorAll('body *'))
            .filter(e => !e.closest('.scroll') && !e.closest('.skip') && !e.closest('svg'))
            .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)
            .map(e => e.outerHTML.slice(0, 80));
    """)
    assert wide == []
    smallest = screen.run("""
        return Math.min(99, ...Array.from(document.querySelectorAll('svg text'))
            .map(e => e.getBoundingClientRect().height));
    """)
    assert smallest >= 9  # the labels of the plots can be read


@pytest.mark.parametrize("width", [1100, 360])
@pytest.mark.parametrize("name", PAGES)
def test_no_label_of_a_plot_is_cut_or_hidden_by_another(screen, name, width):
    screen.open(name, width=width)
    for svg in screen.run("""
        return Array.from(document.querySelectorAll('svg')).map(svg => {
            const box = e => { const r = e.getBoundingClientRect();
                               return [r.left, r.top, r.right, r.bottom, e.textContent]; };
            return [box(svg), Array.from(svg.querySelectorAll('text')).map(box)];
        });
    """):
        (left, top, right, foot, _), labels = svg
        for label in labels:
            assert left - 1 <= label[0], label
            assert label[2] <= right + 1, label
            assert top - 1 <= label[1], label
            assert label[3] <= foot + 1, label
        # Two labels keep apart, but for a mark's, which has an edge of its own to be read over all.
        axes = [label for label in labels if "=" not in label[4] and " at " not in label[4]]
        for k, (a, b, c, d, one) in enumerate(axes):
            for e, f, g, h, other in axes[k + 1 :]:
                assert c <= e or g <= a or d <= f + 4 or h <= b + 4, (one, other)


def test_the_page_is_complete_without_a_script(screen):
    screen.cdp("Emulation.setScriptExecutionDisabled", value=True)
    screen.open("tune")
    root = screen.cdp("DOM.getDocument")["root"]["nodeId"]

    def node(selector):
        return screen.cdp("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]

    def style(selector):
        found = screen.cdp("CSS.getComputedStyleForNode", nodeId=node(selector))["computedStyle"]
        return {entry["name"]: entry["value"] for entry in found}

    screen.cdp("CSS.enable")
    # Controls that need a script are not there; those that do not are, and work.
    assert style(".reader")["display"] == style("button.copy")["display"] == "none"
    assert style("body")["background-color"] == LIGHT
    box = screen.cdp("DOM.getBoxModel", nodeId=node("#theme-dark"))["model"]["content"]
    x, y = (box[0] + box[4]) / 2, (box[1] + box[5]) / 2
    for kind in ("mousePressed", "mouseReleased"):
        screen.cdp("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    assert style("body")["background-color"] == DARK
    rows = screen.cdp("DOM.querySelectorAll", nodeId=root, selector="#p0-points tbody tr")
    assert len(rows["nodeIds"]) == 64
    assert screen.cdp("DOM.querySelectorAll", nodeId=root, selector="th button")["nodeIds"] == []


def test_paper_is_light_and_has_every_number_and_no_control(screen):
    def sheets():
        printed = base64.b64decode(screen.cdp("Page.printToPDF", printBackground=False)["data"])
        return printed.count(b"/Type /Page\n")

    screen.open("tune", scheme="dark", media="print")
    assert body(screen) == LIGHT
    for selector in ("header fieldset", ".reader", "button.copy"):
        assert screen.colour(selector, "display") == "none"
    whole = sheets()
    assert not screen.run("return document.querySelector('details').open")  # closed again
    screen.run("document.querySelector('details').remove()")
    assert whole > sheets() > 0  # the 64 rows took paper although they were folded away


def test_every_control_is_reached_by_the_keyboard_and_shows_it(screen):
    screen.open("check")
    screen.find("body").send_keys(Keys.TAB)
    assert screen.run("return document.activeElement.className") == "skip"
    assert screen.find(".skip").is_displayed()
    reached = set()
    for _ in range(16):
        reached.add(
            screen.run("return document.activeElement.tagName + document.activeElement.type")
        )
        screen.browser.switch_to.active_element.send_keys(Keys.TAB)
        style = "getComputedStyle(document.activeElement).outlineStyle"
        if screen.run("return document.activeElement !== document.body"):
            assert screen.run(f"return {style}") != "none"
    assert {"INPUTradio", "INPUTrange", "BUTTONbutton", "SUMMARYundefined"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(screen, name, scheme):
    source = axe_source()
    if source is None:
        pytest.skip("no axe-core: npm install --prefix tests/browser axe-core")
    screen.open(name, scheme=scheme)
    screen.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    screen.run(source)
    found = screen.browser.execute_async_script("""
        const done = arguments[0];
        axe.run(document, {resultTypes: ['violations']}).then(
            r => done(r.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120))])),
            e => done(String(e)));
    """)
    assert found == []

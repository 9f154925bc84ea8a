"""A headless Chromium, one a process of tests, and pages of every kind for it to show.

Without Chromium and its driver (Debian: ``apt-get install chromium chromium-driver``) these tests
skip and say so. axe-core, where it is found, is a file of this machine: ``HEDGETHEORY_AXE``, or
what ``npm install axe-core`` leaves beside these tests; nothing is loaded from a network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_support import FLAGS, PAGES, RESULTS, Screen, found


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
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
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
def screen(chromium: Any, pages: Path) -> Iterator[Screen]:
    yield Screen(chromium, pages)
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})

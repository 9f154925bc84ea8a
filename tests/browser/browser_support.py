"""What the tests in a browser share: its flags, the pages, and a page as somebody sees it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
PAGES = {
    "tune": ("report", "ridge_overfit", "--resamples", "100"),
    "tilt": ("report", "ridge_overfit", "--resamples", "100", "--family", "tilt"),
    "proxies": ("report", "ridge_overfit", "--resamples", "50", "--proxy", "proxy,true"),
    "check": ("report", "--law", "uniform", "--family", "bon", "--gold", "u**12*(1 - u)"),
    "compare": ("compare", "results.json", "--only", "@uniform"),
}
#: One answer that is right, one that is wrong (ln 4 - 3/4 and ln 2 - 1/2: paper, section 2).
RESULTS = {"kl:bon(n=4)@uniform": 0.6362943611198906, "kl:bon(n=2)@uniform": 0.2}


def found(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def axe_source() -> str | None:
    given = os.environ.get("HEDGETHEORY_AXE")
    beside = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
    path = Path(given) if given else beside
    return path.read_text(encoding="utf-8") if path.is_file() else None


class Screen:
    """One page in the browser, as a person with some screen sees it."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self.browser, self.folder = browser, folder

    def cdp(self, command: str, **given: Any) -> Any:
        return self.browser.execute_cdp_cmd(command, given)

    def open(self, name: str, *, width: int = 1100, scheme: str = "light", media: str = "") -> None:
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.cdp("Emulation.setEmulatedMedia", media=media, features=features)
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900,
                 deviceScaleFactor=1, mobile=width < 500)  # fmt: skip
        self.requests()  # what came before is not this page's
        self.browser.get_log("browser")
        self.browser.get((self.folder / f"{name}.html").as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def colour(self, selector: str, of: str = "color") -> str:
        script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        return str(self.run(script, selector, of))

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def requests(self) -> list[str]:
        """Addresses asked for since the last call."""
        messages = [
            json.loads(e["message"])["message"] for e in self.browser.get_log("performance")
        ]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

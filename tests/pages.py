"""Pages taken apart, and opened in a headless Chromium."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests.optional import need, skip

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OFFLINE = ("--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND")
"""Flags that keep a browser off the network; the sandbox does not work for root, as in containers."""


class Parsed(HTMLParser):
    """A page taken apart: its elements, and the text outside of scripts by the section that it stands in."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.scripts: list[str] = []
        self._section, self._inside = "", ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        self._inside = tag
        if tag == "section":
            self._section = found["id"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.scripts.append(data)
        else:
            self.texts[self._section] = self.texts.get(self._section, "") + data

    @property
    def data(self) -> Any:
        """The data of the charts."""
        return json.loads(next(text for text in self.scripts if text.lstrip().startswith("[{")))


@contextmanager
def started_browser() -> Iterator[Any]:
    """A headless Chromium off the network; its tests are skipped where there is none."""
    need("playwright")
    from playwright.sync_api import Error, sync_playwright

    own = os.environ.get("ARCHSIM_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as started:
        try:
            found = started.chromium.launch(executable_path=own, args=list(OFFLINE))
        except Error:
            skip("need a browser: apt-get install chromium, or playwright install chromium")
        yield found
        found.close()


_DRIVER = "GL Driver Message"
"""The browser's own graphics speak up, too, where there is no graphics card."""
DRAW_MS = 120_000
"""A page is drawn in a second; a machine that does much else gets time."""


@dataclass
class Opened:
    """A page in a browser, and what it said and asked for."""

    tab: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def show(self, section: str) -> None:
        """Click on a tab; its charts are drawn."""
        self.tab.click(f"#tab-{section}")
        self.tab.wait_for_selector(f"#{section}.shown")

    def range_of(self, section: str) -> tuple[float, float]:
        """What the first chart of a section shows of its x axis."""
        low, high = self.tab.evaluate(f"document.querySelector('#{section} .chart').layout.xaxis.range.map(Number)")
        return low, high


def opened(browser: Any, file: Path, page: str) -> Opened:
    """Write a page and open it."""
    file.write_text(page, encoding="utf-8")
    found = Opened(browser.new_page(viewport={"width": 1300, "height": 1000}))
    found.tab.set_default_timeout(DRAW_MS)
    found.tab.on("console", lambda message: found.said.extend([] if _DRIVER in message.text else [message.text]))
    found.tab.on("pageerror", lambda error: found.said.append(str(error)))
    found.tab.on("request", lambda request: found.asked.append(request.url))
    found.tab.goto(file.as_uri())
    found.tab.wait_for_selector("body[data-state]")
    return found

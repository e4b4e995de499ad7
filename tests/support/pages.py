"""What every page must keep, checked in a real browser: readable for everybody, light, quiet, self-contained."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import TimeoutError as TooLate

from tests.support.product import ROOT

SCREENSHOTS = ROOT / ".test-results" / "screenshots"
WIDE, PHONE = {"width": 1360, "height": 860}, {"width": 390, "height": 844}
MOST_REQUESTS, MOST_BYTES = 15, 150_000
SETTLE_MS, FITS_WITHIN_MS = 300, 3000
EMAIL, PASSWORD = "first@example.org", "correct horse battery staple"
GRAVE = ("serious", "critical")
# Violations of the Content-Security-Policy become errors on the console, as other faults are.
REPORT = """document.addEventListener("securitypolicyviolation",
  (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))"""


@dataclass
class Visit:
    """What a page did while it was open."""

    page: Any
    origin: str
    faults: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(REPORT)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request))

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def open(self, path: str, *, status: int = 200) -> None:
        answer = self.page.goto(self.origin + path, wait_until="load")
        assert answer.status == status, f"{path} answered {answer.status}"
        self.loaded = list(self.requests)  # what comes later are live updates
        self.page.wait_for_timeout(SETTLE_MS)

    def check(self, *, weight: bool = True, rules: Sequence[str] = ()) -> None:
        """Everything but the look; `rules` of axe-core instead of all, for what else cannot have changed."""
        foreign = [request.url for request in self.requests if not self._is_ours(request.url)]
        assert not foreign, foreign
        if weight:
            assert len(self.loaded) <= MOST_REQUESTS, [request.url for request in self.loaded]
            sizes = {request.url: self._size(request) for request in self.loaded if self._counts(request)}
            assert sum(sizes.values()) <= MOST_BYTES, sizes
        findings = grave_findings(self.page, rules)
        assert not findings, findings
        assert not self.faults, self.faults

    def shoot(self, name: str) -> None:
        """A picture for people to look at, where somebody asked for pictures by SCREENSHOTS."""
        if not os.environ.get("SCREENSHOTS"):
            return
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def scrolls_sideways(self) -> bool:
        """Whether it does for good: charts take a moment to follow the width of the window."""
        fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        try:
            self.page.wait_for_function(fits, timeout=FITS_WITHIN_MS)
        except TooLate:
            return True
        return False

    def _is_ours(self, url: str) -> bool:
        return url.startswith(("data:", "blob:")) or urlsplit(url).netloc == urlsplit(self.origin).netloc

    @staticmethod
    def _counts(request: Any) -> bool:
        return Path(urlsplit(request.url).path).suffix in (".css", ".js")

    @staticmethod
    def _size(request: Any) -> int:
        return request.sizes()["responseBodySize"]


def grave_findings(page: Any, rules: Sequence[str] = ()) -> list[str]:
    """Serious and critical findings of axe-core, each with the first elements that it concerns."""
    options: dict[str, Any] = {"resultTypes": ["violations"], "selectors": False}
    if rules:
        options["runOnly"] = list(rules)
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in GRAVE
    ]


def sign_up(product: Any, chromium: Any) -> Any:
    """The session of a browser of the first administrator, who is made unless an earlier test has."""
    context = chromium.new_context()
    page = context.new_page()
    if page.goto(product.setup_link()).status == 200:
        for label, text in (("E-mail address", EMAIL), ("Password", PASSWORD), ("Password again", PASSWORD)):
            page.get_by_label(label, exact=True).fill(text)
        page.get_by_label("Load demo data").uncheck()
    else:
        page.goto(product.url + "/login/")
        page.get_by_label("E-mail address", exact=True).fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main [type=submit]").click()
    page.wait_for_url(product.url + "/")
    state = context.storage_state()
    context.close()
    return state

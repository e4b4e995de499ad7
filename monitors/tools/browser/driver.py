"""Runs as a program of its own, from a copy in the folder of the run: drives Chromium through the script.

Reads `settings.json`, writes lines of JSON to `events.fifo` (see `events.py`) and prints what people read. It knows
nothing of the rest of the product.
"""

import asyncio
import importlib.util
import json
import time
import traceback
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright
from playwright.async_api import Error as PlaywrightError

SETTLE_S = 10.0  # for the last page to finish loading
MOST_SCREENSHOT = 512 * 1024
VIEWPORT = {"width": 1280, "height": 720}
_SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"

_events = open("events.fifo", "w", encoding="utf-8")  # noqa: SIM115 - open as long as this program runs


def tell(kind: str, **facts: Any) -> None:
    _events.write(json.dumps({"kind": kind, **facts}) + "\n")
    _events.flush()


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is the log of the run


class Visit:
    """What happens in one iteration: documents by their start, and navigations that failed."""

    def __init__(self) -> None:
        self.documents: dict[tuple[int, float], dict[str, Any]] = {}
        self.failed: list[dict[str, Any]] = []
        self._asked_at: dict[Request, float] = {}

    def know(self, source: dict[str, Any], facts: dict[str, Any]) -> None:
        if source["frame"].parent_frame is None:
            self.documents.setdefault((id(source["page"]), facts["start"]), {}).update(facts)

    def asked(self, request: Request) -> None:
        if _is_page(request):
            self._asked_at[request] = asyncio.get_running_loop().time()

    def gone(self, request: Request) -> None:
        """A page that could not be fetched. One that was left for another has not failed."""
        why = request.failure or ""
        if _is_page(request) and "ERR_ABORTED" not in why:
            took = asyncio.get_running_loop().time() - self._asked_at.get(request, asyncio.get_running_loop().time())
            began = time.time() - took
            self.failed.append({"url": request.url, "ms": took * 1000, "at": began, "fault": why or "no answer"})

    def watch(self, page: Page) -> None:
        page.on("request", self.asked)
        page.on("requestfailed", self.gone)
        page.on("pageerror", lambda error: say(f"page error: {error}"))
        page.on("console", lambda line: say(f"console: {line.text}") if line.type == "error" else None)

    def report(self) -> bool:
        """Tell every page load; whether all were good. A page that was left before it was loaded is none."""
        good = True
        for facts in self.documents.values():
            if "load" not in facts:
                continue
            status = facts.get("status") or 0
            fault = f"status {status}" if status >= 400 else ""
            good = good and not fault
            say(f"{facts['url']}: {fault or 'loaded'} in {facts['load']:.0f} ms")
            vitals = {name: facts.get(name) for name in ("ttfb", "fcp", "lcp", "cls")}
            tell("page", ms=facts["load"], ok=not fault, at=facts["start"] / 1000, **vitals)
        for one in self.failed:
            say(f"{one['url']}: {one['fault']}")
            tell("page", ms=one["ms"], ok=False, at=one["at"])
        return good and not self.failed


def _is_page(request: Request) -> bool:
    try:
        return request.is_navigation_request() and request.frame.parent_frame is None
    except PlaywrightError:  # the frame is gone
        return False


async def iterate(browser: Browser, script: Any, settings: dict[str, Any]) -> None:
    """One iteration in a fresh context: the script, its pages, and a screenshot when something failed."""
    visit, error = Visit(), ""
    context = await browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
    try:
        await context.expose_binding("__pharosTell", visit.know)
        await context.add_init_script(path="vitals.js")
        context.on("page", visit.watch)
        page = await context.new_page()
        try:
            await script.run(page, dict(settings["parameters"]))
        except Exception as raised:  # noqa: BLE001 - whatever the script raises is its result
            say(_trace(raised))
            error = f"{type(raised).__name__}: {raised}".partition("\n")[0]
        await settle(context)
        good = visit.report()
        tell("iteration", error=error)
        if error or not good:
            await picture(context)
    finally:
        await context.close()


def _trace(raised: BaseException) -> str:
    """The traceback without our own frames."""
    frames = [one for one in traceback.extract_tb(raised.__traceback__) if one.filename.endswith("script.py")]
    text = "".join(traceback.format_list(frames) + traceback.format_exception_only(raised))
    return text.replace(f"{Path.cwd()}/", "").rstrip()


async def settle(context: BrowserContext) -> None:
    """Let the open pages finish and paint, so that their figures are known."""
    for page in context.pages:
        try:
            async with asyncio.timeout(SETTLE_S):
                await page.wait_for_load_state("load")
                await page.evaluate(_SETTLED)
        except (TimeoutError, PlaywrightError) as error:
            say(f"{page.url}: not finished: {str(error).partition(chr(10))[0] or 'it takes too long'}")


async def picture(context: BrowserContext) -> None:
    """The first failure's screenshot, small enough to be kept."""
    path = Path("screenshot.jpg")
    for quality in (80, 50, 25) if context.pages and not path.exists() else ():
        try:
            image = await context.pages[-1].screenshot(type="jpeg", quality=quality, timeout=SETTLE_S * 1000)
        except PlaywrightError as error:
            say(f"no screenshot: {error}")
            return
        if len(image) <= MOST_SCREENSHOT:
            path.write_bytes(image)
            return


def load() -> Any:
    spec = importlib.util.spec_from_file_location("script", "script.py")
    assert spec and spec.loader  # noqa: S101 - for the type checker
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def main() -> None:
    settings = json.loads(Path("settings.json").read_text(encoding="utf-8"))
    try:
        script = load()
    except Exception as raised:  # noqa: BLE001 - whatever the script raises is its result
        say(_trace(raised))
        return tell("fault", code="script_error", text=f"{type(raised).__name__}: {raised}")
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=settings["chromium"], args=settings["arguments"], env=settings["environment"]
            )
        except PlaywrightError as error:
            return tell("fault", code="tool_unavailable", text=f"Chromium cannot be started: {error.message}")
        tell("browser", version=browser.version)
        for _ in range(settings["iterations"]):
            await iterate(browser, script, settings)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())

"""A person at the terminal of a machine, in a browser."""

from typing import Any

from tests.support.pages import Visit


def use_terminal(context: Any, origin: str, path: str) -> None:
    """Open a shell, see colours, reload and find it again, leave by keyboard, end it."""
    visit = Visit(context.new_page(), origin)
    visit.open(path)
    page, screen = visit.page, visit.page.locator("#terminal-screen")
    page.get_by_role("button", name="Open terminal").click()
    connected = page.locator("#terminal-state").get_by_text("Connected")
    connected.wait_for(timeout=45_000)
    page.keyboard.type("printf '\\033[38;2;10;90;20m%s\\033[0m\\n' gre''en; echo $((6 * 7))th\n")
    screen.get_by_text("42th").wait_for(timeout=45_000)
    green = screen.locator("span", has_text="green").last
    assert green.evaluate("(span) => getComputedStyle(span).color") == "rgb(10, 90, 20)"
    page.reload()
    connected.wait_for(timeout=45_000)
    screen.get_by_text("42th").wait_for(timeout=45_000)  # the same shell: its output is shown again
    page.locator("#terminal-state").click()
    page.locator(".xterm-helper-textarea").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("xterm-helper-textarea")  # the shell completes
    page.keyboard.press("Control+Shift+L")
    assert page.evaluate("document.activeElement.id") == "terminal-end"
    visit.check(weight=False)
    page.keyboard.press("Enter")
    page.locator("#terminal-state").get_by_text("Ended: closed by its user").wait_for(timeout=45_000)
    assert not visit.faults, visit.faults

"""A person who has only a keyboard: what they want is reached with Tab, and they see where they are."""

from typing import Any

MOST_STOPS = 90
SEEN = """(here) => here === document.activeElement && here.matches(":focus-visible")
  && getComputedStyle(here).outlineStyle !== "none" && here.getBoundingClientRect().width > 0"""


class Keyboard:
    """`reach(control)` walks to it, `press(control)` uses it; a pointer is never touched."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def skip(self) -> None:
        """Past the frame, to the content of a page that was just opened."""
        self.page.keyboard.press("Tab")
        assert self.page.evaluate("document.activeElement.textContent") == "Skip to content"
        self.page.keyboard.press("Enter")

    def reach(self, control: Any) -> None:
        """Walk on until the control has the focus, and shows it."""
        control.wait_for()
        for _ in range(MOST_STOPS):
            if control.evaluate("(here) => here === document.activeElement"):
                break
            self.page.keyboard.press("Tab")
        assert control.evaluate(SEEN), f"{control} is not reached within {MOST_STOPS} stops, or does not show it"

    def press(self, control: Any, key: str = "Enter") -> None:
        self.reach(control)
        self.page.keyboard.press(key)

    def write(self, control: Any, text: str) -> None:
        self.reach(control)
        self.page.keyboard.type(text)

"""Browser checks: a Python script drives a page in Chromium; every page load is measured (contract: monitors §8.6)."""

from monitors.tools.browser.tool import Browser

__all__ = ["Browser"]

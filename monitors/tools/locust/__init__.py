"""Locust: the program runs a Python file; a part of ours inside it tells each request (contract: monitors §8.4)."""

from monitors.tools.locust.tool import Locust

__all__ = ["Locust"]

"""k6: the program runs a script; its summary and its stream of points are read (contract: monitors §8.2)."""

from monitors.tools.k6.tool import K6

__all__ = ["K6"]

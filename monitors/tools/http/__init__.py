"""The built-in `http` tool: some requests to one address, judged by expectations (contract: monitors §8.5)."""

from monitors.tools.http.tool import Http

__all__ = ["Http"]

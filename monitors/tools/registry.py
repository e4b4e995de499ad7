"""Which tools there are, and why some named by the contract are not."""

from monitors.tools.base import Tool
from monitors.tools.http import Http
from monitors.tools.k6 import K6

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (Http(), K6())}
_RUNS_ANYTHING = "It runs any code that the script holds, and this version has no sandbox for it."
UNAVAILABLE = {
    "jmeter": f"The tool jmeter is not available in this version. {_RUNS_ANYTHING}",
    "locust": f"The tool locust is not available in this version. {_RUNS_ANYTHING}",
    "browser": "The tool browser is not available in this version.",
}


def versions() -> dict[str, str]:
    """Installed tools and their versions."""
    return {name: version for name, tool in TOOLS.items() if (version := tool.version())}

"""Which tools there are, and which of them this installation allows (contract: monitors §8.6)."""

from django.conf import settings

from monitors.tools.base import Tool
from monitors.tools.browser import Browser
from monitors.tools.http import Http
from monitors.tools.jmeter import JMeter
from monitors.tools.k6 import K6
from monitors.tools.locust import Locust

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (Http(), K6(), JMeter(), Locust(), Browser())}


def refusal(name: str) -> str | None:
    """Why a tool may not be used here; None when it may."""
    if name not in TOOLS:
        return f"There is no tool '{name[:50]}'. Known: {', '.join(TOOLS)}."
    if TOOLS[name].unsandboxed and not settings.MONITOR_ALLOW_UNSANDBOXED:
        return (
            f"The tool {name} is switched off: its scripts run any code. "
            "MONITOR_ALLOW_UNSANDBOXED=true switches it on, for administrators only."
        )
    return None


def versions() -> dict[str, str]:
    """The tools that may be used and are installed here, and their versions."""
    allowed = (tool for name, tool in TOOLS.items() if refusal(name) is None)
    return {tool.name: version for tool in allowed if (version := tool.version())}

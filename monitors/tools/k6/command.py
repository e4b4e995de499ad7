"""The command line of k6 (contract: monitors §8.2)."""

from collections.abc import Mapping

from django.conf import settings

SCRIPT, SUMMARY, POINTS = "script.js", "summary.json", "points.fifo"
TREND_STATS = "avg,min,med,max,p(50),p(90),p(95),p(99),count"
METADATA = ("169.254.0.0/16", "fd00:ec2::254/128")  # addresses that hand out a machine's credentials


def command(program: str) -> list[str]:
    """Log lines are JSON, so that uncaught exceptions can be told from what the script prints."""
    denied = [*METADATA, *map(str, settings.MONITOR_TARGET_DENY)]
    return [
        *(program, "run", "--quiet", "--no-color", "--no-usage-report", "--address=", "--log-format=json"),
        *(f"--summary-trend-stats={TREND_STATS}", f"--summary-export={SUMMARY}", "--out", f"json={POINTS}"),
        *(f"--blacklist-ip={network}" for network in denied),
        SCRIPT,
    ]


def environment(base: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """What scripts see as `__ENV`. k6 must not fetch and start another k6 for extensions that a script names."""
    return {**base, **parameters, "K6_AUTO_EXTENSION_RESOLUTION": "false", "K6_BINARY_PROVISIONING": "false"}

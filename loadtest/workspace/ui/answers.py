"""What came back, as the page shows it: the status, the parts of the time, the body made readable."""

import json
from collections.abc import Mapping
from typing import Any

from config import formats
from config.words import SHAPES

SHOWN_BYTES, PRETTY_BYTES = 200_000, 1_000_000
PARTS = (
    ("queueWaitMs", "Waiting"),
    ("dnsMs", "Name look-up"),
    ("connectMs", "Connecting"),
    ("tlsMs", "TLS handshake"),
    ("firstByteMs", "First byte"),
    ("downloadMs", "Download"),
)
SCRIPTS = (("preScriptError", "The script before the request failed"), ("postScriptError", "The test script failed"))


def shown_answer(reply: Mapping[str, Any]) -> dict[str, Any]:
    """`reply` is that of POST /request (contract: load testing §9.2)."""
    tests = reply.get("testResults") or []
    tone = {2: "good", 3: "good", 4: "warning", 5: "bad"}.get(reply.get("statusCode", 0) // 100, "unknown")
    timing = reply.get("timing") or {}
    parts = timing_parts(timing)
    body = pretty(reply)
    return {
        **reply,
        "headers": reply.get("headers") or {},
        "total": timing.get("totalMs", 0),
        "tone": tone,
        "shape": SHAPES[tone],
        "tests": tests,
        "passed_tests": sum(1 for test in tests if test.get("passed")),
        "failed_tests": any(not test.get("passed") for test in tests),
        "script_errors": [(words, reply[name]) for name, words in SCRIPTS if reply.get(name)],
        "parts": parts,
        "timing_words": "Time: " + ", ".join(f"{part['label']} {formats.milliseconds(part['ms'])}" for part in parts),
        "shown_body": body[:SHOWN_BYTES],
        "cut": SHOWN_BYTES if len(body) > SHOWN_BYTES else 0,
    }


def timing_parts(timing: Mapping[str, float]) -> list[dict[str, Any]]:
    """The parts that took time, each with its place on a bar of 1000; at least a sliver, so that none is lost."""
    known = [(number, label, timing.get(name) or 0) for number, (name, label) in enumerate(PARTS, start=1)]
    known = [one for one in known if one[2] > 0]
    whole, x, parts = sum(ms for _, _, ms in known) or 1, 0.0, []
    for series, label, ms in known:
        width = 1000 * ms / whole
        parts.append({"series": series, "label": label, "ms": ms, "x": f"{x:.1f}", "width": f"{max(width, 2):.1f}"})
        x += width
    return parts


def pretty(reply: Mapping[str, Any]) -> str:
    """The body as text; JSON of a readable size with indentation, binary content as its size only."""
    body = reply.get("body") or ""
    if reply.get("bodyBase64"):
        return f"{formats.bytes_size(reply.get('bodySize'))} of binary content, as base64:\n{body}"
    if len(body) <= PRETTY_BYTES and body.lstrip()[:1] in ("{", "["):
        try:
            return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return body
    return body

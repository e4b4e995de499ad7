"""A summary that k6 wrote elsewhere, handed in as it is (contract: monitors §7.2, §8.2)."""

from pathlib import Path
from typing import Any

import msgspec

from monitors.tools.base import Outcome
from monitors.tools.k6 import result
from monitors.tools.k6.streams import Messages
from monitors.tools.process import Exit
from monitors.tools.samples import Samples


def is_summary(value: Any) -> bool:
    """Whether this is k6's document and not figures of ours."""
    return isinstance(value, dict) and isinstance(value.get("metrics"), dict)


def outcome_of(document: dict[str, Any], *, exit_code: int, timed_out: bool) -> Outcome:
    """What it means together with the exit code. Apdex is unknown: a summary has no single request.

    Reads the file of `--summary-export` and what `handleSummary` gets. Raises ValueError for what is neither.
    """
    try:
        metrics = {str(name): _flat(values) for name, values in document["metrics"].items()}
        return result.outcome(
            ended=Exit(exit_code, timed_out=timed_out),
            summary=msgspec.json.encode({"metrics": metrics}),
            samples=Samples(0),
            messages=Messages(lambda line: None, folder=Path("/")),
        )
    except (KeyError, TypeError, AttributeError, OverflowError, UnicodeEncodeError) as fault:
        raise ValueError(str(fault)) from None


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """The form of the export: `handleSummary` nests the values, calls a share `rate` and says of limits what is ok."""
    nested = values.get("values")
    flat = {**nested, "value": nested.get("rate", nested.get("value"))} if isinstance(nested, dict) else dict(values)
    if "p(50)" not in flat and "med" in flat:
        flat["p(50)"] = flat["med"]
    limits = values.get("thresholds") or {}
    flat["thresholds"] = {
        text: said.get("ok") is False if isinstance(said, dict) else said for text, said in limits.items()
    }
    return flat

"""Log events from templates and from replayed rows (contract: signals §8.3, §8.4)."""

import re
from collections.abc import Callable
from itertools import accumulate

from loadtest.signals.generators import specs
from loadtest.signals.generators.mixing import fraction, hashed

SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")
# Severity, message and fields of one tick.
Event = tuple[str, str, dict[str, str]]


def events_of(spec: specs.Template | specs.LogReplay) -> Callable[[int], Event]:
    """A pure function of the tick."""
    return _templates(spec) if isinstance(spec, specs.Template) else _replay(spec)


def _templates(spec: specs.Template) -> Callable[[int], Event]:
    fillers = [_filler(template, spec.seed) for template in spec.templates]
    severity = _severity(spec.severity_weights, spec.seed)

    def event(tick: int) -> Event:
        message, fields = fillers[tick % len(fillers)](tick)
        return severity(tick), message, fields

    return event


def _filler(template: specs.LogTemplate, seed: int) -> Callable[[int], tuple[str, dict[str, str]]]:
    pools = [(name, name.encode(), pool) for name, pool in sorted(template.field_pools.items())]
    if not pools:
        return lambda tick: (template.message, {})
    # Text and names in turn; filling in one pass keeps a picked value with braces as it is.
    parts = re.split(r"\{(" + "|".join(re.escape(name) for name, _, _ in pools) + r")\}", template.message)

    def fill(tick: int) -> tuple[str, dict[str, str]]:
        fields = {name: pool[hashed(seed, tick, hashable) % len(pool)] for name, hashable, pool in pools}
        return "".join(fields[part] if place % 2 else part for place, part in enumerate(parts)), fields

    return fill


def _severity(weights: dict[str, float], seed: int) -> Callable[[int], str]:
    if not weights:
        return lambda tick: "info"
    named = [severity for severity in SEVERITIES if severity in weights]
    sums = list(accumulate(weights[severity] for severity in named))

    def severity(tick: int) -> str:
        drawn = fraction(hashed(seed, tick, b"severity")) * sums[-1]
        return next((name for name, upto in zip(named, sums, strict=True) if drawn < upto), named[-1])

    return severity


def _replay(spec: specs.LogReplay) -> Callable[[int], Event]:
    rows, last = spec.rows, len(spec.rows) - 1

    def event(tick: int) -> Event:
        row = rows[tick % len(rows) if spec.repeat else min(tick, last)]
        return row.severity, row.message, row.fields

    return event

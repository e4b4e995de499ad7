"""One entry's values, checked (422): the last stop before an `Entry` (contract: signals §4.5)."""

import re
from math import lcm
from typing import Any

import msgspec

from loadtest.signals.generators import specs
from loadtest.signals.scenario import delivering, generating, replaying, templating
from loadtest.signals.scenario.entry import Bursts, CardinalitySpike, DynamicLabel, Entry, Gaps
from loadtest.signals.scenario.fields import Fields, scalar_text
from loadtest.signals.scenario.replaying import FileLookup, Replayed
from loadtest.signals.scenario.start_times import start_from

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
LONGEST_NAME = 255
MOST_LINES = 1_000_000  # a second
SLOWEST = 1e-9  # ticks a second
_METRIC_TYPES = ("gauge", "counter", "histogram", "summary", "untyped")
_OWN_LABELS = {"histogram": "le", "summary": "quantile"}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Ceilings of one scenario (contract §4.7)."""

    rate: float = 50_000
    series: int = 100_000
    labels: int = 64
    label_bytes: int = 4096


def entries(fields: Fields, signal: str, *, limits: Limits, files: FileLookup) -> list[Entry]:
    """The entries that one entry of a body becomes: as many as a CSV has columns, else one."""
    logs = signal == "logs"
    rate = fields.number("rate", None, above=0)
    name = fields.text("name", None, longest=LONGEST_NAME)
    common = _common(fields, signal)
    made: list[tuple[str | None, float, specs.Generator, dict[str, str]]]
    source = _generator(fields, signal)
    if source.raw("type") == "csv_replay" and signal in ("metrics", "logs"):
        if logs:
            replay, rate = replaying.logs(source, files, rate)
            made = [(name, rate, replay, {})]
        else:
            made = [_column(name, one) for one in replaying.metrics(source, files)]
    elif logs:
        source.choice("type", ("template", "csv_replay"))
        made = [(name, rate, templating.template(source), {})]
    elif signal == "metrics":
        made = [(name, rate, generating.metric(source, rate), {})]
    else:
        made = [(name, rate, generating.observed(fields, summary=signal == "summary", rate=rate), {})]
    several = len(made) > 1
    return [_entry(fields, signal, one, common, limits=limits, several=several) for one in made]


def _generator(fields: Fields, signal: str) -> Fields:
    if signal in ("histogram", "summary"):
        return fields.mapping("distribution")
    return fields.mapping("log_generator" if signal == "logs" and fields.has("log_generator") else "generator")


def _column(name: str | None, one: Replayed) -> tuple[str | None, float, specs.Generator, dict[str, str]]:
    return one.name or name, one.rate, one.spec, one.labels


def _common(fields: Fields, signal: str) -> dict[str, Any]:
    """What all entries of one have alike."""
    logs = signal == "logs"
    encoder = delivering.encoder(fields, logs=logs)
    common: dict[str, Any] = {
        "duration_s": fields.seconds("duration", None),
        "start_time": _start_time(fields),
        "offset_s": fields.seconds("phase_offset", 0.0, zero=True),
        "clock_group": fields.text("clock_group", None, longest=256),
        "dynamic_labels": [_dynamic(one) for one in fields.mappings("dynamic_labels")],
        "cardinality_spikes": [_spike(one) for one in fields.mappings("cardinality_spikes")],
        "gaps": _gaps(fields),
        "bursts": _bursts(fields),
        "encoder": encoder,
        "sink": delivering.sink(fields, logs=logs, encoded=encoder),
        "on_sink_error": fields.choice("on_sink_error", ("warn", "fail"), "warn"),
    }
    if signal == "metrics":
        common["jitter"] = fields.number("jitter", None, at_least=0)
        common["jitter_seed"] = fields.integer("jitter_seed", 0)
    if not logs:
        common["metric_type"] = fields.choice("metric_type", _METRIC_TYPES, None)
        common["help"] = fields.text("help", None, longest=1024)
    return common


def _entry(
    fields: Fields,
    signal: str,
    one: tuple[str | None, float, specs.Generator, dict[str, str]],
    common: dict[str, Any],
    *,
    limits: Limits,
    several: bool,
) -> Entry:
    name, rate, spec, own_labels = one
    if not name:
        raise fields.fault("name", "is required: neither the entry nor a column's header has one")
    if signal != "logs" and not METRIC_NAME.fullmatch(name):
        raise fields.fault("name", f"must be a metric name, not '{name}'")
    ident = fields.text("id", None)
    entry = Entry(
        name=name,
        signal_type=signal,  # type: ignore[arg-type]
        rate=rate,
        id=f"{ident}.{name}" if ident and several else ident,
        generator=spec,
        labels=_labels(fields, own_labels),
        **common,
    )
    if entry.metric_type is None and signal != "logs":
        kind = {"metrics": "counter" if isinstance(spec, specs.Step) else "gauge"}.get(signal, signal)
        entry = msgspec.structs.replace(entry, metric_type=kind)
    _within(fields, entry, limits)
    if isinstance(spec, specs.Leak) and entry.duration_s and spec.time_to_ceiling_s < entry.duration_s:
        raise fields.mapping("generator").fault("time_to_ceiling", "must not be shorter than 'duration'")
    return entry


def _labels(fields: Fields, own: dict[str, str]) -> dict[str, str]:
    given = fields.mapping("labels", None)
    made = {name: scalar_text(given.raw(name)) for name in given.names()} if given else {}
    for name, value in made.items():
        if value is None:
            raise fields.fault(f"labels.{name}", "must be a text, a number, true or false")
    return {**own, **made}  # type: ignore[dict-item]


def _within(fields: Fields, entry: Entry, limits: Limits) -> None:
    """The ceilings of §4.7, and what labels may be called."""
    fastest = entry.rate * (entry.bursts.multiplier if entry.bursts else 1)
    if not fastest <= limits.rate:
        raise fields.fault("rate", f"must be at most {limits.rate:g} a second, bursts included")
    if fastest * _series_a_set(entry.generator) > MOST_LINES:
        raise fields.fault("rate", f"must make at most {MOST_LINES} lines a second, all buckets counted")
    if min(entry.rate, fastest) < SLOWEST:
        raise fields.fault("rate", f"must be at least {SLOWEST:g} a second, bursts included")
    keys = [*entry.labels, *(one.key for one in entry.dynamic_labels), *(one.label for one in entry.cardinality_spikes)]
    if len(keys) > limits.labels:
        raise fields.fault("labels", f"must be at most {limits.labels} in all")
    for key in keys:
        if not LABEL_NAME.fullmatch(key) or len(key) > LONGEST_NAME:
            raise fields.fault("labels", f"holds '{key}', which is no name of a label")
        if not entry.is_log and key in ("__name__", _OWN_LABELS.get(entry.signal_type)):
            raise fields.fault("labels", f"must not hold '{key}', which {entry.signal_type} set themselves")
    texts = [*entry.labels.values(), *(text for one in entry.dynamic_labels for text in one.values or [one.prefix])]
    texts += [one.prefix for one in entry.cardinality_spikes]
    if any(len(text.encode()) > limits.label_bytes for text in texts):
        raise fields.fault("labels", f"must have values of at most {limits.label_bytes} bytes")
    rotating: list[DynamicLabel | CardinalitySpike] = [*entry.dynamic_labels, *entry.cardinality_spikes]
    sets = lcm(*(one.cardinality for one in rotating))
    if sets * _series_a_set(entry.generator) > limits.series:
        raise fields.fault("labels", f"must make at most {limits.series} series")


def _series_a_set(spec: specs.Generator) -> int:
    if isinstance(spec, specs.Histogram):
        return len(spec.buckets) + 3
    return len(spec.quantiles) + 2 if isinstance(spec, specs.Summary) else 1


def _start_time(fields: Fields) -> str:
    text: str = fields.text("start_time", "now", longest=64)
    try:
        start_from(text, 1_800_000_000 * 10**9)
    except ValueError:
        raise fields.fault("start_time", 'must be "now", a moment of RFC 3339, or a distance such as "-7d"') from None
    return text


def _window(fields: Fields) -> tuple[float, float]:
    every_s, for_s = fields.seconds("every"), fields.seconds("for")
    if for_s >= every_s:
        raise fields.fault("for", "must be shorter than 'every'")
    return every_s, for_s


def _gaps(fields: Fields) -> Gaps | None:
    within = fields.mapping("gaps", None)
    if within is None:
        return None
    every_s, for_s = _window(within)
    return Gaps(every_s=every_s, for_s=for_s)


def _bursts(fields: Fields) -> Bursts | None:
    within = fields.mapping("bursts", None)
    if within is None:
        return None
    every_s, for_s = _window(within)
    return Bursts(every_s=every_s, for_s=for_s, multiplier=within.number("multiplier", above=0))


def _dynamic(fields: Fields) -> DynamicLabel:
    key, prefix = _key(fields, "key"), fields.text("prefix", "key_")
    if fields.has("values"):
        values = fields.texts("values")
        return DynamicLabel(key=key, prefix=prefix, cardinality=len(values), values=values)
    return DynamicLabel(key=key, prefix=prefix, cardinality=fields.integer("cardinality", at_least=1))


def _spike(fields: Fields) -> CardinalitySpike:
    every_s, for_s = _window(fields)
    return CardinalitySpike(
        label=_key(fields, "label"),
        every_s=every_s,
        for_s=for_s,
        cardinality=fields.integer("cardinality", at_least=1),
        strategy=fields.choice("strategy", ("counter", "random"), "counter"),
        prefix=fields.text("prefix", "label_"),
        seed=fields.integer("seed", 0),
    )


def _key(fields: Fields, name: str) -> str:
    key: str = fields.text(name)
    if not LABEL_NAME.fullmatch(key):
        raise fields.fault(name, "must be the name of a label")
    return key

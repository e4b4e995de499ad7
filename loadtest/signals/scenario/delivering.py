"""Reading encoders and sinks (contract: signals §9.1, §9.2)."""

from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from loadtest.signals.encoders import specs as encodings
from loadtest.signals.scenario import sinks
from loadtest.signals.scenario.fields import Fields

MOST_HEADERS = 64
LATER = {"otlp": "OpenTelemetry (OTLP)", "otlp_grpc": "OpenTelemetry (OTLP) over gRPC", "kafka": "Kafka"}
_FOR_METRICS = {"prometheus_text", "influx_lp", "json_lines", "remote_write", "otlp"}
_FOR_LOGS = {"json_lines", "syslog", "otlp"}


def encoder(fields: Fields, *, logs: bool) -> encodings.AnyEncoder:
    """The encoder of an entry, or the one that goes without saying."""
    if not fields.has("encoder"):
        return encodings.JsonLines() if logs else encodings.PrometheusText()
    within = fields.mapping("encoder")
    kind = within.choice("type", _FOR_METRICS | _FOR_LOGS)
    if kind not in (_FOR_LOGS if logs else _FOR_METRICS):
        raise within.fault("type", f"{kind} does not encode {'logs' if logs else 'metrics'}")
    if kind in LATER:
        raise within.fault("type", f"{kind}: {LATER[kind]} is not supported yet")
    match kind:
        case "influx_lp":
            return encodings.InfluxLine(
                field_key=within.text("field_key", "value", longest=256) or "value", precision=_precision(within)
            )
        case "json_lines":
            return encodings.JsonLines(precision=_precision(within))
        case "syslog":
            return encodings.Syslog(hostname=_word(within, "hostname", 255), app_name=_word(within, "app_name", 48))
        case "remote_write":
            return encodings.RemoteWrite()
    return encodings.PrometheusText(precision=_precision(within))


def _precision(fields: Fields) -> int | None:
    return fields.integer("precision", None, at_most=17)


def _word(fields: Fields, name: str, longest: int) -> str:
    """Printable ASCII without spaces, as the head of a syslog line takes it."""
    word: str = fields.text(name, "sonda", longest=longest)
    if not word or not all("!" <= one <= "~" for one in word):
        raise fields.fault(name, "must be printable ASCII without spaces")
    return word


def sink(fields: Fields, *, logs: bool, encoded: encodings.AnyEncoder) -> sinks.AnySink:
    """The sink of an entry; what its target may be is for those to say who open it."""
    if not fields.has("sink"):
        return sinks.Stdout()
    within = fields.mapping("sink")
    kind = within.choice("type", sorted((*_SINKS, "kafka", "otlp_grpc")))
    if kind in LATER:
        raise within.fault("type", f"{kind}: {LATER[kind]} is not supported yet")
    if logs and kind == "remote_write":
        raise within.fault("type", "remote_write does not take logs")
    if kind == "loki" and isinstance(encoded, encodings.RemoteWrite):
        raise within.fault("type", "loki takes lines, not remote_write")
    return _SINKS[kind](within, logs)


def _platform(fields: Fields, logs: bool) -> sinks.AnySink:
    own = "logs" if logs else "metrics"
    target = fields.choice("target", ("metrics", "logs"), own)
    if target != own:
        raise fields.fault("target", f"must be {own} here: one kind is not stored as the other")
    return sinks.Platform(target=target, instance=fields.text("instance", None, longest=128))


def _http_push(fields: Fields, logs: bool) -> sinks.AnySink:
    return sinks.HttpPush(
        url=_url(fields),
        content_type=_header_text(fields, "content_type", fields.text("content_type", "application/octet-stream")),
        headers=_headers(fields),
        batch_size=fields.integer("batch_size", 4096, at_least=1, at_most=4 << 20),
        max_buffer_age_s=fields.seconds("max_buffer_age", 5.0, zero=True),
        retry=_retry(fields),
    )


def _remote_write(fields: Fields, logs: bool) -> sinks.AnySink:
    return sinks.RemoteWrite(
        url=_url(fields),
        headers=_headers(fields),
        batch_size=fields.integer("batch_size", 5, at_least=1, at_most=10_000),
        max_buffer_age_s=fields.seconds("max_buffer_age", 5.0, zero=True),
        retry=_retry(fields),
    )


def _loki(fields: Fields, logs: bool) -> sinks.AnySink:
    return sinks.Loki(
        url=_url(fields),
        headers=_headers(fields),
        batch_size=fields.integer("batch_size", 5, at_least=1, at_most=10_000),
        max_streams_per_push=fields.integer("max_streams_per_push", 128, at_least=1, at_most=10_000),
        max_buffer_age_s=fields.seconds("max_buffer_age", 5.0, zero=True),
        retry=_retry(fields),
    )


def _memory(fields: Fields, logs: bool) -> sinks.AnySink:
    return sinks.Memory(capture=fields.flag("capture", False), max_events=fields.integer("max_events", None))


def _file(fields: Fields, logs: bool) -> sinks.AnySink:
    path = fields.text("path", longest=1024)
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts or not path.isprintable():
        raise fields.fault("path", "must be a relative path that stays inside the folder of signals")
    return sinks.File(path=path)


_SINKS: dict[str, Callable[[Fields, bool], sinks.AnySink]] = {
    "stdout": lambda fields, logs: sinks.Stdout(),
    "memory": _memory,
    "platform": _platform,
    "http_push": _http_push,
    "file": _file,
    "tcp": lambda fields, logs: sinks.Tcp(address=_address(fields), retry=_retry(fields)),
    "udp": lambda fields, logs: sinks.Udp(address=_address(fields)),
    "remote_write": _remote_write,
    "loki": _loki,
}


def _url(fields: Fields) -> str:
    url: str = fields.text("url", longest=2048)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise fields.fault("url", "must be an http:// or https:// address")
    return url


def _address(fields: Fields) -> str:
    address: str = fields.text("address", longest=300)
    try:
        sinks.host_and_port(address)
    except ValueError:
        raise fields.fault("address", "must be host:port") from None
    return address


def _headers(fields: Fields) -> dict[str, str]:
    headers = fields.mapping("headers", None)
    if headers is None:
        return {}
    if len(headers.names()) > MOST_HEADERS:
        raise fields.fault("headers", f"must have at most {MOST_HEADERS} members")
    for name in headers.names():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise headers.fault(name, "is no name of a header")
    return {name: _header_text(headers, name, headers.text(name, longest=8192)) for name in headers.names()}


def _header_text(fields: Fields, name: str, text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise fields.fault(name, "must be printable ASCII")
    return text


def _retry(fields: Fields) -> sinks.Retry | None:
    retry = fields.mapping("retry", None)
    if retry is None:
        return None
    first_s, most_s = retry.seconds("initial_backoff"), retry.seconds("max_backoff")
    if most_s < first_s:
        raise retry.fault("max_backoff", "must not be below 'initial_backoff'")
    attempts = retry.integer("max_attempts", at_least=1, at_most=100)
    return sinks.Retry(max_attempts=attempts, initial_backoff_s=first_s, max_backoff_s=most_s)

"""How ticks become bytes, as a scenario says (contract: signals §9.1)."""

import msgspec


class Encoder(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """The parameters of one encoder; the tag is its type."""


class PrometheusText(Encoder, frozen=True, kw_only=True, tag="prometheus_text"):
    precision: int | None = None


class InfluxLine(Encoder, frozen=True, kw_only=True, tag="influx_lp"):
    field_key: str = "value"
    precision: int | None = None


class JsonLines(Encoder, frozen=True, kw_only=True, tag="json_lines"):
    precision: int | None = None


class Syslog(Encoder, frozen=True, kw_only=True, tag="syslog"):
    hostname: str = "sonda"
    app_name: str = "sonda"


class RemoteWrite(Encoder, frozen=True, kw_only=True, tag="remote_write"):
    pass


AnyEncoder = PrometheusText | InfluxLine | JsonLines | Syslog | RemoteWrite

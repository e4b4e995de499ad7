"""How ticks become bytes, as a scenario says (contract: signals §9.1)."""

import msgspec


class Encoder(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """The parameters of one encoder; the tag is its type."""


class PrometheusText(Encoder, tag="prometheus_text"):
    precision: int | None = None


class InfluxLine(Encoder, tag="influx_lp"):
    field_key: str = "value"
    precision: int | None = None


class JsonLines(Encoder, tag="json_lines"):
    precision: int | None = None


class Syslog(Encoder, tag="syslog"):
    hostname: str = "sonda"
    app_name: str = "sonda"


class RemoteWrite(Encoder, tag="remote_write"):
    pass


AnyEncoder = PrometheusText | InfluxLine | JsonLines | Syslog | RemoteWrite

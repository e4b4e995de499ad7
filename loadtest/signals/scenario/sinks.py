"""Where an entry's output goes, as its scenario says (contract: signals §9.2). Durations are seconds."""

import msgspec


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts in all, and the bounds of the random wait between them."""

    max_attempts: int
    initial_backoff_s: float
    max_backoff_s: float


class Sink(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """The parameters of one sink; the tag is its type."""


class Stdout(Sink, frozen=True, kw_only=True, tag="stdout"):
    pass


class Memory(Sink, frozen=True, kw_only=True, tag="memory"):
    capture: bool = False
    max_events: int | None = None


class Platform(Sink, frozen=True, kw_only=True, tag="platform"):
    """Our own metrics and logs. `instance` is the id of an instance, or None for the virtual one of the scenario."""

    target: str  # "metrics" or "logs"
    instance: str | None = None


class HttpPush(Sink, frozen=True, kw_only=True, tag="http_push"):
    url: str
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = {}
    batch_size: int = 4096  # bytes
    max_buffer_age_s: float = 5.0  # 0: no bound
    retry: Retry | None = None


class File(Sink, frozen=True, kw_only=True, tag="file"):
    """A relative path below the folder of signals; whether it stays inside is for the sink to see."""

    path: str


class Tcp(Sink, frozen=True, kw_only=True, tag="tcp"):
    address: str  # host:port
    retry: Retry | None = None


class Udp(Sink, frozen=True, kw_only=True, tag="udp"):
    address: str  # host:port


class RemoteWrite(Sink, frozen=True, kw_only=True, tag="remote_write"):
    url: str
    headers: dict[str, str] = {}
    batch_size: int = 5  # time series
    max_buffer_age_s: float = 5.0
    retry: Retry | None = None


class Loki(Sink, frozen=True, kw_only=True, tag="loki"):
    url: str
    headers: dict[str, str] = {}
    batch_size: int = 5  # lines
    max_streams_per_push: int = 128
    max_buffer_age_s: float = 5.0
    retry: Retry | None = None


AnySink = Stdout | Memory | Platform | HttpPush | File | Tcp | Udp | RemoteWrite | Loki
OUTSIDE = (HttpPush, File, Tcp, Udp, RemoteWrite, Loki)  # leave the platform: need OPERATOR and the rules of §9.3


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of `host:port` or `[v6]:port`; raises ValueError when it is neither."""
    host, colon, port = address.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65536:
        raise ValueError(address)
    return host, int(port)

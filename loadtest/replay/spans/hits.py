"""The answer of `/v1/inject` to a proxy (contract §8)."""

from loadtest.replay.spans.exchange import Response


def wants_json(accept: str) -> bool:
    """True when `Accept` names `application/json` and not protobuf; protobuf otherwise."""
    raise NotImplementedError


def hit(response: Response, *, as_json: bool) -> tuple[bytes, str]:
    """Body and content type of a hit: one resource, one scope, one span, the status first and as an integer.

    A response without headers carries `x-softprobe-mock: 1`: the WASM filter ignores a hit that has neither header
    nor body. A name that comes more than once is one attribute with a list.
    """
    raise NotImplementedError

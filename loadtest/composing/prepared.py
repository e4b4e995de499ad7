"""A request that is ready to be sent."""

from dataclasses import dataclass

from loadtest.engine.dynamic import Template

Header = tuple[str, str]


@dataclass(frozen=True)
class Prepared:
    """What goes on the wire. The URL is absolute and holds the query; Host and Content-Length are the sender's.

    `template` is the whole request for the load engine when dynamic names are drawn for each request
    (`loadtest.engine.dynamic.draw`); empty when every request is the same. URL, headers and body are then one example.
    """

    method: str
    url: str
    headers: tuple[Header, ...]
    body: bytes = b""
    template: Template = ()

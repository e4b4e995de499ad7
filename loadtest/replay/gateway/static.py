"""Which exchanges are about files of a page rather than calls of an app."""

from aiohttp import hdrs

from loadtest.replay.gateway.headers import Headers

_ENDINGS = (
    *(".css", ".js", ".mjs", ".map", ".wasm"),
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".ico", ".bmp"),
    *(".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp3", ".mp4", ".webm"),
)
_TYPES = ("image/", "font/", "audio/", "video/", "text/css", "text/javascript", "application/javascript")


def is_static(path: str, headers: Headers) -> bool:
    """By the ending of the path, or by the type of the answer."""
    name = path.partition("?")[0].lower()
    return name.endswith(_ENDINGS) or headers.get(hdrs.CONTENT_TYPE, "").lower().startswith(_TYPES)

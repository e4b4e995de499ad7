"""What the options of a curl command add up to (curl's manual). Pure; no file is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from config.api.errors import Invalid
from loadtest.exchange.tree import Json

# What takes a value and says nothing that a saved request keeps.
IGNORED_VALUES = frozenset({
    "-o", "--output", "-w", "--write-out", "--connect-timeout", "--retry", "--retry-delay", "--retry-max-time",
    "--limit-rate", "-c", "--cookie-jar", "--keepalive-time", "--stderr", "-D", "--dump-header", "--resolve", "-x",
    "--proxy", "--cacert", "--cert", "-E", "--key", "--max-filesize", "-Y", "-y", "--interface", "--ciphers",
    "--tls-max", "--noproxy", "--proto", "--capath", "--cert-type", "--key-type",
})  # fmt: skip
IGNORED_FLAGS = frozenset({
    "-s", "--silent", "-S", "--show-error", "-v", "--verbose", "-i", "--include", "-f", "--fail",
    "--fail-with-body", "-g", "--globoff", "-N", "--no-buffer", "-#", "--progress-bar", "--http1.1", "--http2",
    "--http2-prior-knowledge", "--http3", "-4", "--ipv4", "-6", "--ipv6", "-O", "--remote-name", "-J", "--tlsv1.2",
    "--tlsv1.3", "--tcp-nodelay", "--no-keepalive", "--path-as-is", "--basic", "--raw", "--compressed-ssh", "-q",
    "--disable",
})  # fmt: skip
LONG = {
    "-X": "--request", "-H": "--header", "-d": "--data", "-F": "--form", "-u": "--user", "-G": "--get", "-I": "--head",
    "-k": "--insecure", "-L": "--location", "-A": "--user-agent", "-e": "--referer", "-b": "--cookie",
    "-m": "--max-time", "-T": "--upload-file", "-K": "--config", "--data-ascii": "--data",
}  # fmt: skip
FILES = frozenset({"--upload-file", "--config"})


@dataclass
class Call:
    """What the options add up to."""

    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    form: list[Json] = field(default_factory=list)
    auth: Json = field(default_factory=dict)
    in_query: bool = False
    head: bool = False
    options: Json = field(default_factory=lambda: {"followRedirects": False})
    skipped: list[str] = field(default_factory=list)


def parsed(arguments: list[str]) -> Call:
    """The options of a command. Raises Invalid."""
    call, queue = Call(), list(arguments)
    while queue:
        word = queue.pop(0)
        if not word.startswith("-") or word == "-":
            call.urls.append(word)
            continue
        name, attached = _split(word, queue)
        name = LONG.get(name, name)
        if name in IGNORED_FLAGS:
            continue
        if name in FLAGS:
            FLAGS[name](call)
            continue
        if name not in VALUES and name not in IGNORED_VALUES and name not in FILES:
            raise Invalid(f"The curl option '{name[:40]}' is not understood")
        if attached is None and not queue:
            raise Invalid(f"The curl option '{name}' needs a value")
        value = attached if attached is not None else queue.pop(0)
        if name in FILES:
            raise _file(name)
        if name in VALUES:
            VALUES[name](call, value)
        else:
            call.skipped.append(name)
    return call


def _split(word: str, queue: list[str]) -> tuple[str, str | None]:
    """An option and the value that hangs on it: `-XPOST`, `--url=…`. Flags that share a dash are taken apart."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    name, rest = word[:2], word[2:]
    takes_value = LONG.get(name, name) in VALUES or name in IGNORED_VALUES or LONG.get(name) in FILES
    if rest and not takes_value:
        queue.insert(0, f"-{rest}")
        return name, None
    return name, rest or None


def _file(name: str) -> Invalid:
    return Invalid(
        f"The curl option '{name}' reads a file, which cannot be imported. Put its content into the command."
    )


def _header(call: Call, value: str) -> None:
    if value.startswith("@"):
        raise _file("--header")
    name, colon, content = value.partition(":")
    if colon and content.strip():
        call.headers.append((name.strip(), content.strip()))
    elif not colon and name.endswith(";"):
        call.headers.append((name[:-1].strip(), ""))


def _data(call: Call, value: str) -> None:
    if value.startswith("@"):
        raise _file("--data")
    call.data.append(value)


def _encoded(call: Call, value: str) -> None:
    """`content`, `=content` or `name=content`; with `@` it would be a file."""
    name, mark, content = re.fullmatch(r"([^=@]*)([=@]?)(.*)", value, re.DOTALL).groups()
    if mark == "@":
        raise _file("--data-urlencode")
    if not mark:
        name, content = "", name
    call.data.append(f"{name}={_percent(content)}" if name else _percent(content))


def _percent(content: str) -> str:
    """Percent-encoded, but for our own tokens, which are filled in later."""
    return "".join(
        part if part.startswith("{{") else quote(part, safe="") for part in re.split(r"(\{\{[^{}]*\}\})", content)
    )


def _json(call: Call, value: str) -> None:
    _data(call, value)
    given = {name.lower() for name, _ in call.headers}
    wanted = (("Content-Type", "application/json"), ("Accept", "application/json"))
    call.headers += [header for header in wanted if header[0].lower() not in given]


def _form(call: Call, value: str) -> None:
    name, equals, content = value.partition("=")
    if not equals:
        raise Invalid("The curl option '--form' needs a name and a value")
    if content.startswith(("@", "<")):
        raise _file("--form")
    call.form.append({"key": name, "value": re.sub(r";(?:type|filename)=[^;]*$", "", content), "enabled": True})


def _form_text(call: Call, value: str) -> None:
    name, _, content = value.partition("=")
    call.form.append({"key": name, "value": content, "enabled": True})


def _user(call: Call, value: str) -> None:
    name, _, password = value.partition(":")
    call.auth = {"mode": "basic", "username": name, "password": password}


def _cookie(call: Call, value: str) -> None:
    if "=" not in value:
        raise _file("--cookie")
    call.headers.append(("Cookie", value))


def _number(name: str, key: str, factor: int, most: int) -> Callable[[Call, str], None]:
    def keep(call: Call, value: str) -> None:
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
            raise Invalid(f"The curl option '{name}' needs a number")
        call.options[key] = max(0 if factor == 1 else 1, min(round(float(value) * factor), most))

    return keep


def _set(name: str, value: object) -> Callable[[Call], None]:
    return lambda call: setattr(call, name, value)


def _option(name: str, value: object) -> Callable[[Call], None]:
    return lambda call: call.options.update({name: value})


def _named(header: str) -> Callable[[Call, str], None]:
    return lambda call, value: call.headers.append((header, value))


FLAGS: dict[str, Callable[[Call], None]] = {
    "--get": _set("in_query", True),
    "--head": _set("head", True),
    "--insecure": _option("verifySSL", False),
    "--location": _option("followRedirects", True),
    "--location-trusted": _option("followRedirects", True),
    "--compressed": lambda call: call.headers.append(("Accept-Encoding", "gzip, deflate")),
}
VALUES: dict[str, Callable[[Call, str], None]] = {
    "--request": lambda call, value: setattr(call, "method", value),
    "--url": lambda call, value: call.urls.append(value),
    "--header": _header,
    "--data": _data,
    "--data-binary": _data,
    "--data-raw": lambda call, value: call.data.append(value),
    "--data-urlencode": _encoded,
    "--json": _json,
    "--form": _form,
    "--form-string": _form_text,
    "--user": _user,
    "--oauth2-bearer": lambda call, value: call.auth.update({"mode": "bearer", "token": value}),
    "--user-agent": _named("User-Agent"),
    "--referer": _named("Referer"),
    "--cookie": _cookie,
    "--max-time": _number("--max-time", "timeout", 1000, 86_400_000),
    "--max-redirs": _number("--max-redirs", "maxRedirects", 1, 100),
}

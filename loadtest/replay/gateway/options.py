"""The command line of `pharos gateway`, and the file that says the same for many listeners."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.client import DEFAULT_URL, find_place
from loadtest.replay.gateway import authority
from loadtest.replay.gateway.listeners import Listener
from loadtest.replay.gateway.places import WrongUse, listener

FORWARD = "127.0.0.1:8888"
_ALIASES = {
    "PHAROS_URL": ("SOFTPROBE_RUNTIME_URL", "SOFTPROBE_URL"),
    "PHAROS_API_KEY": ("PHAROS_KEY", "SOFTPROBE_API_TOKEN", "SOFTPROBE_KEY"),
}

EXAMPLES = """\
examples:
  Capture: your app on port 8081 calls https://api.bank.example. Send requests to port 8082, and tell the app that
  the bank is at http://127.0.0.1:9001. Ctrl-C ends the capture and writes the case.
    pharos gateway --capture --out refund.case.json \\
        --listen 127.0.0.1:8082 --to http://127.0.0.1:8081 --direction inbound \\
        --listen 127.0.0.1:9001 --to https://api.bank.example

  Replay: the bank may be down. A call that is not in the case is refused with status 599.
    pharos gateway --replay-case refund.case.json --listen 127.0.0.1:9001 --to https://api.bank.example

  Without touching the app's settings: a forward proxy that opens HTTPS for one host. The app must trust the CA.
    pharos gateway ca --out ca.pem
    pharos gateway --capture --forward --intercept api.bank.example
    HTTPS_PROXY=http://127.0.0.1:8888 SSL_CERT_FILE=ca.pem your-app

  For tests that name their session in the header x-softprobe-session-id, several at once:
    pharos gateway --config gateway.yaml

address and key: PHAROS_URL and PHAROS_API_KEY (or PHAROS_KEY, SOFTPROBE_API_TOKEN), --key-file, or the settings file
exit codes: 0 ended as asked, 1 failed, 2 wrong use, 3 not allowed, 4 not found, 5 Pharos cannot be reached
"""


@dataclass(frozen=True)
class Options:
    """What a gateway is to do. `fail` is "" where the mode of the session decides."""

    listeners: tuple[Listener, ...]
    url: str = DEFAULT_URL
    key: str = field(default="", repr=False)
    session: str = ""
    capture: bool = False
    replay_case: str = ""
    out: str = ""
    spy: bool = False
    fail: str = ""
    skip_static: bool = False
    keep: int = 1 << 20
    insecure_upstream: tuple[str, ...] = ()
    upstream_ca: str = ""
    ca_dir: Path = Path()
    connections: int = 1000
    idle_s: float = 300.0


class _Begin(argparse.Action):
    """`--listen` begins a listener; `--forward` gives it its kind, or begins one at the usual address."""

    def __call__(self, parser: Any, space: Any, values: Any, option: str | None = None) -> None:
        space.listeners = [*space.listeners, {"listen": values}]


class _OfListener(argparse.Action):
    """An option that belongs to the `--listen` before it."""

    def __call__(self, parser: Any, space: Any, values: Any, option: str | None = None) -> None:
        name = self.dest
        if not space.listeners:
            if name != "forward":
                parser.error(f"{option} belongs to a --listen: write that first")
            space.listeners = [{"listen": FORWARD}]
        last = dict(space.listeners[-1])
        if name in ("intercept", "allow_client"):
            last[name] = [*last.get(name, []), values]
        elif name in last:
            parser.error(f"{option} is given twice for --listen {last['listen']}")
        else:
            last[name] = True if name == "forward" else values
        space.listeners = [*space.listeners[:-1], last]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="pharos gateway",
        description="A proxy that captures the HTTP traffic of your app, and answers in place of its dependencies.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    made.set_defaults(listeners=[])
    _add_listeners(made.add_argument_group("listeners (those after a --listen belong to it)").add_argument)
    _add_session(made.add_argument_group("session").add_argument)
    add = made.add_argument_group("behaviour").add_argument
    add("--fail", choices=("open", "closed"), help="when Pharos does not answer: forward, or refuse with status 503 "
        "(default: closed in replay, else open)")  # fmt: skip
    add("--spy", action="store_true", help="report everything, never answer from the session")
    add("--skip-static", action="store_true", help="do not report pictures, fonts, styles and scripts")
    add("--keep", type=int, metavar="BYTES", help="how much of each body is kept (default 1048576)")
    add("--insecure-upstream", action="append", metavar="HOST", help="take any certificate of this host")
    add("--upstream-ca", metavar="FILE", help="trust these authorities for upstreams too (PEM)")
    add("--ca-dir", type=Path, metavar="DIR", help="where this installation's own CA lives")
    add("--connections", type=int, metavar="N", help="of callers at once, at most (default 1000)")
    add("--idle-timeout", dest="idle_s", type=float, metavar="SECONDS", help="end silent connections (default 300)")
    add = made.add_argument_group("Pharos").add_argument
    add("--url", help=f"its address (PHAROS_URL; default {DEFAULT_URL})")
    add("--key", help="the API key; better in PHAROS_API_KEY, where the process list does not show it")
    add("--key-file", metavar="FILE", help="file with the API key")
    add("--config", metavar="FILE", help="YAML with the same names, and `listeners:` as a list")
    return made


def _add_listeners(add: Any) -> None:
    add("--listen", action=_Begin, metavar="ADDRESS:PORT", help=f"may be repeated (default {FORWARD} --forward)")
    add("--to", action=_OfListener, metavar="URL", help="reverse: stands in front of this server")
    add("--direction", action=_OfListener, choices=("inbound", "outbound"),
        help="inbound: in front of your app; outbound: in front of what it calls (default)")  # fmt: skip
    add("--forward", action=_OfListener, nargs=0, help="forward proxy for many hosts (HTTP_PROXY, HTTPS_PROXY)")
    add("--intercept", action=_OfListener, metavar="HOST",
        help="open HTTPS to this host and all below it; may be repeated. Others are tunnelled unread")  # fmt: skip
    add("--service", action=_OfListener, metavar="NAME", help="the service that rules see as `service`")
    add("--bind", action=_OfListener, metavar="ID", help="a session for this listener alone")
    add("--allow-client", action=_OfListener, metavar="NETWORK",
        help="who may use a forward proxy that other machines can reach; may be repeated")  # fmt: skip


def _add_session(add: Any) -> None:
    add("--capture", action="store_true", help="make a capture session, close it at the end")
    add("--out", metavar="FILE", help="with --capture: write the case there")
    add("--replay-case", metavar="FILE|ID", help="make a session that answers outbound calls from this case, strictly")
    add("--session", metavar="ID", help="requests that name no session belong to this one")


def read(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> Options:
    """The options of a command line over those of its file over those of the environment.

    Raises WrongUse, or ClientError for an address or a key that cannot be used.
    """
    environ = os.environ if environ is None else environ
    given = vars(parser().parse_args(arguments))
    file = _file(given.pop("config", ""))
    listeners = given.pop("listeners") or file.pop("listeners", None) or [{"listen": FORWARD, "forward": True}]
    file.pop("listeners", None)
    options = {**file, **given}
    aliased = {name: found for name, others in _ALIASES.items() if (found := _first(environ, name, *others))}
    place = find_place(
        url=options.get("url"),
        key_file=options.pop("key_file", None),
        environ={**environ, **aliased},
        needs_key=False,  # a server may be open
    )
    options |= {"url": place.url, "key": options.get("key") or place.key}
    options.setdefault("ca_dir", authority.folder(environ))
    options["ca_dir"] = Path(options["ca_dir"])
    options["insecure_upstream"] = tuple(options.get("insecure_upstream", ()))
    made = Options(tuple(listener(one) for one in listeners), **options)
    _check(made)
    return made


def _check(options: Options) -> None:
    if sum(map(bool, (options.capture, options.replay_case, options.session))) > 1:
        raise WrongUse("--capture, --replay-case and --session exclude each other.")
    if options.out and not options.capture:
        raise WrongUse("--out needs --capture.")
    if options.spy and options.replay_case:
        raise WrongUse("--spy never answers, so it cannot replay a case.")
    limits = {"--keep": (options.keep, 0, 16 << 20), "--connections": (options.connections, 1, 100_000)}
    for name, (value, least, most) in (limits | {"--idle-timeout": (options.idle_s, 1, 86_400)}).items():
        if not least <= value <= most:
            raise WrongUse(f"{name} must be between {least} and {most}.")
    if options.upstream_ca:
        _text(options.upstream_ca)


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


_TYPES = {
    **dict.fromkeys(("url", "key", "key_file", "session", "replay_case", "out", "fail", "upstream_ca", "ca_dir"), str),
    **dict.fromkeys(("capture", "spy", "skip_static"), bool),
    **dict.fromkeys(("keep", "connections"), int),
    "idle_s": float,
    "insecure_upstream": list,
    "listeners": list,
}


def _file(path: str) -> dict[str, Any]:
    """The options of a YAML file: the long names of the command line, with _ or -."""
    if not path:
        return {}
    try:
        found = yaml.safe_load(_text(path))
    except (yaml.YAMLError, RecursionError) as fault:
        raise WrongUse(f"{path} is no YAML: {fault}") from None
    if not isinstance(found, dict):
        raise WrongUse(f"{path} must hold names and values.")
    options: dict[str, Any] = {}
    for given, value in found.items():
        name = str(given).replace("-", "_")
        name = "idle_s" if name == "idle_timeout" else name
        if name not in _TYPES:
            raise WrongUse(f"{path}: there is no option {given!r}.")
        if isinstance(value, int) and not isinstance(value, bool) and _TYPES[name] is float:
            value = float(value)
        if type(value) is not _TYPES[name] or (name == "fail" and value not in ("open", "closed")):
            raise WrongUse(f"{path}: {given} has a value of the wrong kind.")
        options[name] = value
    return options


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise WrongUse(f"{path} cannot be read: {fault}") from None

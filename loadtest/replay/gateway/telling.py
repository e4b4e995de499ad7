"""What the gateway says of itself at its start and at its end."""

from pathlib import Path

from loadtest.replay.gateway.authority import folder
from loadtest.replay.gateway.listeners import Listener
from loadtest.replay.gateway.options import Options
from loadtest.replay.gateway.serving import Gateway
from loadtest.replay.gateway.sessions import Bound


def start(options: Options, gateway: Gateway, bound: Bound | None) -> str:
    """What listens, where it goes, and how to point an app at it."""
    lines = [_session(options, bound), f"If Pharos at {options.url} does not answer: {_policy(gateway)}."]
    for listener, address in zip(options.listeners, gateway.addresses, strict=True):
        lines += _listener(listener, f"http://{address}", options.ca_dir)
        if listener.session:
            lines.append(f"    bound to session {listener.session}")
    return "".join(f"{line}\n" for line in [*lines, "Ready. Ctrl-C ends it."])


def _session(options: Options, bound: Bound | None) -> str:
    if bound is None:
        sentence = (
            "No session of its own: only requests that name one (x-softprobe-session-id) are captured or answered"
        )
    else:
        made = "made for this run" if bound.made_here else "made elsewhere"
        sentence = f"Session {bound.session} ({bound.mode or 'mode not visible to this key'}, {made})"
    return f"{sentence}; spying: nothing is answered from it." if options.spy else f"{sentence}."


def _policy(gateway: Gateway) -> str:
    return "requests are forwarded (fail open)" if gateway.fail_open else "requests get status 503 (fail closed)"


def _listener(listener: Listener, address: str, ca_dir: Path) -> list[str]:
    if listener.to is None:
        lines = [
            f"  {address}  forward proxy",
            f"    start the app with HTTP_PROXY={address} HTTPS_PROXY={address}",
        ]
        if not listener.intercept:
            return [*lines, "    HTTPS is tunnelled unread; --intercept HOST opens it"]
        command = "pharos gateway ca --out ca.pem" + ("" if ca_dir == folder() else f" --ca-dir {ca_dir}")
        return [
            *lines,
            f"    HTTPS is opened for {', '.join(listener.intercept)}; the app must trust the CA: {command}",
        ]
    to = f"{listener.to.scheme}://{listener.to.authority}{listener.to.path}"
    if listener.inbound:
        return [f"  {address}  in front of {to} (inbound)", f"    send requests to {address} instead"]
    return [f"  {address}  stands in for {to} (outbound)", f"    set the app's address of it to {address}"]


def ending(gateway: Gateway) -> str:
    """What it has done."""
    seen, sent = gateway.proxy.count, gateway.uploads.count
    lines = [
        f"{seen.requests} requests: {seen.answered} answered from a session, {seen.refused} refused by one; "
        f"{sent.uploaded} exchanges captured."
    ]
    if seen.failures:
        lines.append(f"Pharos gave no answer to {seen.failures} requests.")
    if lost := sent.dropped + sent.refused:
        lines.append(f"{lost} exchanges are missing: {sent.dropped} dropped, {sent.refused} refused by Pharos.")
    return "".join(f"{line}\n" for line in lines)

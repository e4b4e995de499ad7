"""`pharos gateway`: start it, tell what it does, end it cleanly."""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

import uvloop

from config.client import FAILED, FINE, INTERRUPTED, WRONG_USE, ClientError
from loadtest.replay.gateway import ca_command
from loadtest.replay.gateway.authority import Authority, AuthorityFault
from loadtest.replay.gateway.options import Options, WrongUse, read
from loadtest.replay.gateway.serving import Gateway
from loadtest.replay.gateway.sessions import Bound, Sessions, base_url
from loadtest.replay.gateway.telling import ending, start


def main(arguments: Sequence[str]) -> int:
    """Run until it is asked to end; the exit code."""
    if arguments and arguments[0] == "ca":
        return ca_command.main(arguments[1:])
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.WARNING)
    try:
        options = read(arguments)
        sessions = Sessions(options.url, options.key)
        bound = _bind(options, sessions)
    except (WrongUse, ClientError) as fault:
        return _failed(fault, getattr(fault, "exit_code", WRONG_USE))
    except KeyboardInterrupt:
        return INTERRUPTED
    code = FINE
    try:
        code = uvloop.run(_run(options, bound))
    finally:
        if bound and bound.made_here:
            code = _end(sessions, bound, options) or code
    return code


def _bind(options: Options, sessions: Sessions) -> Bound | None:
    """The session of the gateway, if it has one. Without, Pharos may be started later. Raises ClientError."""
    if options.capture:
        return sessions.capture()
    if options.replay_case:
        return sessions.replay(options.replay_case)
    if options.session:
        return sessions.existing(options.session)
    try:
        sessions.check()
    except ClientError as fault:
        if fault.status is not None:
            raise
        sys.stderr.write(f"pharos gateway: {fault}. It is asked again with each request of a session.\n")
    return None


def fails_open(options: Options, bound: Bound | None) -> bool:
    """The failure policy: as it is set, else closed where a session replays (contract §12)."""
    if options.fail:
        return options.fail == "open"
    return not (bound and bound.mode in ("replay", "generate"))


async def _run(options: Options, bound: Bound | None) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        intercepts = any(listener.intercept for listener in options.listeners)
        authority = Authority.at(options.ca_dir) if intercepts else None
        gateway = Gateway(
            options,
            base_url=base_url(options.url),
            session=bound.session if bound else None,
            fail_open=fails_open(options, bound),
            authority=authority,
        )
        await gateway.start()
    except (AuthorityFault, OSError) as fault:
        return _failed(fault, FAILED)
    sys.stdout.write(start(options, gateway, bound))
    sys.stdout.flush()
    await stop.wait()
    sys.stdout.write("Ending: no new connections; what was captured is sent on.\n")
    sys.stdout.flush()
    await gateway.stop()
    sys.stdout.write(ending(gateway))
    return FINE


def _end(sessions: Sessions, bound: Bound, options: Options) -> int:
    try:
        sys.stdout.write(f"{sessions.end(bound, options.out)}\n")
    except ClientError as fault:
        return _failed(fault, fault.exit_code)
    return FINE


def _failed(fault: Exception, code: int) -> int:
    sys.stderr.write(f"pharos gateway: {fault}\n")
    return code

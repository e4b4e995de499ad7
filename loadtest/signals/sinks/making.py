"""From what a scenario says of its sink to the sink."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Union

from loadtest.signals.scenario import sinks as wanted
from loadtest.signals.sinks.accounts import Account
from loadtest.signals.sinks.direct import Direct, File, Stdout
from loadtest.signals.sinks.platform import Platform

if TYPE_CHECKING:
    from config.outbound import Policy
    from loadtest.signals.sinks.buffered import Buffered

Made = Union[Direct, "Buffered", Platform]


def make(sink: wanted.AnySink, account: Account, *, policy: "Callable[[], Policy]", folder: Path) -> Made:
    """The sink. It opens nothing yet: what cannot be opened is the fault of the first write (contract: signals §9.4).

    What only some sinks need is imported when one is made, so that a runner starts at once.
    """
    match sink:
        case wanted.Stdout():
            return Stdout(account)
        case wanted.Memory():
            return Direct(account)
        case wanted.Platform():
            return Platform(account)
        case wanted.File():
            return File(account, folder=folder, path=sink.path)
        case wanted.Udp():
            from loadtest.signals.sinks.datagrams import Udp

            return Udp(account, address=sink.address, policy=policy())
        case wanted.RemoteWrite():
            from loadtest.signals.sinks.remote_write import RemoteWrite

            return RemoteWrite(account, sink, policy())
        case wanted.HttpPush():
            from loadtest.signals.sinks.web import HttpPush

            return HttpPush(account, sink, policy())
        case wanted.Loki():
            from loadtest.signals.sinks.web import Loki

            return Loki(account, sink, policy())
        case wanted.Tcp():
            from loadtest.signals.sinks.web import Tcp

            return Tcp(account, sink, policy())
    raise ValueError(f"no sink {type(sink).__name__}")

"""A scenario that runs in this very process, without a server: for shells and pipelines (`pharos signals run`)."""

import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import BinaryIO

from config.outbound import Policy
from loadtest.signals.generators.emitter import Batch
from loadtest.signals.runner.hosted import FINISHED, Hosted
from loadtest.signals.runner.wire import Figures, Launch
from loadtest.signals.scenario import sinks
from loadtest.signals.scenario.entry import Entry
from loadtest.signals.sinks.accounts import Account
from loadtest.signals.sinks.direct import Direct
from loadtest.signals.sinks.making import make

LONGEST_WAIT_S = 0.1


class Output(Direct):
    """Writes to a stream at once; `gone` when nobody reads it any more."""

    def __init__(self, account: Account, stream: BinaryIO) -> None:
        super().__init__(account)
        self._stream, self.gone = stream, False

    def write(self, batch: Batch) -> None:
        try:
            self._stream.write(batch.payload)
            self._stream.flush()
        except BrokenPipeError:
            self.gone = True
        else:
            self.account.delivered()


def run(
    entries: list[Entry],
    stream: BinaryIO,
    *,
    everything: bool,
    folder: Path,
    until_s: float | None,
    should_stop: Callable[[], bool],
) -> list[tuple[Hosted, Account]]:
    """Run the entries to their ends, for `until_s`, or until told to stop; returns each with its deliveries.

    Entries of the sink `stdout`, or all of them with `everything`, write to the stream. The rest goes where the
    scenario says: who starts this is at home here, so private addresses are open, and files lie below `folder`.
    """
    began_at = time.monotonic()
    hosted: list[Hosted] = []
    accounts = [Account(name=entry.name) for entry in entries]
    outputs: list[Output] = []
    for place, entry in enumerate(entries):
        account = accounts[place]
        if everything or isinstance(entry.sink, sinks.Stdout):
            outputs.append(Output(account, stream))
            sink = outputs[-1]
        else:
            sink = make(entry.sink, account, policy=_open_policy, folder=folder)  # type: ignore[assignment]
        launch = Launch(id=str(place), batch="", place=place, config={}, figures=Figures())
        upstream = _latest(hosted, entry.gate.entry) if entry.gate else None
        hosted.append(Hosted(launch, entry, sink, began_at=began_at, upstream=upstream))
    stopping = False
    while running := [one for one in hosted if one.state != FINISHED]:
        over = until_s is not None and time.monotonic() - began_at >= until_s
        if not stopping and (over or should_stop() or any(output.gone for output in outputs)):
            stopping = True
            for one in running:
                one.stop()
        now = time.monotonic()
        for one in running:
            if one.due <= now:
                one.visit(now)
        wait = min((one.due for one in running), default=now) - time.monotonic()
        time.sleep(min(max(wait, 0.0), LONGEST_WAIT_S))
    return list(zip(hosted, accounts, strict=True))


def _latest(hosted: list[Hosted], place: int) -> Callable[[], float | None]:
    return lambda: hosted[place].emitter.latest


def _open_policy() -> Policy:
    return Policy(allow=[ip_network("0.0.0.0/0"), ip_network("::/0")], allow_loopback=True)

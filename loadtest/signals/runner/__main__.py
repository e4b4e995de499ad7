"""The program of the runner: orders in, reports out, each on a thread beside the loop."""

import logging
import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

from loadtest.signals.runner.loop import Loop
from loadtest.signals.runner.wire import Order, Report, Setup, Told, next_order, packed


class Pipe:
    """Writes reports from a thread of its own, one message at a time."""

    def __init__(self, stream: BinaryIO, orders: "queue.Queue[Order | None]") -> None:
        self._stream, self._orders = stream, orders
        self._free, self._waiting = threading.Event(), threading.Event()
        self._message = b""
        self._free.set()
        threading.Thread(target=self._run, name="reports", daemon=True).start()

    @property
    def ready(self) -> bool:
        return self._free.is_set()

    def tell(self, reports: list[Report]) -> None:
        """Only when `ready`. Encoded here, since the loop goes on changing what the reports hold."""
        self._free.clear()
        self._message = packed(Told(reports=reports))
        self._waiting.set()

    def _run(self) -> None:
        try:
            while True:
                self._waiting.wait()
                self._waiting.clear()
                self._stream.write(self._message)
                self._stream.flush()
                self._free.set()
        except OSError:
            self._orders.put(None)  # nobody reads: the host is gone


def _read(stream: BinaryIO, orders: "queue.Queue[Order | None]") -> None:
    while (order := next_order(stream)) is not None:
        if isinstance(order, Setup) and order.debug:
            logging.getLogger().setLevel(logging.DEBUG)
        orders.put(order)
    orders.put(None)


def main() -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="signals runner: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's affair
    orders: queue.Queue[Order | None] = queue.Queue()
    reports = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not disturb the reports
    threading.Thread(target=_read, args=(sys.stdin.buffer, orders), name="orders", daemon=True).start()
    Loop(orders, Pipe(reports, orders)).run()
    return 0


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # threads of sinks that wait for a slow target hold up nothing

"""One load process: `python -m loadtest.engine.worker FD PARENT`, started by the supervisor and by nobody else.

Standard input carries two lines: the run with this worker's place in it, then, once all workers are ready, the moment
to start. FD is the page of figures. SIGTERM, the page's stop cell or the end of PARENT ends the run.
"""

import json
import os
import signal
import sys

from loadtest.engine import pyloop
from loadtest.engine.connections import Connections
from loadtest.engine.plan import RunSpec, Share
from loadtest.engine.stats import Cell, Page, State


def main(argv: list[str]) -> int:
    page, parent = Page(int(argv[0])), int(argv[1])

    def stop(*_: object) -> None:
        page.counters[Cell.STOP] = 1

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's affair
    signal.signal(signal.SIGTERM, stop)
    orders = json.loads(sys.stdin.readline())
    connections = Connections(Share(RunSpec.from_json(orders["spec"]), orders["index"], orders["of"]), page)
    page.counters[Cell.STATE] = State.READY
    start = sys.stdin.readline()
    if not start:
        return 1  # the supervisor is gone
    pyloop.run(connections, start_ns=int(start), orphaned=lambda: os.getppid() != parent)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

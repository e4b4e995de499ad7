"""A part of the product that runs beside the web server in `pharos up`."""

import logging
import threading

log = logging.getLogger(__name__)


class Part:
    """Something that runs until it is stopped; `fault` tells why it ended by itself."""

    name = ""

    def __init__(self) -> None:
        self.fault: str | None = None
        self.started = False

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def alive(self) -> bool:
        raise NotImplementedError


class ThreadPart(Part):
    """A part that lives in a thread of this process."""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._guarded, name=self.name, daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def _guarded(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001 - SystemExit included: the thread is the part
            self.fault = f"{type(error).__name__}: {error}"
            log.exception("%s has ended", self.name)

    def run(self) -> None:
        raise NotImplementedError

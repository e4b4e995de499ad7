"""A TCP relay that can freeze, as a network does that loses everything without a word."""

import contextlib
import socket
import threading


class Relay:
    """Forwards to `port` on loopback until `freeze`; `thaw` cuts what was open and forwards again."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._cut()
        self._flowing.set()

    def close(self) -> None:
        self._listener.close()
        self.thaw()

    def _cut(self) -> None:
        for side in self._open:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to), timeout=5)
            far.settimeout(None)
            self._open += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._flowing.is_set():
                    return  # what arrives while frozen is lost
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

"""The sink that sends datagrams (contract: signals §9.2)."""

import socket

from config.outbound import OutboundError, Policy, resolve
from loadtest.signals.generators.emitter import Batch
from loadtest.signals.scenario.sinks import host_and_port
from loadtest.signals.sinks.accounts import Account
from loadtest.signals.sinks.direct import Direct


class Udp(Direct):
    """One datagram for each event. The name is looked up once, and judged by the policy."""

    def __init__(self, account: Account, *, address: str, policy: Policy) -> None:
        super().__init__(account)
        self._address, self._policy = address, policy
        self._socket: socket.socket | None = None

    def write(self, batch: Batch) -> None:
        try:
            peer = self._socket or self._opened()
            for event in batch.events:
                peer.send(event)
        except (OSError, ValueError, OutboundError) as error:
            self.account.fault(f"{self._address} did not take a datagram: {error}")
            self._shut()
        else:
            self.account.delivered()

    def _opened(self) -> socket.socket:
        host, port = host_and_port(self._address)
        address = resolve(host, policy=self._policy, timeout_s=1.0)[0]
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(1.0)
        self._socket.connect((str(address), port))
        return self._socket

    def _shut(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None

    def close(self) -> None:
        self._shut()

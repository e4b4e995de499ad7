"""Which addresses the platform may talk to."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network

from django.conf import settings

from config.networks import INSIDE, LOOPBACK, NEVER, Address, Network, found, with_embedded

from .errors import Refused

_PUBLIC_V6 = (
    IPv6Network("2000::/3"),
    IPv6Network("64:ff9b::/96"),
)  # global unicast; NAT64, judged by what it holds


@dataclass(frozen=True)
class Policy:
    """What an outgoing call may reach.

    Public addresses are open. `allow` opens further networks, `allow_loopback` this machine, `deny` closes
    networks whatever the others say. Link-local, metadata, multicast and unspecified addresses stay closed in
    every policy.
    """

    allow: Sequence[Network] = ()
    allow_loopback: bool = False
    deny: Sequence[Network] = ()

    def check(self, address: Address, host: str) -> None:
        """Raise `Refused`, naming `host`, unless the address and any address hidden in it may be reached."""
        for judged in with_embedded(address):
            if what := self._objection(judged):
                raise Refused(f"{host} is not allowed as a target: it is {what}.")

    def _objection(self, address: Address) -> str | None:
        if what := found(address, NEVER):
            return what
        if _covered(address, self.deny):
            return "in a network that is denied by the settings"
        if _covered(address, self.allow) or (self.allow_loopback and found(address, LOOPBACK)):
            return None
        if what := found(address, INSIDE):
            return what
        if address.version == 6 and not _covered(address, _PUBLIC_V6):
            return "a reserved network"
        return None


def default_policy(*, deny: Sequence[Network] = ()) -> Policy:
    """The policy of the settings; `deny` closes further networks, as `MONITOR_TARGET_DENY` does."""
    return Policy(
        allow=tuple(settings.OUTBOUND_ALLOW),
        allow_loopback=settings.OUTBOUND_ALLOW_LOOPBACK,
        deny=tuple(deny),
    )


def _covered(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)

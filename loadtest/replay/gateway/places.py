"""What one listener is told, checked: from the command line or from a file, the same names."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from config.networks import Network
from loadtest.replay.gateway.listeners import Listener
from loadtest.replay.gateway.targets import BadTarget, Target, absolute, split_authority

_TEXTS = frozenset({"listen", "to", "direction", "service", "bind"})
_LISTS = frozenset({"intercept", "allow_client"})


class WrongUse(Exception):
    """The command line or its file asks for something that cannot be; says what to write instead."""


def listener(told: Any) -> Listener:
    """One listener; raises WrongUse."""
    if not isinstance(told, Mapping):
        raise WrongUse("Each listener is a set of names and values, with listen: first.")
    told = {str(name).replace("-", "_"): value for name, value in told.items()}
    where = told.get("listen")
    if not isinstance(where, str):
        raise WrongUse("Each listener needs listen: 'ADDRESS:PORT', in quotes.")
    _check_kinds(told, where)
    host, port = _place(where)
    forward, to = told.get("forward", False), told.get("to")
    if forward == bool(to):
        raise WrongUse(f"--listen {where} needs either --to URL or --forward.")
    session = told.get("bind")
    direction = told.get("direction", "outbound")
    if direction not in ("inbound", "outbound"):
        raise WrongUse(f"The direction of {where} is inbound or outbound.")
    if to:
        if "intercept" in told or "allow_client" in told:
            raise WrongUse(f"--intercept and --allow-client belong to --forward, not to --to {to}.")
        return Listener(host, port, _upstream(to), direction == "inbound", told.get("service", ""), session)
    if direction == "inbound":
        raise WrongUse("A forward proxy is outbound.")
    clients = tuple(_network(text) for text in told.get("allow_client", ()))
    if not ip_address(host).is_loopback and not clients:
        raise WrongUse(
            f"Other machines can reach a proxy on {where}. Say which may use it: --allow-client 10.0.0.0/8. "
            "Or listen on 127.0.0.1."
        )
    hosts = tuple(text.lower().rstrip(".") for text in told.get("intercept", ()))
    return Listener(host, port, None, False, told.get("service", ""), session, hosts, clients)


def _check_kinds(told: Mapping[str, Any], where: str) -> None:
    for name, value in told.items():
        if name in _TEXTS:
            fine = isinstance(value, str) and bool(value)
        elif name in _LISTS:
            fine = isinstance(value, list) and all(isinstance(one, str) and one for one in value)
        elif name == "forward":
            fine = isinstance(value, bool)
        else:
            raise WrongUse(f"The listener {where} has no option {name!r}.")
        if not fine:
            raise WrongUse(f"The option {name} of the listener {where} has a value of the wrong kind.")


def _place(where: str) -> tuple[str, int]:
    host, colon, port = where.rpartition(":")
    host = "127.0.0.1" if host in ("", "localhost") else host.strip("[]")
    try:
        ip_address(host)
        number = int(port)
    except ValueError:
        number = -1
    if not colon or not 0 <= number < 65536:
        raise WrongUse(f"--listen {where} is no ADDRESS:PORT, like 127.0.0.1:8082.")
    return host, number


def _upstream(url: str) -> Target:
    try:
        target = absolute(url)
    except BadTarget:
        raise WrongUse(f"--to {url} is no address of a server, like https://api.bank.example.") from None
    if "?" in target.path:
        raise WrongUse(f"--to {url} must not have a query.")
    host, port = split_authority(target.authority, target.scheme)
    return Target(target.scheme, host, port, target.path.rstrip("/"), target.authority)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise WrongUse(f"--allow-client {text} is no network, like 10.0.0.0/8.") from None

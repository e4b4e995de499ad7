"""What belongs to the demo data of a seed: its machines, monitors, rules and runs, whose ids follow from it.

So nothing needs a mark of its own in the database, and removing reaches these ids and no others.
"""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from uuid import NAMESPACE_OID, UUID, uuid5

SEED = 7
# Provider, region and the short name of a place.
PLACES = (
    ("aws", "eu-central-1", "fra"),
    ("aws", "us-east-1", "iad"),
    ("gcp", "asia-southeast1", "sin"),
    ("azure", "brazilsouth", "gru"),
    ("digitalocean", "syd1", "syd"),
    ("fly", "lax", "lax"),
)
ROLES = ("web-1", "web-2", "api-1", "db-1")
HOT, FULL, HEAVY = "demo-fra-db-1", "demo-sin-db-1", "demo-lax-api-1"  # the machines that the rules look at
SILENT, SUSPENDED = "demo-syd-web-2", "demo-gru-web-2"
AGENT = "demo-agent"
RISKS = {"finding": 12, "secret": 5, "rotation": 5, "ssh key": 6}  # how many of each


def key(seed: int, *parts: object) -> str:
    """An id of the fleet's shape."""
    number, text = int.from_bytes(sha256(f"{seed}:{parts}".encode()).digest()), ""
    for _ in range(24):
        number, digit = divmod(number, 36)
        text += "0123456789abcdefghijklmnopqrstuvwxyz"[digit]
    return f"c{text}"


def number(seed: int, *parts: object) -> UUID:
    """An id of the shape that monitors have."""
    return uuid5(NAMESPACE_OID, f"pharos.demo:{seed}:{parts}")


@dataclass(frozen=True)
class Machine:
    """One demo instance; `order` tells it from the others."""

    id: str
    name: str
    provider: str
    region: str
    place: str
    role: str
    order: int


@dataclass(frozen=True)
class Names:
    """Everything of one seed."""

    seed: int
    machines: tuple[Machine, ...]
    monitors: tuple[UUID, ...]
    rules: tuple[str, ...]
    budgets: tuple[str, ...]
    collection: str
    request: str
    runs: tuple[str, str] = field(default=("", ""))  # the baseline, and the newer run
    risks: tuple[str, ...] = ()  # findings, secrets, rotations and SSH keys

    @cached_property
    def instances(self) -> list[str]:
        return [one.id for one in self.machines]

    @cached_property
    def every(self) -> frozenset[str]:
        """All ids as text, for the chips on pages."""
        others = (*self.rules, *self.budgets, *self.risks, self.collection, self.request, *self.runs, AGENT)
        return frozenset([*self.instances, *map(str, self.monitors), *others])


@lru_cache(maxsize=8)
def of_seed(seed: int) -> Names:
    """What the demo data of this seed consists of."""
    found = []
    for provider, region, place in PLACES:
        for role in ROLES:
            name = f"demo-{place}-{role}"
            found.append(Machine(key(seed, "machine", name), name, provider, region, place, role[:-2], len(found)))
    return Names(
        seed=seed,
        machines=tuple(found),
        monitors=tuple(number(seed, "monitor", place) for place in range(8)),
        rules=tuple(key(seed, "rule", place) for place in range(3)),
        budgets=tuple(key(seed, "budget", place) for place in range(2)),
        collection=f"demo_{key(seed, 'collection')}",
        request=f"demo_{key(seed, 'request')}",
        risks=tuple(key(seed, kind, place) for kind, count in RISKS.items() for place in range(count)),
        runs=(f"demo_{key(seed, 'baseline')}", f"demo_{key(seed, 'run')}"),
    )

"""What waits for a person by name, such as a turn on call. The rooms above register theirs."""

from collections.abc import Callable
from dataclasses import dataclass

from config.api.authentication import Principal
from security.accounts.models import User


@dataclass(frozen=True)
class Duty:
    """One thing that counts on the person. `alone`: nobody else is in it, so somebody has to be put there by hand."""

    kind: str
    id: str
    name: str
    page: str
    alone: bool = False


@dataclass(frozen=True)
class Keeper:
    """`duties_of(user)` lists; `release(user, actor)` takes the person out of those with others in them.

    `release` writes an audit entry for each and returns how many there were.
    """

    duties_of: Callable[[User], list[Duty]]
    release: Callable[[User, Principal | None], int]


_keepers: list[Keeper] = []


def register(keeper: Keeper) -> None:
    """Have those who leave taken out of something more."""
    if keeper not in _keepers:
        _keepers.append(keeper)


def duties_of(user: User) -> list[Duty]:
    """All that waits for the person."""
    return [duty for keeper in _keepers for duty in keeper.duties_of(user)]


def release(user: User, actor: Principal | None) -> int:
    """Take the person out of all that others can go on with; how many things that were."""
    return sum(keeper.release(user, actor) for keeper in _keepers)

"""Ecosystems as they are compared: whatever the case, and releases that go by two names (contract: §22)."""

import re
from functools import lru_cache

from security.bom import names

_RED_HAT = re.compile(r"red hat:enterprise_linux:(\d+)(?:::.*)?")


@lru_cache(maxsize=1024)
def key(ecosystem: str) -> str:
    """The ecosystem with its release, the same for all spellings of it.

    Ubuntu's long-term releases are also named without that word, Red Hat's by the products they are sold as.
    """
    found = names.ecosystem(ecosystem).lower()
    if found.startswith("ubuntu:"):
        return found.removesuffix(":lts")
    if product := _RED_HAT.fullmatch(found):
        return f"red hat:{product[1]}"
    return found


@lru_cache(maxsize=1024)
def keys(ecosystem: str) -> tuple[str, ...]:
    """The ecosystems whose advisories speak of a package of this one: itself, and all releases together."""
    own = key(ecosystem)
    bare = names.base(own)
    return (own,) if own == bare else (own, bare)


@lru_cache(maxsize=1024)
def family(ecosystem: str) -> str:
    """The ecosystem without its release, in lower case; it tells how versions compare."""
    return names.base(key(ecosystem))


def spelled(ecosystem: str) -> str:
    """The ecosystem without its release, as people write it."""
    return names.base(names.ecosystem(ecosystem))

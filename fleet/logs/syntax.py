"""The short syntax of searches: `level:error source:app instance:web-1 deployment:d7 "time out" words`."""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from fleet.logs.models import Level, Source

TOKEN = re.compile(r'(?:(level|source|instance|deployment):)?(?:"([^"]*)"?|(\S+))', re.IGNORECASE)
SAME = {"WARNING": "WARN", "ERR": "ERROR"}
Word = TypeVar("Word", bound=IntEnum)


@dataclass(frozen=True)
class Asked:
    """What a search says. `phrases` must occur as they are; `faults` are sentences about what was not understood."""

    words: str = ""
    phrases: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    sources: tuple[Source, ...] = ()
    instance: str = ""
    deployment: str = ""
    faults: tuple[str, ...] = ()


def parse(text: str) -> Asked:
    """Take a search apart. What is no filter is a word; a filter with an unknown value is a fault and left out."""
    words: list[str] = []
    phrases: list[str] = []
    levels: list[Level] = []
    sources: list[Source] = []
    named = {"instance": "", "deployment": ""}
    faults: list[str] = []
    for key, phrase, word in TOKEN.findall(text.replace("\x00", "")):
        value = phrase or word
        match key.lower():
            case "level":
                levels += _values("level", value, Level, faults)
            case "source":
                sources += _values("source", value, Source, faults)
            case "":
                (phrases if phrase else words).append(value)
            case name:
                named[name] = value
    found = [word for word in words if word not in ('""', "")]
    return Asked(
        " ".join(found), tuple(filter(None, phrases)), tuple(levels), tuple(sources), **named, faults=(*faults,)
    )


def _values(name: str, text: str, kind: type[Word], faults: list[str]) -> list[Word]:
    """The members that a list with commas names."""
    found = []
    for given in filter(None, text.upper().split(",")):
        if (member := kind.__members__.get(SAME.get(given, given))) is None:
            known = ", ".join(kind.__members__).lower()
            faults.append(f"There is no {name} “{given.lower()[:40]}”. Known are {known}.")
        else:
            found.append(member)
    return found

"""Extensions, profiles and versions as the API shows them (contract: fleet console §2, §27)."""

from collections import Counter
from typing import Any

import msgspec
from django.conf import settings

from fleet.registry.shapes import Version
from fleet.registry.sources import Failed, Missing, command_line, kept, source


def extensions(*, category: str = "", search: str = "") -> list[dict[str, Any]]:
    """Those of the category (exact), with the text in name or description in any case. Raises Missing or Failed."""
    found, text = kept.answer("extensions", lambda: source().extensions()), search.lower()
    return [
        msgspec.to_builtins(one)
        for one in found
        if (not category or one.category == category)
        and (not text or text in one.name.lower() or text in (one.description or "").lower())
    ]


def categories() -> list[dict[str, Any]]:
    """Each category with the number of its extensions, by name."""
    counts = Counter(one["category"] for one in extensions())
    return [{"category": name, "count": counts[name]} for name in sorted(counts)]


def profiles() -> list[dict[str, Any]]:
    """Each profile with its extensions, and how many come with those they depend on."""
    return [
        {
            "name": one.name,
            "description": one.description or "",
            "extensions": one.extensions,
            "extension_count": one.count,
            "total_with_dependencies": one.count
            if one.total_with_dependencies is None
            else one.total_with_dependencies,
        }
        for one in kept.answer("profiles", lambda: source().profiles())
    ]


def version() -> dict[str, Any]:
    return _told(kept.answer("version", lambda: source().version()))


def _told(found: Version) -> dict[str, Any]:
    return {"version": found.version} | msgspec.to_builtins(found)


def status() -> dict[str, Any]:
    """Whether anything can be asked; `message` says why not, or what answers."""
    try:
        source()
    except Missing as missing:
        return {"available": False, "message": str(missing)}
    if settings.REGISTRY_CATALOGUE:
        return {"available": True, "message": "A catalogue file answers instead of the command line"}
    return {"available": True}


def command_line_version() -> Version | None:
    """The version of the command line; None when there is none, or it does not answer."""
    if (program := command_line()) is None:
        return None
    try:
        return kept.answer("command line", program.version)
    except Failed:
        return None

"""Advisories in the OSV format (https://ossf.github.io/osv-schema/) as rows of ours. Knows no files and no database."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from security.bom import names
from security.vulnerabilities import ecosystems
from security.vulnerabilities.models import Advisory, Affected, Severity
from security.vulnerabilities.ranges import EVENTS, KINDS, first_fix
from security.vulnerabilities.severity import RANKS, by_score, by_word, scored

LONGEST_TITLE, LONGEST_TEXT, LONGEST_URL = 512, 100_000, 2048
MOST_ALIASES = MOST_REFERENCES = 100
MOST_PACKAGES = 20_000  # in one advisory
YEARS = range(1990, 2201)


class Unreadable(Exception):
    """The document is no advisory; the text says why."""


class _Score(msgspec.Struct):
    type: str
    score: str | float


class _Range(msgspec.Struct):
    type: str = ""
    events: list[dict[str, str]] | None = None


class _Package(msgspec.Struct):
    name: str
    ecosystem: str


class _Affected(msgspec.Struct):
    package: _Package | None = None
    ranges: list[_Range] | None = None
    versions: list[str] | None = None
    severity: list[_Score] | None = None
    ecosystem_specific: Any = None
    database_specific: Any = None


class _Reference(msgspec.Struct):
    url: str = ""


class _Document(msgspec.Struct):
    id: str
    modified: datetime
    published: datetime | None = None
    withdrawn: datetime | None = None
    summary: str | None = None
    details: str | None = None
    aliases: list[str] | None = None
    upstream: list[str] | None = None
    severity: list[_Score] | None = None
    references: list[_Reference] | None = None
    affected: list[_Affected] | None = None
    database_specific: Any = None


class Parsed(msgspec.Struct):
    """An advisory with what it says of packages; nothing of that when it was withdrawn."""

    advisory: Advisory
    affected: list[Affected]

    @property
    def ecosystems(self) -> set[str]:
        """The ecosystems that it speaks of, without releases."""
        return {ecosystems.family(row.ecosystem) for row in self.affected}


_decoder = msgspec.json.Decoder(_Document)


def parse(data: bytes) -> Parsed:
    """The advisory in this JSON document. Raises Unreadable."""
    try:
        document = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Unreadable(str(fault)[:200]) from None
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    if not 0 < len(document.id) <= 128 or not document.id.isprintable():
        raise Unreadable("`id` is not a text of 1 to 128 characters")
    packages = [one for one in document.affected or () if one.package is not None]
    if len(packages) > MOST_PACKAGES:
        raise Unreadable(f"speaks of more than {MOST_PACKAGES} packages")
    withdrawn = document.withdrawn and _utc(document.withdrawn)
    affected = [] if withdrawn else [_affected(document, one) for one in packages]
    return Parsed(_advisory(document, affected, withdrawn), affected)


def _advisory(document: _Document, affected: list[Affected], withdrawn: datetime | None) -> Advisory:
    score, vector = scored(_pairs(document.severity))
    for one in document.affected or ():
        if score is None:
            score, vector = scored(_pairs(one.severity))
    words = [_word(document.database_specific), *(one.score for one in document.severity or ())]
    own = next((found for word in words if (found := by_word(word))), None)
    told = own or (by_score(score) if score else _worst(affected))
    aliases = [_clean(alias) for alias in (document.aliases or ())[:MOST_ALIASES] if 0 < len(alias) <= 128]
    details = _clean(document.details or "")
    title = _clean(document.summary or "").strip() or details.strip().partition("\n")[0] or document.id
    links = (reference.url for reference in document.references or ())
    return Advisory(
        id=document.id,
        cve_id=_cve(document, aliases),
        title=title[:LONGEST_TITLE],
        description=details[:LONGEST_TEXT],
        severity=told,
        cvss_score=score,
        cvss_vector=vector,
        aliases=aliases,
        references=[_clean(url) for url in links if _is_link(url)][:MOST_REFERENCES],
        published_at=document.published and _utc(document.published),
        modified_at=_utc(document.modified),
        withdrawn_at=withdrawn,
    )


def _cve(document: _Document, aliases: list[str]) -> str:
    """The first alias that is a CVE, else the id. Distributions name the one CVE of an advisory as its upstream."""
    upstream = [one for one in document.upstream or () if one.startswith("CVE-") and len(one) <= 128]
    found = [one for one in aliases if one.startswith("CVE-")] or (upstream if len(upstream) == 1 else [])
    return _clean(found[0]) if found else document.id


def _affected(document: _Document, one: _Affected) -> Affected:
    package = one.package
    if package is None or not (0 < len(package.name) <= 256 and package.name.isprintable()):
        raise Unreadable("a package's name is not a text of 1 to 256 characters")
    if not (0 < len(package.ecosystem) <= 64 and package.ecosystem.isprintable()):
        raise Unreadable("an ecosystem is not a text of 1 to 64 characters")
    ranges = [_range(each) for each in one.ranges or () if each.type in KINDS]
    word = by_word(_word(one.ecosystem_specific)) or by_word(_word(one.database_specific))
    own = word or by_score(scored(_pairs(one.severity))[0])
    return Affected(
        advisory_id=document.id,
        ecosystem=ecosystems.key(package.ecosystem),
        name=names.canonical(names.ecosystem(package.ecosystem), package.name),
        ranges=ranges,
        versions=[_clean(version) for version in one.versions or ()],
        fix_version=(first_fix(ranges) or "")[:256] or None,
        severity="" if own == Severity.UNKNOWN else own,
    )


def _range(one: _Range) -> dict[str, Any]:
    events = [{kind: _clean(text) for kind, text in event.items() if kind in EVENTS} for event in one.events or ()]
    return {"type": one.type, "events": [event for event in events if event]}


def _pairs(given: Iterable[_Score] | None) -> list[tuple[str, Any]]:
    return [(one.type, one.score) for one in given or ()]


def _word(specific: Any) -> Any:
    return specific.get("severity") if isinstance(specific, dict) else None


def _worst(affected: list[Affected]) -> Severity:
    told = [Severity(row.severity) for row in affected if row.severity]
    return min(told, key=RANKS.__getitem__, default=Severity.UNKNOWN)


def _utc(value: datetime) -> datetime:
    if value.year not in YEARS:
        raise Unreadable("a date lies outside of the years 1990 to 2200")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _is_link(url: str) -> bool:
    return url.startswith(("https://", "http://")) and len(url) <= LONGEST_URL


def _clean(text: str) -> str:
    """Databases take no NUL."""
    return text.replace("\x00", "\ufffd")

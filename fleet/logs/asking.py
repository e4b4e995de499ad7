"""What the address of a page of logs asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from config.api.authentication import Principal
from fleet.instances.models import Instance
from fleet.logs.models import Level, Source
from fleet.logs.queries import Filters
from fleet.logs.syntax import parse
from fleet.metrics.panels import Span, span_of

MOST_CHARACTERS = 512
LEVELS = {
    "error": ("Error", (Level.ERROR,)),
    "warn": ("Warning and error", (Level.WARN, Level.ERROR)),
    "info": ("Info", (Level.INFO,)),
    "debug": ("Debug", (Level.DEBUG,)),
}


@dataclass(frozen=True)
class Question:
    """A search with its range of time. `instance` is the one it is narrowed to; `faults` say what was not met."""

    q: str
    level: str
    source: str
    instance: Instance | None
    span: Span
    filters: Filters
    faults: tuple[str, ...]

    @property
    def is_narrow(self) -> bool:
        """Whether it asks for more than a range of time."""
        return bool(self.q or self.level or self.source)

    def address(self, **more: str) -> str:
        """The part of an address after `?` that asks the same; `more` replaces, "" leaves out."""
        asked = {"q": self.q, "level": self.level, "source": self.source, **self.span.query}
        asked["instance"] = self.instance.pk if self.instance else ""
        return urlencode({name: value for name, value in (asked | more).items() if value}, safe=",:")

    @property
    def api_query(self) -> str:
        """The same for the API, as far as it goes: it takes phrases as words."""
        filters = self.filters
        asked = {
            "instanceId": filters.instance_id or "",
            "level": ",".join(level.name for level in filters.levels),
            "source": ",".join(source.name for source in filters.sources),
            "deploymentId": filters.deployment_id or "",
            "search": " ".join((filters.search, *filters.phrases)).strip(),
            "from": self.span.since.isoformat() if not self.span.name else "",
            "to": self.span.until.isoformat() if not self.span.name else "",
        }
        return urlencode({name: value for name, value in asked.items() if value}, safe=",:")


def question(
    given: Mapping[str, str], principal: Principal, *, now: datetime, instance: Instance | None = None
) -> Question:
    """Read the address (`q`, `level`, `source`, `instance`, and a range); what is not known is told and left out."""
    q = " ".join(given.get("q", "").replace("\x00", "").split())[:MOST_CHARACTERS]
    asked, span = parse(q), span_of(given, now=now)
    level = given.get("level", "").lower()
    source = given.get("source", "").upper()
    level, source = level if level in LEVELS else "", source if source in Source.__members__ else ""
    faults = [*asked.faults, *filter(None, [span.fault])]
    wanted = asked.instance or ("" if instance else given.get("instance", ""))
    named = find(wanted, principal) if wanted else None
    if wanted and not named:
        faults.append(f"There is no instance “{wanted[:128]}”. Shown are all.")
    instance = instance or named
    filters = Filters(
        instance_id=instance.pk if instance else None,
        levels=asked.levels or (LEVELS[level][1] if level else ()),
        sources=asked.sources or ((Source[source],) if source else ()),
        deployment_id=asked.deployment[:128] or None,
        search=asked.words,
        phrases=asked.phrases,
        since=span.since,
        until=None if span.name else span.until,
    )
    return Question(q, level, source, instance, span, filters, tuple(faults))


def find(wanted: str, principal: Principal) -> Instance | None:
    """The visible instance with that id or, of those with that name, the newest."""
    seen = Instance.objects.visible_to(principal)
    return seen.filter(pk=wanted[:128]).first() or seen.filter(name=wanted[:128]).order_by("-created_at").first()

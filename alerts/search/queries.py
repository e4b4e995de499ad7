"""Finding things by name, for people: at most a few of each kind, and only what the reader may see.

It lies in the top app because it looks at all the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from alerts.incidents.models import Alert
from alerts.rules.models import Rule
from config.api.authentication import Principal
from config.templatetags.frame import NAVIGATION, address
from fleet.instances.models import Instance
from fleet.instances.queries import search as search_instances
from loadtest.runs.models import Run as LoadRun
from loadtest.workspace.models import SavedRequest
from monitors.monitors.models import Monitor
from monitors.runs.models import Run
from security.overview.packages import spread
from security.vault.queries import visible as visible_secrets
from security.vulnerabilities.listing import searched
from security.vulnerabilities.triage import visible as visible_findings

MOST = 8  # of each kind
LONGEST = 200


@dataclass(frozen=True)
class Hit:
    """One thing that was found: what it is called, where it is, and what tells it from others of that name."""

    name: str
    url: str
    hint: str = ""
    key: str = ""


@dataclass(frozen=True)
class Group:
    """What was found of one kind. `more` leads to the whole list of it."""

    kind: str
    hits: list[Hit]
    more: str = ""


Finder = Callable[[str, Principal], Group]


def find(words: str, principal: Principal) -> list[Group]:
    """Groups with hits, in a fixed order; nothing for no words."""
    words = words.replace("\x00", "").strip()[:LONGEST]
    found = [finder(words, principal) for finder in FINDERS] if words else []
    return [group for group in found if group.hits]


def _instances(words: str, principal: Principal) -> Group:
    rows = search_instances(Instance.objects.visible_to(principal).existing(), words).order_by("name", "pk")[:MOST]
    hits = [Hit(one.name, reverse("ui:instance", args=[one.pk]), one.get_status_display(), one.pk) for one in rows]
    return Group("Instances", hits, reverse("ui:instances"))


def _monitors(words: str, principal: Principal) -> Group:
    rows = Monitor.objects.filter(name__icontains=words).order_by("name", "pk")[:MOST]
    hits = [Hit(one.name, reverse("ui:monitor", args=[one.pk]), one.get_tool_display(), str(one.pk)) for one in rows]
    return Group("Monitors", hits, reverse("ui:monitors"))


def _alerts(words: str, principal: Principal) -> Group:
    rows = Alert.objects.visible_to(principal).open().filter(title__icontains=words).newest_first()[:MOST]
    hits = [
        Hit(
            one.title,
            reverse("ui:alert", args=[one.pk]),
            one.get_severity_display(),
            str(one.instance_id or one.monitor_id),
        )
        for one in rows
    ]
    return Group("Open alerts", hits, reverse("ui:alerts"))


def _rules(words: str, principal: Principal) -> Group:
    rows = Rule.objects.visible_to(principal).filter(name__icontains=words).order_by("name", "pk")[:MOST]
    hits = [Hit(one.name, reverse("ui:alert-rule-edit", args=[one.pk]), one.get_type_display(), one.pk) for one in rows]
    return Group("Rules", hits, reverse("ui:alert-rules"))


def _runs(words: str, principal: Principal) -> Group:
    """Runs have no names: one is found by its id, of a monitor or of a load test."""
    hits = []
    if (key := _uuid(words)) and (run := Run.objects.filter(pk=key).select_related("monitor").first()):
        hits.append(Hit(f"Run of {run.monitor.name}", reverse("ui:run", args=[run.pk]), run.get_status_display()))
    if load := LoadRun.objects.visible().light().filter(pk=words).first():
        hits.append(Hit(f"Load run {load.pk}", reverse("ui:load-run", args=[load.pk]), load.get_status_display()))
    return Group("Runs", hits)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _requests(words: str, principal: Principal) -> Group:
    found = Q(name__icontains=words) | Q(url__icontains=words)
    rows = SavedRequest.objects.filter(found).order_by("name", "pk").values_list("pk", "name", "method", "url")[:MOST]
    base = reverse("ui:loadtest")
    hits = [Hit(name, f"{base}?request={pk}", f"{method} {url}"[:120], pk) for pk, name, method, url in rows]
    return Group("Requests", hits, base)


def _secrets(words: str, principal: Principal) -> Group:
    """Their names only: no value is ever looked into."""
    rows = visible_secrets(principal).filter(name__icontains=words).order_by("name", "pk")[:MOST]
    hits = [
        Hit(one.name, reverse("ui:secret", args=[one.pk]), one.instance.name if one.instance else "global", one.pk)
        for one in rows
    ]
    return Group("Secrets", hits, reverse("ui:secrets"))


def _findings(words: str, principal: Principal) -> Group:
    """Open ones, the worst first: by the name of the vulnerability, the package or the instance."""
    rows = searched(visible_findings(principal).filter(status="OPEN"), words).worst_first()[:MOST]
    hits = [
        Hit(f"{one.cve_id} in {one.package_name}", reverse("ui:finding", args=[one.pk]), one.instance.name, one.pk)
        for one in rows
    ]
    return Group("Open findings", hits, f"{reverse('ui:security')}?{urlencode({'q': words})}")


def _packages(words: str, principal: Principal) -> Group:
    """Installed ones, each with the number of instances that have it."""
    base = reverse("ui:security-packages")
    hits = [
        Hit(
            one.name,
            f"{base}?{urlencode({'q': one.name})}",
            f"{one.ecosystem}, {one.instances} instance{'' if one.instances == 1 else 's'}",
        )
        for one in spread(principal, words, most=MOST)
    ]
    return Group("Packages", hits, f"{base}?{urlencode({'q': words})}")


# Pages that stand in no navigation, with the role that opens them.
MORE_PAGES = (
    ("Add instance", "ui:instance-add", "OPERATOR"),
    ("New monitor", "ui:monitor-new", "OPERATOR"),
    ("New command", "ui:command-new", "DEVELOPER"),
    ("Alert rules", "ui:alert-rules", "VIEWER"),
    ("Notification channels", "ui:alert-channels", "VIEWER"),
    ("Silences", "ui:silences", "VIEWER"),
    ("Monitor agents", "ui:agents", "VIEWER"),
    ("Load runs", "ui:load-runs", "VIEWER"),
    ("System status", "ui:status", "VIEWER"),
    ("Account", "ui:account", "VIEWER"),
    ("Demo data", "ui:demo", "VIEWER"),
)


def _pages(words: str, principal: Principal) -> Group:
    known = [(item.label, item.url_name, item.role) for items in NAVIGATION.values() for item in items]
    hits = [
        Hit(label, url)
        for label, route, role in (*known, *MORE_PAGES)
        if words.lower() in label.lower() and principal.may_open(role) and (url := address(route))
    ]
    return Group("Pages", hits[:MOST])


FINDERS: tuple[Finder, ...] = (
    _instances,
    _monitors,
    _runs,
    _alerts,
    _rules,
    _requests,
    _secrets,
    _findings,
    _packages,
    _pages,
)

"""What is at risk: the page of security, and the same of one instance."""

from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.authentication import Principal
from config.api.permissions import OPERATOR, VIEWER, raised_door
from config.pages import page
from fleet.instances.listing import state_of
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from security.bom.models import Inventory
from security.overview import packages
from security.posture import queries as posture
from security.posture.controls import checks
from security.posture.scope import Scope
from security.rotations.models import Rotation
from security.ssh_keys.models import SshKey
from security.vulnerabilities import figures, triage
from security.vulnerabilities.listing import (
    TABS,
    Filters,
    as_shown,
    counts_by_tab,
    ecosystems,
    in_tab,
    most_pressing,
    narrowed,
)
from security.vulnerabilities.models import Finding, Severity

PER_PAGE = 50
MOST_BESIDE = 20  # keys and rotations on the page of an instance
PARTS = ("figures", "tabs")


@page(VIEWER)
def security(request: HttpRequest) -> HttpResponse:
    """The score and what it is made of, then the findings; filters, tab and page are in the address."""
    now, filters = timezone.now(), Filters.of(request.GET)
    seen = triage.visible(request.principal)
    found = in_tab(narrowed(seen, filters, now), filters.status)
    checked = checks(Scope(request.principal), now)
    shown = Paginator(most_pressing(found), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **figures_of(request.principal, now),
        **tabs_of(request.principal, filters, now),
        "place": "findings",
        "page": shown,
        "rows": as_shown(shown, now),
        "severities": Severity.choices,
        "ecosystems": ecosystems(Finding.objects.visible_to(request.principal).current()),
        "about": Instance.objects.visible_to(request.principal).filter(pk=filters.instance).first()
        if filters.instance
        else None,
        "checks": checked,
        "holding": sum(check.passed for check in checked),
        "may_decide": request.principal.may_somewhere(raised_door(OPERATOR)),
    }
    return render(request, "security/security.html", context)


@page(VIEWER)
def part(request: HttpRequest, name: str) -> HttpResponse:
    """One part of the page, for the live update."""
    if name not in PARTS:
        raise Http404
    now = timezone.now()
    context = (
        figures_of(request.principal, now)
        if name == "figures"
        else tabs_of(request.principal, Filters.of(request.GET), now)
    )
    return render(request, f"security/security_{name}.html", context)


def figures_of(principal: Principal, now: datetime) -> dict[str, Any]:
    """What the part with the score and the counts reads."""
    bars = figures.by_severity_and_age(Finding.objects.visible_to(principal).current(), now)
    return {
        "summary": posture.summary(principal, now=now),
        "coverage": posture.coverage(principal),
        "archives": figures.archives(now),
        "bars": bars,
        "ages": [words for _, words in figures.AGES],
        "most": max((count for row in bars for count in row.by_age), default=0),
        "overdue": sum(row.overdue for row in bars),
    }


def tabs_of(principal: Principal, filters: Filters, now: datetime) -> dict[str, Any]:
    """What the part with the tabs reads."""
    counts = counts_by_tab(narrowed(Finding.objects.visible_to(principal).current(), filters, now))
    address = reverse("ui:security")
    return {
        "filters": filters,
        "tabs": [(tab, text, counts[tab], f"{address}?{filters.query(status=tab)}") for tab, (text, _) in TABS.items()],
        "nothing_at_all": not counts["all"] and not filters.narrow,
        "url_without_instance": f"{address}?{filters.query(instance='')}",
        "clear_url": f"{address}?{Filters(status=filters.status).query()}",
        "own_url": f"{address}?{filters.query()}",
        "tabs_url": f"{reverse('ui:security-part', args=['tabs'])}?{filters.query()}",
    }


@page(VIEWER)
def installed_packages(request: HttpRequest) -> HttpResponse:
    """Which instances have a package, in which version, and how many findings are open for it there."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:256]
    shown = Paginator(packages.installed(request.principal, words) if words else (), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {"place": "packages", "words": words, "page": shown, "rows": packages.with_findings(list(shown))}
    return render(request, "security/packages.html", context)


@page(VIEWER)
def of_instance(request: HttpRequest, pk: str) -> HttpResponse:
    """One instance: its score, its findings, its keys and what is to be rotated on it."""
    found, now = get_visible(instance_id=pk, principal=request.principal), timezone.now()
    open_ones = in_tab(triage.visible(request.principal).filter(instance=found), "open")
    shown = Paginator(most_pressing(open_ones), PER_PAGE).get_page(request.GET.get("page"))
    rotations = Rotation.objects.filter(instance=found).most_urgent_first()
    keys = SshKey.objects.filter(instance=found).order_by("-created_at", "pk")
    context = {
        "instance": found,
        "state": state_of(found, now),
        "tab": "security",
        "summary": posture.summary(request.principal, found, now=now),
        "coverage": posture.coverage(request.principal, found),
        "inventories": Inventory.objects.filter(instance=found).order_by("source"),
        "archives": figures.archives(now),
        "page": shown,
        "rows": as_shown(shown, now),
        "keys": [(key, key.status(now)) for key in keys[:MOST_BESIDE]],
        "rotations": [(one, one.is_overdue(now)) for one in rotations[:MOST_BESIDE]],
        "own_url": reverse("ui:instance-security", args=[found.pk]),
        "may_decide": request.principal.may(raised_door(OPERATOR), team_id=found.team_id),
        "api_path": f"/api/v1/security/vulnerabilities?instanceId={found.pk}",
    }
    return render(request, "security/instance.html", context)

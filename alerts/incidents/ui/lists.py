"""The list of alerts, its rows that move by themselves, and acts on several at once."""

import re
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from alerts.incidents import queries, services
from alerts.incidents.listing import SOURCES, TABS, Filters, heads, in_tab, members, narrowed
from alerts.incidents.models import Alert, Severity
from alerts.labels.matchers import to_lines
from alerts.labels.patterns import LONGEST
from config.api.permissions import OPERATOR, VIEWER
from config.pages import page

PER_PAGE = 50
TICKED = 1000  # alerts that one act is about
NAMED = 5  # names that a confirmation shows
ACTS = {
    "acknowledge": ("Acknowledge", "acknowledged", services.acknowledge_many),
    "resolve": ("Resolve", "resolved", services.resolve_many),
}


@page(VIEWER)
def alerts(request: HttpRequest) -> HttpResponse:
    """Alerts that the reader may see, newest first; tab, filters and page are in the address."""
    filters = Filters.of(request.GET)
    found = in_tab(narrowed(queries.visible(request.principal), filters), filters.tab)
    shown = Paginator(found if filters.each else heads(found), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "severities": Severity.choices,
        "sources": SOURCES,
        "clear_url": f"{reverse('ui:alerts')}?{Filters(tab=filters.tab).query()}",
        "last_resolved_at": queries.last_resolved_at(request.principal),
        **rows_of(request, filters, list(shown.object_list)),
    }
    return render(request, "alerts/alerts.html", context)


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """The rows that the page shows (`shown`, ids with commas between), fresh; a pill tells of others that came."""
    filters = Filters.of(request.GET)
    ids = [one for one in request.GET.get("shown", "").replace("\x00", "").split(",") if one][:PER_PAGE]
    by_id = {alert.pk: alert for alert in queries.visible(request.principal).filter(pk__in=ids)}
    context = rows_of(request, filters, [by_id[pk] for pk in ids if pk in by_id])
    found = in_tab(narrowed(queries.visible(request.principal), filters), filters.tab)
    newest = (found if filters.each else heads(found)).values_list("pk", flat=True)
    on_first_page = request.GET.get("page", "1") in ("", "1")
    context["new"] = len(set(newest[:PER_PAGE]) - set(ids)) if on_first_page else 0
    return render(request, "alerts/alert_rows.html", context)


def rows_of(request: HttpRequest, filters: Filters, shown: list[Alert]) -> dict[str, Any]:
    """What the part with tabs and rows reads."""
    found = narrowed(Alert.objects.visible_to(request.principal), filters)
    counts = queries.counts_by_tab(found)
    if not filters.each:
        members(in_tab(found, filters.tab), shown)
    address = reverse("ui:alerts")
    tabs = [(tab, text, counts[tab], f"{address}?{filters.query(tab=tab)}") for tab, (text, _) in TABS.items()]
    ids = ",".join(alert.pk for alert in shown)
    number = request.GET.get("page", "1")
    asked = f"{filters.query()}&shown={ids}&page={number if number.isdigit() else 1}"
    return {
        "rows": shown,
        "tabs": tabs,
        "filters": filters,
        "empty_list": not counts["all"] and not filters.narrow,
        "own_url": f"{address}?{filters.query()}",
        "other_view": (f"{address}?{filters.query(each='' if filters.each else 'yes', group='')}"),
        "rows_url": f"{reverse('ui:alert-rows')}?{asked}",
        "may_operate": request.principal.may_somewhere(OPERATOR),
    }


@require_POST
@page(OPERATOR)
def bulk(request: HttpRequest) -> HttpResponse:
    """Acknowledge, resolve or silence the ticked alerts; to resolve more than one is confirmed by name first.

    A ticked line of a group (`group:<id>`) stands for all of its alerts in this list.
    Alerts of teams in which the person has no such role are left alone and counted apart.
    """
    act = request.POST.get("act", "")
    back = Filters.of(request.POST)
    address = f"{reverse('ui:alerts')}?{back.query()}"
    if act != "silence" and act not in ACTS:
        return redirect(address)
    chosen = ticked(request, back)
    if not chosen:
        done = "silenced" if act == "silence" else ACTS[act][1]
        messages.warning(request, f"Nothing was {done}: tick at least one alert.")
        return redirect(address)
    if act == "silence":
        return redirect(f"{reverse('ui:silence-new')}?{urlencode({'matchers': to_lines(common(chosen))})}")
    verb, done, do = ACTS[act]
    allowed = [alert for alert in chosen if request.principal.may(OPERATOR, team_id=alert.team_id)]
    if act == "resolve" and len(allowed) > 1 and "confirmed" not in request.POST:
        names = [alert.title for alert in allowed[:NAMED]]
        context = {
            "alerts": allowed,
            "names": names,
            "more": len(allowed) - len(names),
            "filters": back,
            "back": address,
        }
        return render(request, "alerts/alert_confirm.html", context)
    count = do(alerts=allowed, actor=request.principal, request=request)
    messages.success(request, f"{count} alert{'s' if count != 1 else ''} {done}.")
    if left := len(chosen) - len(allowed):
        messages.warning(request, f"{left} left alone: {verb.lower()} needs the role operator in their team.")
    return redirect(address)


def ticked(request: HttpRequest, filters: Filters) -> list[Alert]:
    """The alerts that the ticked lines stand for, oldest first."""
    given = [one.replace("\x00", "")[:128] for one in request.POST.getlist("ids")][:TICKED]
    groups = [one.removeprefix("group:") for one in given if one.startswith("group:")]
    found = in_tab(narrowed(queries.visible(request.principal), filters), filters.tab)
    whole = found.filter(group_id__in=[one for one in groups if one.isdecimal()]).values_list("pk", flat=True)
    single = [one for one in given if not one.startswith("group:")]
    return queries.chosen(principal=request.principal, ids=[*single, *whole[:TICKED]])


def common(alerts: list[Alert]) -> list[dict[str, str]]:
    """Matchers that choose all of the alerts: for each label their value, or a pattern of their values."""
    found = []
    for label in ("alertname", "instance", "monitor"):
        values = sorted({alert.labels.get(label, "") for alert in alerts})
        pattern = "|".join(re.escape(value) for value in values)
        if len(values) == 1 and values[0]:
            found.append({"label": label, "op": "=", "value": values[0]})
        elif len(values) > 1 and all(values) and len(pattern) <= LONGEST:
            found.append({"label": label, "op": "=~", "value": pattern})
    return found

"""Pages of findings: one with all that is known of it, and decisions about one or several."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from config.api.errors import Conflict, Invalid
from config.api.permissions import OPERATOR, VIEWER, raised_door, require
from config.pages import page
from fleet.instances.queries import get_visible
from security.vulnerabilities import services, triage, wording
from security.vulnerabilities.listing import as_shown, elsewhere, history
from security.vulnerabilities.models import Status

PER_PAGE = 25
TICKED = 200  # findings that one act is about
NAMED = 5  # names that a confirmation shows
# What a button asks for: its verb, the state, and what the findings are then.
ACTS = {
    "acknowledge": ("Acknowledge", Status.ACKNOWLEDGED, "acknowledged"),
    "fix": ("Mark as fixed", Status.FIXED, "marked as fixed"),
    "false-positive": ("Mark as false positive", Status.FALSE_POSITIVE, "marked as false positive"),
    "reopen": ("Open again", Status.OPEN, "open again"),
}
MUST_SAY_WHY = ("false-positive",)


@page(VIEWER)
def finding(request: HttpRequest, pk: str) -> HttpResponse:
    """What, how bad, where, since when, how to mend it, and who decided what."""
    now = timezone.now()
    (found,) = as_shown([triage.get_visible(principal=request.principal, pk=pk)], now)
    others = elsewhere(found, triage.visible(request.principal))
    shown = Paginator(others, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "finding": found,
        "advisory": found.advisory,
        "vector": wording.vector_in_words(found.advisory.cvss_vector),
        "command": wording.update_command(found.ecosystem, found.package_name, found.fix_version),
        "links": wording.links(found.advisory.references),
        "names": [name for name in (found.advisory.pk, *found.advisory.aliases) if name != found.cve_id],
        "page": shown,
        "others": as_shown(shown, now),
        "history": history(found)[:PER_PAGE],
        "own_url": reverse("ui:finding", args=[found.pk]),
        "may_decide": request.principal.may(raised_door(OPERATOR), team_id=found.instance.team_id),
        "may_decide_elsewhere": request.principal.may_somewhere(raised_door(OPERATOR)),
        "api_path": f"/api/v1/security/vulnerabilities/{found.pk}",
    }
    return render(request, "security/finding.html", context)


@require_POST
@page(VIEWER)
def decide(request: HttpRequest, pk: str) -> HttpResponse:
    """Acknowledge it, or say that it is fixed or a false positive; a reason may be given."""
    found = triage.get_visible(principal=request.principal, pk=pk)
    act, reason = request.POST.get("act", ""), request.POST.get("reason", "")
    if act not in ACTS:
        return redirect("ui:finding", pk=found.pk)
    if act in MUST_SAY_WHY and not reason.strip():
        messages.error(request, "Not saved: say why it is a false positive.")
        return redirect("ui:finding", pk=found.pk)
    _, status, done = ACTS[act]
    try:
        triage.decide(
            finding=found, status=status, actor=request.principal, reason=reason, now=timezone.now(), request=request
        )  # fmt: skip
    except Invalid as refusal:
        messages.error(request, f"Not saved: {refusal.message}")
    else:
        messages.success(request, f"{found.cve_id} on {found.instance.name} is {done}.")
    return redirect("ui:finding", pk=found.pk)


@require_POST
@page(VIEWER)
def bulk(request: HttpRequest) -> HttpResponse:
    """One decision about the ticked findings; which ones is shown, and a reason asked for, before it is made.

    Findings of teams in which the person may not decide are left alone and counted apart.
    """
    act, back = request.POST.get("act", ""), _back(request)
    if act not in ACTS:
        return redirect(back)
    verb, status, done = ACTS[act]
    given = [one for one in request.POST.getlist("ids") if len(one) <= 128 and "\x00" not in one][:TICKED]
    chosen = list(triage.visible(request.principal).filter(pk__in=given).worst_first())
    if not chosen:
        messages.warning(request, "Nothing was changed: tick at least one finding.")
        return redirect(back)
    least, principal = raised_door(OPERATOR), request.principal
    allowed = [one for one in chosen if principal.may(least, team_id=one.instance.team_id)]
    reason = request.POST.get("reason", "")
    left = len(chosen) - len(allowed)
    fault = ""
    if "confirmed" in request.POST and allowed:
        try:
            if act in MUST_SAY_WHY and not reason.strip():
                raise Invalid("Say why they are false positives.")
            triage.decide_many(
                findings=allowed, status=status, actor=principal, reason=reason, now=timezone.now(), request=request
            )  # fmt: skip
        except Invalid as refusal:
            fault = refusal.message
        else:
            messages.success(request, f"{_counted(len(allowed))} {done}.")
            if left:
                messages.warning(request, f"{left} left alone: that needs the role {least.lower()} in their team.")
            return redirect(back)
    context = {"act": act, "verb": verb, "findings": allowed, "left": left, "least": least.lower(), "back": back}
    context |= {"names": allowed[:NAMED], "more": len(allowed) - NAMED, "reason": reason, "fault": fault}
    context |= {"counted": _counted(len(allowed)), "must_say_why": act in MUST_SAY_WHY}
    return render(request, "security/findings_confirm.html", context, status=422 if fault else 200)


@require_POST
@page(VIEWER)
def scan(request: HttpRequest, pk: str) -> HttpResponse:
    """Match what is installed on the instance now."""
    instance = get_visible(instance_id=pk, principal=request.principal)
    require(request.principal, raised_door(OPERATOR), team_id=instance.team_id)
    try:
        done = services.scan(instance=instance, actor=request.principal, now=timezone.now())
    except Conflict as refusal:
        messages.error(request, f"Not scanned: {refusal.message}.")
    else:
        found = f"{done.vulnerabilities_detected} vulnerable, {done.new_vulnerabilities_saved} of them not known before"
        messages.success(request, f"{done.packages_scanned} packages looked at: {found}.")
    return redirect("ui:instance-security", pk=instance.pk)


def _counted(count: int) -> str:
    return f"{count} finding{'' if count == 1 else 's'}"


def _back(request: HttpRequest) -> str:
    """Where the person came from, else the list."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("ui:security")

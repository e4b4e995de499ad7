"""Which rule would answer a request, and which predicate of the others failed."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from config.api.errors import ApiError, Invalid, NotFound
from config.api.permissions import VIEWER
from config.pages import page
from loadtest.replay.captures import reading
from loadtest.replay.captures.services import get_visible
from loadtest.replay.dataplane import explaining
from loadtest.replay.sessions.models import Session
from loadtest.replay.spans.exchange import Exchange
from loadtest.replay.ui.common import frame, get_session, show

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
MOST_REPORTS = 50


class RequestForm(forms.Form):
    """A request as a proxy would ask about it."""

    method = forms.CharField(max_length=32, initial="GET", widget=forms.TextInput(attrs={"list": "methods"}))
    host = forms.CharField(
        max_length=300, required=False, help_text="With its port where that matters: bank.example:8443"
    )
    path = forms.CharField(max_length=2000, initial="/", help_text="With its query.")
    direction = forms.ChoiceField(
        choices=[("outbound", "Outbound: what the app calls"), ("inbound", "Inbound: who calls the app")]
    )
    service = forms.CharField(max_length=200, required=False)
    headers = forms.CharField(
        required=False, max_length=20_000, help_text="One a line, as Name: value.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "code", "spellcheck": "false"}),
    )  # fmt: skip
    body = forms.CharField(
        required=False, max_length=200_000, strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "class": "code", "spellcheck": "false"}),
    )  # fmt: skip

    def clean_headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate(self.cleaned_data["headers"].splitlines(), 1):
            name, colon, value = line.partition(":")
            if line.strip() and not (colon and name.strip()):
                raise forms.ValidationError(f"Line {number} is no header: write Name: value.")
            if line.strip():
                found[name.strip()] = value.strip()
        return found


@page(VIEWER)
def tester(request: HttpRequest, pk: str) -> HttpResponse:
    """Try a request that is typed in, of the journal (`?entry=`) or of a capture (`?capture=&at=`)."""
    session = get_session(request, pk)
    if not session.is_open:
        raise NotFound("This session is closed: it has no rules any more")
    context, asked = frame(request, session), None
    if request.method == "POST":
        form = RequestForm(request.POST)
        if form.is_valid():
            asked = _described(form)
    else:
        asked = _chosen(request, session)
        form = RequestForm(initial=_initial(asked) if asked else None)
    context |= {"form": form, "methods": METHODS, "api_path": f"{context['api_path']}/explain"}
    if asked:
        found = explaining.report(session, asked)
        context |= {"answer": found["answer"], "reports": found["rules"][:MOST_REPORTS], "total": len(found["rules"])}
    return show(request, "replay/tester.html", context, status=422 if form.errors else 200)


def _described(form: RequestForm) -> Exchange | None:
    try:
        return explaining.described(form.cleaned_data)
    except Invalid as error:
        form.add_error(None, error.message)
        return None


def _chosen(request: HttpRequest, session: Session) -> Exchange | None:
    """The request that the address names; None when it names none. Raises NotFound."""
    if entry := request.GET.get("entry"):
        try:
            return explaining.of_journal(session, entry)
        except ApiError as error:
            raise NotFound(error.message) from None
    if capture_id := request.GET.get("capture"):
        capture = get_visible(capture_id=capture_id, principal=request.principal)
        if found := reading.one(capture, request.GET.get("at", "")):
            return found.exchange
        raise NotFound("The case has no such exchange")
    return None


def _initial(asked: Exchange) -> dict[str, Any]:
    return {
        "method": asked.method,
        "host": asked.authority,
        "path": asked.target,
        "direction": asked.direction or "outbound",
        "service": asked.service,
        "headers": "\n".join(f"{name}: {value}" for name, value in asked.header_values.items()),
        "body": asked.body.text if asked.body else "",
    }

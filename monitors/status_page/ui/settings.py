"""Settings: what the public status page shows [ADMIN]."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.api.errors import ApiError, NotFound
from config.api.permissions import ADMIN
from config.pages import page, show_errors
from monitors.monitors.models import Monitor
from monitors.status_page import services
from monitors.status_page.models import PublicMonitor, StatusNote

CHOICES = 500


class PageForm(forms.Form):
    enabled = forms.BooleanField(
        required=False, label="On", help_text="Anybody who knows the address can read it, without signing in."
    )
    title = forms.CharField(max_length=100)
    about = forms.CharField(required=False, max_length=500, label="Text below the title")
    noindex = forms.BooleanField(required=False, label="Ask search engines not to list it")


class ShownForm(forms.Form):
    name = forms.CharField(max_length=100, label="Public name", help_text="What people know it as. No machine names.")
    about = forms.CharField(required=False, max_length=300, label="Text below the name")


class NoteForm(forms.Form):
    kind = forms.ChoiceField(choices=StatusNote.Kind.choices)
    text = forms.CharField(max_length=1000, widget=forms.Textarea({"rows": 2}))


@page(ADMIN)
def settings(request: HttpRequest) -> HttpResponse:
    """The page as a whole, what is on it, and its notes; POST changes the page."""
    current = services.get_page()
    form = PageForm(request.POST or None, initial=services.facts(current), prefix="page")
    if request.method == "POST" and form.is_valid():
        services.change_page(actor=request.principal, fields=form.cleaned_data)
        is_on = form.cleaned_data["enabled"]
        messages.success(request, "Saved. The page is public." if is_on else "Saved. The page is off.")
        return redirect("ui:status-page")
    return overview(request, page_form=form)


@page(ADMIN)
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Put a monitor on the page, under its own name until that is changed."""
    key = request.POST.get("monitor", "")
    monitor = Monitor.objects.filter(pk=key).first() if _is_uuid(key) else None
    if monitor is None:
        raise NotFound("There is no such monitor")
    try:
        shown = services.show(monitor=monitor, name=monitor.name[:100], actor=request.principal)
    except ApiError as error:
        messages.error(request, error.message)
        return redirect("ui:status-page")
    return redirect("ui:status-page-monitor", pk=shown.pk)


@page(ADMIN)
def monitor(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The public name of one monitor and the text below it."""
    shown = get(pk)
    form = ShownForm(request.POST or None, initial={"name": shown.name, "about": shown.about})
    if request.method == "POST" and form.is_valid():
        services.change_shown(shown=shown, actor=request.principal, **form.cleaned_data)
        messages.success(request, f"{form.cleaned_data['name']} is saved.")
        return redirect("ui:status-page")
    context = {"form": form, "shown": shown}
    return render(request, "status_page/monitor.html", context, status=422 if form.errors else 200)


@page(ADMIN)
@require_POST
def act(request: HttpRequest, pk: UUID, action: str) -> HttpResponse:
    """Move a monitor up, or take it off the page."""
    {"up": services.move_up, "hide": services.hide}[action](shown=get(pk), actor=request.principal)
    return redirect("ui:status-page")


@page(ADMIN)
@require_POST
def post(request: HttpRequest) -> HttpResponse:
    """Tell people something."""
    form = NoteForm(request.POST, prefix="note")
    if form.is_valid():
        try:
            services.post(actor=request.principal, now=timezone.now(), **form.cleaned_data)
        except ApiError as error:
            show_errors(form, error)
        else:
            return redirect("ui:status-page")
    return overview(request, note_form=form)


@page(ADMIN)
@require_POST
def take_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    note = StatusNote.objects.filter(pk=pk).first()
    if note is None:
        raise NotFound("There is no such note")
    services.take_back(note=note, actor=request.principal)
    return redirect("ui:status-page")


def overview(
    request: HttpRequest, *, page_form: PageForm | None = None, note_form: NoteForm | None = None
) -> HttpResponse:
    current = services.get_page()
    page_form = page_form or PageForm(initial=services.facts(current), prefix="page")
    note_form = note_form or NoteForm(prefix="note")
    context = {
        "status_page": current,
        "page_form": page_form,
        "note_form": note_form,
        "shown": PublicMonitor.objects.select_related("monitor").order_by("place", "pk"),
        "free": Monitor.objects.filter(shown=None).by_name().values_list("pk", "name")[:CHOICES],
        "notes": StatusNote.objects.order_by("-posted_at", "pk"),
    }
    wrong = page_form.errors or note_form.errors
    return render(request, "status_page/settings.html", context, status=422 if wrong else 200)


def get(pk: UUID) -> PublicMonitor:
    found = PublicMonitor.objects.select_related("monitor").filter(pk=pk).first()
    if found is None:
        raise NotFound("This monitor is not on the status page")
    return found


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

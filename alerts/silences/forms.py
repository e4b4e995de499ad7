"""The form of a silence. Its rules are those of the services."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.timezone import make_naive

from alerts.labels.forms import MatchersField
from alerts.silences.models import Silence
from alerts.silences.windows import DAYS
from monitors.monitors.cron import known_zone

LENGTHS = {"60": "1 hour", "240": "4 hours", "1440": "1 day", "10080": "1 week", "": "Until the moment below"}
MOMENT = "%Y-%m-%dT%H:%M"
NAMES = {"startsAt": "starts_at", "endsAt": "ends_at", "timeZone": "time_zone", "fromTime": "from_time"}


class Moment(forms.DateTimeField):
    """A wall-clock time, of the zone that the form names."""

    widget = forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT)

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        return make_naive(found) if found and found.tzinfo else found


class SilenceForm(forms.Form):
    reason = forms.CharField(max_length=500, help_text="Who reads it later should know why.")
    matchers = MatchersField(label="Which alerts")
    length = forms.ChoiceField(choices=list(LENGTHS.items()), required=False, label="For", initial="60")
    starts_at = Moment(required=False, label="From", help_text="Now if empty.")
    ends_at = Moment(required=False, label="Until", help_text="A silence that repeats may go on without an end.")
    from_time = forms.TimeField(
        required=False, label="Repeats at", widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        help_text="Time of day at which it begins each week; empty: it does not repeat.",
    )  # fmt: skip
    minutes = forms.IntegerField(required=False, min_value=1, max_value=10_080, label="Minutes each time")
    days = forms.TypedMultipleChoiceField(
        coerce=int, required=False, choices=list(enumerate(DAYS)), widget=forms.CheckboxSelectMultiple,
        label="On", help_text="Every day if none is chosen.",
    )  # fmt: skip
    time_zone = forms.CharField(max_length=64, initial="UTC", help_text="Of all times above, like Europe/Berlin.")

    def clean_time_zone(self) -> str:
        if not known_zone(self.cleaned_data["time_zone"]):
            raise forms.ValidationError("This time zone is not known. Names look like Europe/Berlin.")
        return self.cleaned_data["time_zone"]

    def fields_at(self, now: datetime) -> dict[str, Any]:
        """Arguments of the services."""
        given = dict(self.cleaned_data)
        zone, length = ZoneInfo(given["time_zone"]), given.pop("length")
        for name in ("starts_at", "ends_at"):
            given[name] = given[name].replace(tzinfo=zone) if given[name] else None
        given["starts_at"] = given["starts_at"] or now
        if length and not given["ends_at"] and not given["from_time"]:
            given["ends_at"] = given["starts_at"] + timedelta(minutes=int(length))
        return given

    def show_faults(self, details: dict[str, list[str]]) -> None:
        for name, texts in details.items():
            field = NAMES.get(name, name)
            self.add_error(field if field in self.fields else None, texts)


def initial_of(silence: Silence) -> dict[str, Any]:
    """What the form of an existing silence starts with."""
    zone = ZoneInfo(silence.time_zone)
    names = ("reason", "matchers", "from_time", "minutes", "days", "time_zone")
    moments = {name: getattr(silence, name) for name in ("starts_at", "ends_at")}
    local = {name: at.astimezone(zone).replace(tzinfo=None) if at else None for name, at in moments.items()}
    return {name: getattr(silence, name) for name in names} | local | {"length": ""}

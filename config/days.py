"""A day that a person enters in a form."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils.timezone import get_current_timezone

FIRST_YEAR, LAST_YEAR = 2000, 2999


class Day(forms.DateField):
    """The beginning of a day, in the time zone of whoever fills the form in."""

    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> datetime | None:
        day = super().clean(value)
        if day is None:
            return None
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(f"Give a day in the years {FIRST_YEAR} to {LAST_YEAR}.")
        return datetime.combine(day, time.min, tzinfo=get_current_timezone())

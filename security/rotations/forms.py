"""The form of a rotation."""

from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils import timezone

from config.api.permissions import OPERATOR, raised_door
from config.days import Day
from fleet.instances.forms import instance_choices


class RotationForm(forms.Form):
    instance_id = forms.ChoiceField(label="Instance")
    secret_name = forms.CharField(max_length=256, label="Secret", help_text="What it is called. Its value stays away.")
    secret_type = forms.CharField(max_length=64, label="Kind", help_text="Such as API key, password or certificate.")
    rotation_days = forms.IntegerField(min_value=1, max_value=3650, initial=90, label="Rotate every, days")
    last_rotated_at = Day(required=False, label="Rotated last", help_text="Empty: as it is. A new one is overdue.")

    def __init__(self, *args: Any, principal: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["instance_id"]).choices = instance_choices(principal, raised_door(OPERATOR))

    def clean_last_rotated_at(self) -> datetime | None:
        day = self.cleaned_data["last_rotated_at"]
        if day and day > timezone.now():
            raise forms.ValidationError("This lies ahead.")
        return day

"""Forms of the pages about people. They shape input; the rules are in the services."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings

from security.accounts import beginning
from security.accounts.models import Role
from security.accounts.passwords import MOST, RULES

THEMES = (("system", "As the device has it"), ("light", "Light"), ("dark", "Dark"))


def zones() -> list[tuple[str, str]]:
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("", f"{settings.PEOPLE_TIME_ZONE} (the default here)"), ("UTC", "UTC"), *((name, name) for name in names)]


def password_field(label: str, *, current: bool = False, **options: Any) -> forms.CharField:
    filling = "current-password" if current else "new-password"
    widget = forms.PasswordInput(attrs={"autocomplete": filling})
    return forms.CharField(label=label, max_length=MOST, strip=False, widget=widget, **options)


class TwicePassword(forms.Form):
    """Adds to a form with `password` that it was typed the same twice."""

    password = password_field("Password", help_text=RULES)
    again = password_field("Password again")

    def clean_again(self) -> str:
        again = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError("The two passwords are not the same.")
        return again


class SetupForm(TwicePassword):
    token = forms.CharField(widget=forms.HiddenInput, max_length=100)
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    name = forms.CharField(
        label="Name", max_length=128, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    time_zone = forms.ChoiceField(label="Time zone", choices=zones, required=False)
    field_order = ("token", "name", "email", "password", "again", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for one in beginning.OFFERS:
            box = forms.BooleanField(label=one.label, help_text=one.help_text, required=False, initial=one.ticked)
            self.fields[one.name] = box

    def accepted(self) -> set[str]:
        """The names of the offers that were ticked."""
        return {one.name for one in beginning.OFFERS if self.cleaned_data[one.name]}


class LoginForm(forms.Form):
    email = forms.CharField(
        label="E-mail address", max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )  # fmt: skip
    password = password_field("Password", current=True)
    remember = forms.BooleanField(
        label="Stay signed in on this browser", required=False, help_text="For seven days after your last visit."
    )


class PreferencesForm(forms.Form):
    name = forms.CharField(label="Name", max_length=128, required=False)
    time_zone = forms.ChoiceField(label="Time zone", choices=zones, required=False)
    theme = forms.ChoiceField(label="Theme", choices=THEMES)


class OwnPasswordForm(forms.Form):
    current_password = password_field("Current password", current=True)
    new_password = password_field("New password", help_text=RULES)
    again = password_field("New password again")

    def clean_again(self) -> str:
        again = self.cleaned_data["again"]
        if "new_password" in self.cleaned_data and again != self.cleaned_data["new_password"]:
            raise forms.ValidationError("The two passwords are not the same.")
        return again


class NewUserForm(forms.Form):
    name = forms.CharField(label="Name", max_length=128, required=False)
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(
        label="Role", choices=Role.choices, initial=Role.VIEWER,
        help_text="Viewers read. Developers also run commands. Operators also manage instances, monitors and alerts. "
        "Administrators also manage people and read the audit log.",
    )  # fmt: skip
    password = password_field("First password", help_text=RULES + " Tell it to the person on a safe way.")


class UserForm(NewUserForm):
    is_active = forms.BooleanField(
        label="May sign in and use keys", required=False,
        help_text="Without this, every session and stream of the user ends within seconds and its keys stop working.",
    )  # fmt: skip
    password = password_field("New password", required=False, help_text=f"Leave empty to keep the present one. {RULES}")
    field_order = ("name", "email", "role", "is_active", "password")


class TeamForm(forms.Form):
    name = forms.CharField(label="Name", max_length=128)
    description = forms.CharField(label="Description", max_length=512, required=False)

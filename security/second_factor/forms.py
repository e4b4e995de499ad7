"""Forms of the second factor."""

from typing import Any

from django import forms

from security.accounts.forms import password_field


def code_field(help_text: str = "", **attributes: Any) -> forms.CharField:
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"} | attributes
    return forms.CharField(
        label="Code", max_length=40, help_text=help_text, widget=forms.TextInput(attrs=attributes)
    )  # fmt: skip


class SignInCodeForm(forms.Form):
    code = code_field("Six digits from your app, or one of your recovery codes.", autofocus=True)


class ConfirmForm(forms.Form):
    code = code_field("The six digits that your app shows now.", inputmode="numeric")


class RenewForm(forms.Form):
    prefix = "renew"
    code = code_field("From your app, or a recovery code.")


class TurnOffForm(forms.Form):
    prefix = "off"
    password = password_field("Password", current=True)
    code = code_field("From your app, or a recovery code.")

"""The form of a key that a person enters."""

from typing import Any, cast

from django import forms

from config.api.permissions import OPERATOR, raised_door
from config.days import Day
from fleet.instances.forms import instance_choices
from security.ssh_keys.public import PublicKey, read


class SshKeyForm(forms.Form):
    instance_id = forms.ChoiceField(label="Opens the instance")
    public_key = forms.CharField(
        max_length=16_384, widget=forms.Textarea({"rows": 4, "class": "mono", "spellcheck": "false"}),
        help_text="The line of authorized_keys without options, or the content of the .pub file.",
    )  # fmt: skip
    expires_at = Day(required=False, label="Expires on", help_text="From that day on it is expired.")

    def __init__(self, *args: Any, principal: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["instance_id"]).choices = instance_choices(principal, raised_door(OPERATOR))

    def clean_public_key(self) -> PublicKey:
        try:
            return read(self.cleaned_data["public_key"])
        except ValueError as fault:
            raise forms.ValidationError(str(fault)) from None

    def fields_of(self) -> dict[str, Any]:
        """What the service takes besides the instance; what was left empty stays as it is."""
        key, expires_at = self.cleaned_data["public_key"], self.cleaned_data["expires_at"]
        known = {"fingerprint": key.fingerprint, "key_type": key.type, "key_bits": key.bits}
        told = {"comment": key.comment, "expires_at": expires_at}
        return known | {name: value for name, value in told.items() if value}

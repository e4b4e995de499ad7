"""The forms of secrets. Their rules are those of the services."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.apps import apps

from security.vault.models import NAME_PATTERN, Secret, SecretType
from security.vault.references import USED_BY, Use
from security.vault.services import MOST_REASON

MOST_INSTANCES = 1000
USES = [(use.value, USED_BY[use].capitalize()) for use in Use]


class ValueField(forms.CharField):
    """The value as it was typed: a certificate ends with a line break, a password may with a space."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea({"rows": 4, "autocomplete": "off", "spellcheck": "false", "class": "mono"})
        words = "Up to 64 KiB, kept as it is typed. It is encrypted, and no page shows it but *Reveal*."
        super().__init__(strip=False, widget=widget, help_text=words.replace("*", ""), **kwargs)

    def to_python(self, value: Any) -> str:
        # Browsers send line breaks as CR LF, which breaks a key file for most programs that read one.
        return super().to_python(value).replace("\r\n", "\n")


class RotateForm(forms.Form):
    value = ValueField(label="New value")


class SecretForm(forms.Form):
    """What can be changed of a secret besides its value."""

    description = forms.CharField(
        max_length=512, required=False, help_text="What it opens, and who gives out a new one."
    )
    scope = forms.MultipleChoiceField(
        choices=USES, required=False, widget=forms.CheckboxSelectMultiple, label="Usable by",
        help_text="These may refer to it as {{secret:NAME}}. Nothing chosen: nobody can.",
    )  # fmt: skip
    last_day = forms.DateField(
        required=False, label="Good until", widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text="The last day, in UTC. Empty: it does not expire.",
    )  # fmt: skip

    def fields_of(self, secret: Secret | None = None) -> dict[str, Any]:
        """Arguments of the services. Words of the scope that the form does not offer stay, and an unchanged end."""
        given = dict(self.cleaned_data)
        day = given.pop("last_day")
        if secret is None or "last_day" in self.changed_data:
            given["expires_at"] = datetime.combine(day + timedelta(days=1), time(), UTC) if day else None
        offered = {value for value, _ in USES}
        given["scope"] = [*given["scope"], *(word for word in (secret.scope if secret else ()) if word not in offered)]
        return given | {"description": given["description"] or None}


class NewSecretForm(SecretForm):
    name = forms.RegexField(
        NAME_PATTERN, max_length=256, help_text="Letters, digits, dots, dashes and underscores, like DB_PASSWORD.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    type = forms.ChoiceField(choices=SecretType.choices, label="Kind")
    value = ValueField()
    field_order = ("name", "value", "type", "instance_id", "description", "scope", "last_day")

    def __init__(self, *args: Any, principal: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visible = apps.get_model("fleet", "Instance").objects.visible_to(principal).existing().order_by("name", "pk")
        choices = [("", "None: global"), *visible.values_list("pk", "name")[:MOST_INSTANCES]]
        self.fields["instance_id"] = forms.ChoiceField(
            choices=choices, required=False, label="Instance",
            help_text="An instance's own secret goes before a global one of that name.",
        )  # fmt: skip
        self.order_fields(self.field_order)

    def fields_of(self, secret: Secret | None = None) -> dict[str, Any]:
        given = super().fields_of()
        return given | {"instance_id": given["instance_id"] or None}


class RevealForm(forms.Form):
    reason = forms.CharField(max_length=MOST_REASON, help_text="Written to the audit together with your name.")


class DeleteForm(forms.Form):
    """Asks for the name, so that nobody deletes the wrong one."""

    name = forms.CharField(label="Type its name to delete it", widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, *args: Any, secret: Secret, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret

    def clean_name(self) -> str:
        if self.cleaned_data["name"] != self.secret.name:
            raise forms.ValidationError("This is not its name.")
        return self.cleaned_data["name"]


def initial_of(secret: Secret) -> dict[str, Any]:
    """What the form of an existing secret starts with."""
    ends = secret.expires_at
    return {
        "description": secret.description,
        "scope": secret.scope,
        "last_day": (ends - timedelta(microseconds=1)).astimezone(UTC).date() if ends else None,
    }

"""Forms of the pages about API keys."""

from django import forms

from config.api.scopes import APIS, WORDS
from security.accounts.models import Role

LIFETIMES = ((30, "30 days"), (90, "90 days"), (365, "1 year"), ("", "Never"))
OVERLAPS = ((0, "End now"), (1, "1 hour"), (24, "1 day"), (168, "7 days"), (720, "30 days"))


APIS_IN_WORDS = dict(zip(APIS, ("Fleet", "Monitors", "Load testing", "Signals", "Replay"), strict=True))


def scope_choices() -> list[tuple[str, str]]:
    """Each scope with what it lets a key do."""
    pairs = [(word, *word.split(":")) for word in WORDS]
    rights = {"read": "read", "write": "read and write"}
    return [(word, f"{APIS_IN_WORDS[api]}: {rights[right]}") for word, api, right in pairs]


def number(value: str) -> int | None:
    return int(value) if value else None


class OwnKeyForm(forms.Form):
    name = forms.CharField(label="Name", max_length=100, help_text="What the key is for, such as backup-script.")
    role = forms.TypedChoiceField(
        label="Role", choices=[("", "The same as mine"), *Role.choices], required=False, empty_value=None,
        help_text="A key can do less than you, never more.",
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label="Ends after", choices=LIFETIMES, coerce=number, empty_value=None, required=False
    )
    scopes = forms.MultipleChoiceField(
        label="Scopes", choices=scope_choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text="The APIs that the key opens. Tick none to let it use all that its role allows.",
    )  # fmt: skip


class ServiceKeyForm(OwnKeyForm):
    role = forms.TypedChoiceField(label="Role", choices=Role.choices, help_text="Choose the lowest that does the work.")


class RotateForm(forms.Form):
    overlap = forms.TypedChoiceField(
        label="The old key ends", choices=OVERLAPS, coerce=int, initial=24,
        help_text="Both keys work until then, so that nothing stops while you change it over.",
    )  # fmt: skip

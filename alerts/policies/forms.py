"""Forms of policies and rotations; their rules are those of the API."""

from typing import Any

from django import forms

from alerts.channels.models import Channel
from alerts.labels.forms import MatchersField
from alerts.policies.models import Policy, Rotation
from security.accounts.models import User

STEPS = 5  # that the form offers; the API takes more


class PolicyForm(forms.Form):
    name = forms.CharField(max_length=128)
    matchers = MatchersField(label="Which alerts", required=False)
    position = forms.IntegerField(
        min_value=0, initial=100, help_text="The first policy that matches an alert is its own."
    )
    repeats = forms.IntegerField(
        min_value=0, max_value=20, initial=0, help_text="Times to begin anew after the last step."
    )
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channels = list(Channel.objects.order_by("name", "pk").values_list("pk", "name")[:500])
        rotations = [("", "The channel's own"), *Rotation.objects.order_by("name").values_list("pk", "name")[:500]]
        for number in range(STEPS):
            self.fields[f"after{number}"] = forms.IntegerField(
                min_value=0, max_value=1440, required=False, label=f"Step {number + 1}: wait",
                help_text="Minutes while nobody takes the alert on.",
            )  # fmt: skip
            self.fields[f"channels{number}"] = forms.MultipleChoiceField(
                choices=channels, required=False, label=f"Step {number + 1}: tell through"
            )
            self.fields[f"rotation{number}"] = forms.ChoiceField(
                choices=rotations, required=False, label=f"Step {number + 1}: to whom"
            )

    def wire(self) -> dict[str, Any]:
        given = self.cleaned_data
        steps = [
            {
                "afterS": 60 * (given[f"after{number}"] or 0),
                "channelIds": given[f"channels{number}"],
                "rotationId": given[f"rotation{number}"] or None,
            }
            for number in range(STEPS)
            if given[f"channels{number}"]
        ]
        return {name: given[name] for name in ("name", "matchers", "position", "repeats", "enabled")} | {"steps": steps}


def initial_of(policy: Policy) -> dict[str, Any]:
    found = {name: getattr(policy, name) for name in ("name", "matchers", "position", "repeats", "enabled")}
    for step in sorted(policy.steps.all(), key=lambda one: one.number)[:STEPS]:
        found[f"after{step.number}"] = step.after_s // 60
        found[f"channels{step.number}"] = [channel.pk for channel in step.channels.all()]
        found[f"rotation{step.number}"] = step.rotation_id or ""
    return found


class RotationForm(forms.Form):
    name = forms.CharField(max_length=128)
    members = forms.CharField(
        widget=forms.Textarea({"rows": 4, "spellcheck": "false"}), max_length=10_000, label="Order",
        help_text="E-mail addresses of users, one a line, in the order in which they take over.",
    )  # fmt: skip
    turn_days = forms.IntegerField(min_value=1, max_value=366, initial=7, help_text="Days that a turn lasts.")
    starts_on = forms.DateField(widget=forms.DateInput({"type": "date"}), help_text="Day of the first turn.")
    hands_over_at = forms.TimeField(widget=forms.TimeInput({"type": "time"}, format="%H:%M"), initial="09:00")
    time_zone = forms.CharField(max_length=64, initial="UTC", help_text="Like Europe/Berlin.")

    def clean_members(self) -> list[str]:
        wanted = [word.lower() for word in self.cleaned_data["members"].replace(",", "\n").split()]
        known = dict(User.objects.filter(email__in=wanted).values_list("email", "pk"))
        if missing := [word for word in wanted if word not in known]:
            raise forms.ValidationError(f"{missing[0]} is no user.")
        return [known[word] for word in wanted]

    def wire(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "name": given["name"],
            "members": given["members"],
            "turnDays": given["turn_days"],
            "startsOn": given["starts_on"].isoformat(),
            "handsOverAt": f"{given['hands_over_at']:%H:%M}",
            "timeZone": given["time_zone"],
        }


def initial_of_rotation(rotation: Rotation) -> dict[str, Any]:
    emails = dict(User.objects.filter(pk__in=rotation.members).values_list("pk", "email"))
    names = ("name", "turn_days", "starts_on", "hands_over_at", "time_zone")
    order = "\n".join(emails[key] for key in rotation.members if key in emails)
    return {name: getattr(rotation, name) for name in names} | {"members": order}

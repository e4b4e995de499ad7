"""The form of a rule: a sentence with blanks. Its rules are those of the API, applied by the services."""

from typing import Any

from django import forms
from django.db.models import Q

from alerts.channels.models import Channel
from alerts.incidents.models import Severity
from alerts.rules import conditions
from alerts.rules.models import Rule, RuleType
from fleet.instances.models import Instance, InstanceQuerySet

KINDS = {"threshold": RuleType.THRESHOLD, "lifecycle": RuleType.LIFECYCLE}
OPERATORS = [("gt", "is above"), ("gte", "is at or above"), ("lt", "is below"), ("lte", "is at or below")]
EVENTS = [
    ("heartbeat_lost", "it stops reporting"),
    ("unresponsive", "it is in error or unknown"),
    ("status_changed", "its status becomes one of"),
]
# Where the API's names and those of the form differ.
FIELDS = {
    "cooldownSec": "cooldown_s",
    "conditions.duration_sec": "duration_s",
    "conditions.timeout_sec": "timeout_s",
    "conditions.target_statuses": "statuses",
    "instanceId": "instance",
    "channelIds": "channels",
}


class RuleForm(forms.Form):
    """`kind` is a key of KINDS and drops the fields of the other kind."""

    name = forms.CharField(max_length=128)
    instance = forms.CharField(
        max_length=256, required=False, label="For the instance", help_text="Its name. Empty: every instance."
    )
    metric = forms.ChoiceField(choices=list(conditions.METRIC_WORDS.items()), label="When")
    operator = forms.ChoiceField(choices=OPERATORS, label="Compared")
    threshold = forms.FloatField(label="Limit", help_text="In percent from 0 to 100; a load average up to 10,000.")
    duration_s = forms.IntegerField(
        min_value=0, max_value=3600, required=False, label="For how long, seconds",
        help_text="Every sample of that time must break the limit. Empty: the newest sample is enough.",
    )  # fmt: skip
    event = forms.ChoiceField(choices=EVENTS, label="When")
    timeout_s = forms.IntegerField(
        min_value=30, max_value=3600, required=False, label="Silent for, seconds",
        help_text=f"When it stops reporting. {conditions.HEARTBEAT_TIMEOUT_S} if empty.",
    )  # fmt: skip
    statuses = forms.MultipleChoiceField(
        choices=conditions.STATUSES, required=False, widget=forms.CheckboxSelectMultiple, label="Statuses",
        help_text="When its status becomes one of these. Error and unknown if none is ticked.",
    )  # fmt: skip
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.HIGH)
    channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(), required=False, widget=forms.CheckboxSelectMultiple, label="Tell",
        help_text="Each is told when it fires and when it is over.",
    )  # fmt: skip
    cooldown_s = forms.IntegerField(
        min_value=0, max_value=86_400, initial=300, label="Quiet time after an alert, seconds",
        help_text="It does not fire again for the same instance sooner than this.",
    )  # fmt: skip
    description = forms.CharField(max_length=512, required=False, widget=forms.Textarea({"rows": 2}))
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def __init__(self, *args: Any, kind: str, instances: InstanceQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.instances = kind, instances
        self.fields["channels"].queryset = Channel.objects.order_by("name", "pk")  # type: ignore[attr-defined]
        other = (
            ("event", "timeout_s", "statuses")
            if kind == "threshold"
            else ("metric", "operator", "threshold", "duration_s")
        )
        for name in other:
            del self.fields[name]
        if not self.fields["channels"].queryset.exists():  # type: ignore[attr-defined]
            self.fields["channels"].help_text = "There is no channel yet; alerts show on their page only."

    def clean_instance(self) -> Instance | None:
        wanted = self.cleaned_data["instance"]
        if not wanted:
            return None
        found = self.instances.filter(Q(name=wanted) | Q(pk=wanted)).order_by("-created_at", "-pk").first()
        if found is None:
            raise forms.ValidationError("There is no instance of that name.")
        return found

    @property
    def sections(self) -> list[tuple[str, list[Any]]]:
        """The fields as the page groups them."""
        groups = {
            "Condition": (
                "instance",
                "metric",
                "operator",
                "threshold",
                "duration_s",
                "event",
                "timeout_s",
                "statuses",
            ),
            "What follows": ("severity", "channels", "cooldown_s"),
            "Name": ("name", "description", "enabled"),
        }
        return [(title, [self[name] for name in names if name in self.fields]) for title, names in groups.items()]

    def conditions(self) -> dict[str, Any]:
        """The conditions in the shape of the API, from what has been typed so far."""
        given = self.cleaned_data
        if self.kind == "threshold":
            wanted = {name: given.get(name) for name in ("metric", "operator", "threshold")}
            return wanted | ({"duration_sec": given["duration_s"]} if given.get("duration_s") else {})
        wanted = {"event": given.get("event")}
        if given.get("timeout_s"):
            wanted["timeout_sec"] = given["timeout_s"]
        return wanted | ({"target_statuses": given["statuses"]} if given.get("statuses") else {})

    def wire(self) -> dict[str, Any]:
        """Arguments of the services."""
        given = self.cleaned_data
        return {
            "type": KINDS[self.kind],
            "conditions_": self.conditions(),
            "instance_id": given["instance"].pk if given["instance"] else None,
            "channel_ids": [channel.pk for channel in given["channels"]],
            "name": given["name"],
            "description": given["description"] or None,
            "severity": given["severity"],
            "cooldown_s": given["cooldown_s"],
            "enabled": given["enabled"],
        }

    def show_faults(self, details: dict[str, list[str]]) -> None:
        """Errors of the services at the fields that they are about."""
        for path, texts in details.items():
            name = FIELDS.get(path) or FIELDS.get(path.rpartition(".")[0]) or path.removeprefix("conditions.")
            self.add_error(name if name in self.fields else None, texts)


def initial_of(rule: Rule) -> dict[str, Any]:
    """What the form of an existing rule starts with."""
    wanted = rule.conditions
    return {
        "name": rule.name,
        "instance": rule.instance.name if rule.instance else "",
        "severity": rule.severity,
        "channels": [channel.pk for channel in rule.channels.all()],
        "cooldown_s": rule.cooldown_s,
        "description": rule.description,
        "enabled": rule.enabled,
        "duration_s": wanted.get("duration_sec"),
        "timeout_s": wanted.get("timeout_sec"),
        "statuses": wanted.get("target_statuses", []),
    } | {name: wanted[name] for name in ("metric", "operator", "threshold", "event") if name in wanted}

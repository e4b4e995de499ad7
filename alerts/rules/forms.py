"""The form of a rule: a sentence with blanks. Its rules are those of the API, applied by the services."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from alerts.channels.models import Channel
from alerts.incidents.models import Severity
from alerts.rules import blanks
from alerts.rules.models import NoData, Rule, RuleType
from fleet.instances.models import Instance, InstanceQuerySet
from security.accounts.models import Team

KINDS = {type.value.lower(): type for type in RuleType}
# Where the API's names and those of the form differ.
FIELDS = {
    "cooldownSec": "cooldown_s",
    "instanceId": "instance",
    "teamId": "team",
    "channelIds": "channels",
    "clearThreshold": "clear_threshold",
    "matchCount": "match_count",
    "matchWindow": "match_window",
    "keepFiringSec": "keep_firing_s",
    "noData": "no_data",
}
MORE = ("clear_threshold", "match_count", "match_window", "keep_firing_s", "no_data", "labels")


class RuleForm(forms.Form):
    """`kind` is a key of KINDS; the fields of its condition come first."""

    name = forms.CharField(max_length=128)
    instance = forms.CharField(
        max_length=256, required=False, label="For the instance", help_text="Its name. Empty: every instance."
    )
    team = forms.ModelChoiceField(
        Team.objects.none(), required=False, label="Or for those of the team", empty_label="Every instance"
    )
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.HIGH)
    channels = forms.ModelMultipleChoiceField(
        Channel.objects.none(), required=False, widget=forms.CheckboxSelectMultiple, label="Tell",
        help_text="Each is told when it fires and when it is over.",
    )  # fmt: skip
    cooldown_s = forms.IntegerField(
        min_value=0, max_value=86_400, initial=300, label="Quiet time after an alert, seconds",
        help_text="It does not fire again for the same instance sooner than this.",
    )  # fmt: skip
    clear_threshold = forms.FloatField(
        required=False, min_value=0, max_value=10_000, label="It ends only at",
        help_text="On the good side of the limit. Empty: as soon as the limit is not broken any more.",
    )  # fmt: skip
    match_count = forms.IntegerField(
        min_value=1, max_value=60, initial=1, required=False, label="True in at least", help_text="So many samples …"
    )
    match_window = forms.IntegerField(
        min_value=1, max_value=60, initial=1, required=False, label="of the last", help_text="… of so many."
    )
    keep_firing_s = forms.IntegerField(
        min_value=0, max_value=86_400, initial=0, required=False, label="Stays open after it is over, seconds"
    )
    no_data = forms.ChoiceField(
        choices=NoData.choices, initial=NoData.KEEP, required=False, label="When nothing is known"
    )
    labels = forms.CharField(
        required=False, widget=forms.Textarea({"rows": 2}),
        help_text="One name=value a line. Silences and groups use them.",
    )  # fmt: skip
    description = forms.CharField(max_length=512, required=False, widget=forms.Textarea({"rows": 2}))
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def __init__(
        self, *args: Any, kind: str, instances: InstanceQuerySet, teams: QuerySet[Team], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.instances = kind, instances
        self.blanks = blanks.BLANKS[KINDS[kind]]
        self.fields |= {blank.field: blank.build() for blank in self.blanks}
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        if not teams.exists():
            del self.fields["team"]
        if kind not in ("threshold", "anomaly"):
            del self.fields["clear_threshold"]
        found = Channel.objects.order_by("name", "pk")
        self.fields["channels"].queryset = found  # type: ignore[attr-defined]
        if not found.exists():
            self.fields["channels"].help_text = "There is no channel yet; alerts show on their page only."

    def clean_instance(self) -> Instance | None:
        wanted = self.cleaned_data["instance"]
        if not wanted:
            return None
        found = self.instances.filter(Q(name=wanted) | Q(pk=wanted)).order_by("-created_at", "-pk").first()
        if found is None:
            raise forms.ValidationError("There is no instance of that name.")
        return found

    def clean_labels(self) -> dict[str, str]:
        labels = {}
        for line in self.cleaned_data["labels"].splitlines():
            name, equals, value = line.partition("=")
            if line.strip() and not equals:
                raise forms.ValidationError("Each line is a name, an equals sign and a value.")
            if equals:
                labels[name.strip()] = value.strip()
        return labels

    @property
    def sentence(self) -> list[tuple[str, Any]]:
        """The blanks of the condition in order, each with the words before it."""
        return [(blank.before, self[blank.field]) for blank in self.blanks]

    @property
    def sections(self) -> list[tuple[str, list[Any]]]:
        """The other fields as the page groups them."""
        groups = {
            "Where": ("instance", "team"),
            "What follows": ("severity", "channels", "cooldown_s"),
            "Name": ("name", "description", "enabled"),
        }
        return [(title, self._bound(names)) for title, names in groups.items()]

    @property
    def more(self) -> list[Any]:
        return self._bound(MORE)

    @property
    def more_is_used(self) -> bool:
        """Whether something beyond the plain condition is filled in, so that the page shows it."""
        return any(field.value() not in (None, "", 0, 1, "0", "1", NoData.KEEP) or field.errors for field in self.more)

    def _bound(self, names: tuple[str, ...]) -> list[Any]:
        return [self[name] for name in names if name in self.fields]

    def conditions(self) -> dict[str, Any]:
        """The conditions in the shape of the API, from what has been typed so far."""
        given = ((blank.wire, self.cleaned_data.get(blank.field)) for blank in self.blanks)
        return {name: value for name, value in given if value not in (None, "", [])}

    def wire(self) -> dict[str, Any]:
        """Arguments of the services, from what has been typed so far."""
        given = self.cleaned_data
        return {
            "type": KINDS[self.kind],
            "conditions_": self.conditions(),
            "instance_id": given["instance"].pk if given.get("instance") else None,
            "team_id": given["team"].pk if given.get("team") else None,
            "severity": given.get("severity") or Severity.HIGH,
            "cooldown_s": given["cooldown_s"] if given.get("cooldown_s") is not None else 300,
            "clear_threshold": given.get("clear_threshold"),
            "match_count": given.get("match_count") or 1,
            "match_window": given.get("match_window") or 1,
            "keep_firing_s": given.get("keep_firing_s") or 0,
            "no_data": given.get("no_data") or NoData.KEEP,
            "labels": given.get("labels") or {},
        }

    def named(self) -> dict[str, Any]:
        """As `wire`, with what only a rule that is stored needs."""
        given = self.cleaned_data
        return self.wire() | {
            "channel_ids": [channel.pk for channel in given["channels"]],
            "name": given["name"],
            "description": given["description"] or None,
            "enabled": given["enabled"],
        }

    def show_faults(self, details: dict[str, list[str]]) -> None:
        """Errors of the services at the fields that they are about."""
        own = {f"conditions.{blank.wire}": blank.field for blank in self.blanks}
        for path, texts in details.items():
            name = own.get(path) or own.get(path.rpartition(".")[0]) or FIELDS.get(path) or path
            self.add_error(name if name in self.fields else None, texts)


def initial_of(rule: Rule) -> dict[str, Any]:
    """What the form of an existing rule starts with."""
    plain = ("name", "severity", "cooldown_s", "description", "enabled", *MORE[:-1])
    return (
        {name: getattr(rule, name) for name in plain}
        | {
            "instance": rule.instance.name if rule.instance else "",
            "team": rule.team_id,
            "channels": [channel.pk for channel in rule.channels.all()],
            "labels": "\n".join(f"{name}={value}" for name, value in sorted(rule.labels.items())),
        }
        | {blank.field: rule.conditions.get(blank.wire) for blank in blanks.BLANKS[RuleType(rule.type)]}
    )

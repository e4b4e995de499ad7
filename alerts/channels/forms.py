"""The form of a channel. Its rules are those of the API, applied by the services."""

from typing import Any

from django import forms

from alerts.channels import configs
from alerts.channels.models import Channel, ChannelType
from security.accounts.models import User
from security.vault import references

KINDS = {type.value.lower().replace("_", "-"): type for type in ChannelType}
ALWAYS = ("name", "enabled", "monitor_alerts", "notify_resolved")
OF_KIND = {
    "webhook": ("url", "method", "headers", "secret"),
    "slack": ("webhook_url", "channel", "username", "icon_emoji"),
    "email": ("recipients", "subject_prefix"),
    "in-app": ("user_ids",),
    "teams": ("webhook_url",),
    "discord": ("webhook_url",),
    "google-chat": ("webhook_url",),
    "telegram": ("bot_token", "chat_id", "api_url"),
    "ntfy": ("topic", "token", "api_url"),
    "pagerduty": ("routing_key", "api_url"),
    "opsgenie": ("api_key", "api_url"),
}
SECRET_FIELDS = {"headers", "secret", "webhook_url", "bot_token", "token", "routing_key", "api_key"}
KEPT = "Shown as *** because it is a secret; leave it so to keep it."


class ChannelForm(forms.Form):
    """`kind` is a key of KINDS and drops the fields of the others."""

    name = forms.CharField(max_length=128)
    url = forms.CharField(label="Address", max_length=2048, help_text="Starts with http:// or https://.")
    method = forms.ChoiceField(choices=[("POST", "POST"), ("PUT", "PUT")])
    headers = forms.CharField(
        required=False, max_length=20_000, widget=forms.Textarea({"rows": 2, "class": "code", "spellcheck": "false"}),
        help_text=f"One a line, as Name: value. {KEPT}",
    )  # fmt: skip
    secret = forms.CharField(
        required=False, max_length=256, strip=False, widget=forms.TextInput({"autocomplete": "off"}),
        help_text=f"Signs each message (X-Sindri-Signature, X-Pharos-Signature). {KEPT}",
    )  # fmt: skip
    webhook_url = forms.CharField(label="Webhook address", max_length=2048, help_text=f"From the service. {KEPT}")
    channel = forms.CharField(required=False, max_length=128, help_text="Like #ops; the webhook's own if empty.")
    username = forms.CharField(required=False, max_length=64, label="Shown as")
    icon_emoji = forms.CharField(required=False, max_length=32, label="Icon", help_text="Like :fire:.")
    recipients = forms.CharField(
        widget=forms.Textarea({"rows": 3, "spellcheck": "false"}),
        max_length=10_000,
        help_text="One address a line, up to 20.",
    )
    subject_prefix = forms.CharField(required=False, max_length=64, help_text="[Sindri Alert] if empty.")
    user_ids = forms.CharField(
        required=False, max_length=10_000, widget=forms.Textarea({"rows": 3, "spellcheck": "false"}), label="People",
        help_text="E-mail addresses of users, one a line; everyone who may see the alert if empty.",
    )  # fmt: skip
    bot_token = forms.CharField(max_length=128, widget=forms.TextInput({"autocomplete": "off"}), help_text=KEPT)
    chat_id = forms.CharField(max_length=64, label="Chat", help_text="Its number, or @name of a channel.")
    topic = forms.CharField(max_length=64)
    token = forms.CharField(required=False, max_length=128, label="Access token", help_text=KEPT)
    routing_key = forms.CharField(max_length=128, label="Integration key", help_text=f"Events API v2. {KEPT}")
    api_key = forms.CharField(max_length=128, label="API key", help_text=KEPT)
    api_url = forms.CharField(
        required=False, max_length=2048, label="Server", help_text="Only for another region or a server of your own."
    )
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")
    monitor_alerts = forms.BooleanField(required=False, initial=True, label="Tell of alerts of monitors too")
    notify_resolved = forms.BooleanField(required=False, initial=True, label="Tell when it is over")

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        for name in set(self.fields) - {*ALWAYS, *OF_KIND[kind]}:
            del self.fields[name]
        for name in SECRET_FIELDS & set(self.fields):
            self.fields[name].help_text += references.help_text(references.Use.CHANNELS)

    def clean_headers(self) -> dict[str, str]:
        found = {}
        for line in self.cleaned_data["headers"].splitlines():
            name, colon, value = line.partition(":")
            if line.strip() and not colon:
                raise forms.ValidationError("Each line is a name, a colon and a value.")
            if line.strip():
                found[name.strip()] = value.strip()
        return found

    def clean_recipients(self) -> list[str]:
        return [word for word in self.cleaned_data["recipients"].replace(",", "\n").split() if word]

    def clean_user_ids(self) -> list[str]:
        wanted = self.cleaned_data["user_ids"].lower().replace(",", "\n").split()
        known = dict(User.objects.filter(email__in=wanted).values_list("email", "pk"))
        if missing := [word for word in wanted if word not in known]:
            raise forms.ValidationError(f"{missing[0]} is no user.")
        return [known[word] for word in wanted]

    def wire(self) -> dict[str, Any]:
        """Arguments of the services."""
        given = self.cleaned_data
        config = {name: given[name] for name in OF_KIND[self.kind] if given[name] not in ("", {}, [])}
        return {name: given[name] for name in ALWAYS} | {"config": config}

    def show_faults(self, details: dict[str, list[str]]) -> None:
        """Errors of the services at the fields that they are about."""
        for path, texts in details.items():
            name = path.removeprefix("config.").partition(".")[0]
            self.add_error(name if name in self.fields else None, texts)


def initial_of(channel: Channel) -> dict[str, Any]:
    """What the form of an existing channel starts with; secrets are masks."""
    config = configs.masked(channel.type, channel.config)
    if "headers" in config:
        config["headers"] = "\n".join(f"{name}: {value}" for name, value in config["headers"].items())
    if "user_ids" in config:
        emails = User.objects.filter(pk__in=config["user_ids"]).order_by("email").values_list("email", flat=True)
        config["user_ids"] = "\n".join(emails)
    if "recipients" in config:
        config["recipients"] = "\n".join(config["recipients"])
    return {name: getattr(channel, name) for name in ALWAYS} | config

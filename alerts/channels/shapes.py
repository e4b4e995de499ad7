"""Configurations of chat and paging services, and of what people find in the product."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from alerts.channels.fields import Text, address
from alerts.channels.models import ChannelType
from security.accounts.models import User


class HookConfig(serializers.Serializer):
    """An address that is itself the secret."""

    webhook_url = Text(max_length=2048, validators=[address])


class BasedConfig(serializers.Serializer):
    """`api_url`: where the service lives, if not where it usually does (another region, an own server)."""

    api_url = Text(max_length=2048, required=False, allow_blank=True, validators=[address])


class PagerDutyConfig(BasedConfig):
    routing_key = Text(max_length=128)


class OpsgenieConfig(BasedConfig):
    api_key = Text(max_length=128)


class TelegramConfig(BasedConfig):
    bot_token = serializers.RegexField(r"^(\*{3}|[0-9]+:[A-Za-z0-9_-]+)$", max_length=128)
    chat_id = Text(max_length=64)


class NtfyConfig(BasedConfig):
    topic = serializers.RegexField(r"^[A-Za-z0-9_-]+$", max_length=64)
    token = Text(max_length=128, required=False, allow_blank=True)


class InAppConfig(serializers.Serializer):
    """`user_ids`: only these people; absent: everyone who may see the alert."""

    user_ids = serializers.ListField(child=Text(max_length=64), required=False, max_length=100)

    def validate_user_ids(self, value: list[str]) -> list[str]:
        known = set(User.objects.filter(pk__in=value).values_list("pk", flat=True))
        if missing := [key for key in value if key not in known]:
            raise serializers.ValidationError(f"'{missing[0]}' is no user.")
        return list(dict.fromkeys(value))


HOOKS = (ChannelType.TEAMS, ChannelType.DISCORD, ChannelType.GOOGLE_CHAT)
SHAPES: dict[str, type[serializers.Serializer]] = {
    **dict.fromkeys(HOOKS, HookConfig),
    ChannelType.PAGERDUTY: PagerDutyConfig,
    ChannelType.OPSGENIE: OpsgenieConfig,
    ChannelType.TELEGRAM: TelegramConfig,
    ChannelType.NTFY: NtfyConfig,
    ChannelType.IN_APP: InAppConfig,
}
# The value of each that must not be shown.
SECRETS: dict[str, str] = {
    ChannelType.PAGERDUTY: "routing_key",
    ChannelType.OPSGENIE: "api_key",
    ChannelType.TELEGRAM: "bot_token",
    ChannelType.NTFY: "token",
}


def target(type: str, config: Mapping[str, Any]) -> str:
    """Where a channel leads, in a few words without secrets."""
    if type == ChannelType.IN_APP:
        chosen = config.get("user_ids")
        return "everyone" if chosen is None else f"{len(chosen)} {'person' if len(chosen) == 1 else 'people'}"
    place = config.get("api_url", "")
    what = {ChannelType.TELEGRAM: f"chat {config.get('chat_id')}", ChannelType.NTFY: f"topic {config.get('topic')}"}
    return " at ".join(filter(None, (what.get(ChannelType(type), ""), place))) or ChannelType(type).label

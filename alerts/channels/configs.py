"""What a channel's configuration may hold, by type, and what of it is shown (contract: fleet console §11)."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from rest_framework import serializers

from alerts.channels import shapes
from alerts.channels.fields import Text, address
from alerts.channels.models import ChannelType
from config import outbound
from config.api.authentication import Principal
from config.api.envelopes import flatten
from config.api.errors import Invalid
from config.outbound.messages import build
from security.vault import references
from security.vault.syntax import SHORTEST_HIDDEN

MASK = "***"
SECRET_HEADERS = re.compile(r"auth|token|key|secret", re.IGNORECASE)
LONGEST_HEADERS = 50


class WebhookConfig(serializers.Serializer):
    url = Text(max_length=2048, validators=[address])
    method = serializers.ChoiceField(choices=["POST", "PUT"], required=False)
    headers = serializers.DictField(child=Text(max_length=4096, allow_blank=True), required=False)
    secret = Text(max_length=256, required=False, allow_blank=True, trim_whitespace=False)

    def validate_headers(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > LONGEST_HEADERS:
            raise serializers.ValidationError(f"At most {LONGEST_HEADERS} headers.")
        try:
            build("POST", value, None)
        except outbound.BadRequest as error:
            raise serializers.ValidationError(str(error)) from None
        return value


class SlackConfig(serializers.Serializer):
    webhook_url = Text(max_length=2048, validators=[address])
    channel = Text(max_length=128, required=False, allow_blank=True)
    username = Text(max_length=64, required=False, allow_blank=True)
    icon_emoji = Text(max_length=32, required=False, allow_blank=True)


class Address(Text):
    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        try:
            validate_email(value)
        except DjangoValidationError:
            raise serializers.ValidationError("Not an e-mail address.") from None
        return value


class EmailConfig(serializers.Serializer):
    recipients = serializers.ListField(child=Address(max_length=254), min_length=1, max_length=20)
    subject_prefix = Text(max_length=64, required=False, allow_blank=True)


SHAPES: dict[str, type[serializers.Serializer]] = {
    ChannelType.WEBHOOK: WebhookConfig,
    ChannelType.SLACK: SlackConfig,
    ChannelType.EMAIL: EmailConfig,
    **shapes.SHAPES,
}


def checked(
    type: str, config: Any, *, principal: Principal | None = None, stored: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The configuration as it is stored, unknown names left out. Raises Invalid with the paths `config.<name>`.

    References to secrets of the vault are followed to judge what would be used, and stored as they are written.

    A mask in it stands for the value in `stored`; where nothing is stored it is refused, so that nobody takes a mask
    for a secret. So it is when the address leads to another server, so that nobody who may not read a secret has it
    sent to a server of their own.
    """
    if stored is not None and isinstance(config, dict) and not _leads_elsewhere(config, stored):
        config = _unmasked(type, config, stored)
    fitting = _fitted_with_secrets(type, config, principal)
    value = {name: found for name, found in fitting.items() if found not in ("", None)}
    if path := _masked_path(type, value):
        raise Invalid(
            "config holds a mask", details={f"config.{path}": [f"{MASK} stands for no value stored for this address"]}
        )
    return value


def _fitted_with_secrets(type: str, config: Any, principal: Principal | None) -> dict[str, Any]:
    """As `fitted`, with the secrets that it refers to; they are in none of the errors."""
    referring = references.texts_in(config)
    if not referring:
        return fitted(SHAPES[type], config, name="config")
    use = references.Use.CHANNELS
    references.check({f"config.{name}": value for name, value in config.items()}, use=use, principal=principal)
    values = references.values_of(referring, use=use)
    try:
        fitting = fitted(SHAPES[type], references.put_in(config, values), name="config")
    except Invalid as fault:
        told = {
            path: [references.taken_out(text, values) for text in texts]
            for path, texts in (fault.details or {}).items()
        }
        raise Invalid(references.taken_out(fault.message, values), details=told) from None
    return {name: config[name] if references.texts_in(config[name]) else found for name, found in fitting.items()}


def fitted(shape: type[serializers.Serializer], value: Any, *, name: str) -> dict[str, Any]:
    """An object of a body in the shape it must have. Raises Invalid with the paths `<name>.<field>`."""
    if not isinstance(value, dict):
        raise Invalid(f"{name} must be an object", details={name: [f"{name} must be an object"]})
    body = shape(data=value)
    if not body.is_valid():
        details = {f"{name}.{path}" if path else name: texts for path, texts in flatten(body.errors).items()}
        raise Invalid(next(iter(details.values()))[0], details=details)
    return body.validated_data


def masked(type: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without its secrets."""
    shown = dict(config)
    for name, hide in _MASKS.get(type, {}).items():
        if name in shown:
            shown[name] = shown[name] if _is_reference(shown[name]) else hide(shown[name])
    return shown


def without_credentials(text: str, type: str, config: Mapping[str, Any]) -> str:
    """The text without what `masked` hides: the other side may repeat what it was sent."""
    hidden = sorted(set(_hidden(config, masked(type, config))), key=len, reverse=True)
    for value in hidden:
        if len(value) >= SHORTEST_HIDDEN:
            text = text.replace(value, MASK)
    return text


def _hidden(whole: Any, shown: Any) -> Iterator[str]:
    """The texts that differ, and of those that are hidden in part the part."""
    if isinstance(whole, Mapping):
        for name, value in whole.items():
            yield from _hidden(value, shown[name])
    elif isinstance(whole, str) and whole != shown:
        yield whole
        yield whole.removeprefix("Bearer ")
        if shown.endswith(MASK):
            yield whole.removeprefix(shown.removesuffix(MASK))


def target(type: str, config: Mapping[str, Any]) -> str:
    """Where a channel leads, in a few words without secrets."""
    if type == ChannelType.EMAIL:
        first, *others = config["recipients"]
        return f"{first} and {len(others)} more" if others else first
    if type in shapes.SHAPES and "webhook_url" not in config:
        return shapes.target(type, config)
    address = config.get("webhook_url") or config["url"]
    try:
        url = outbound.parse_url(address)
    except outbound.BadUrl:  # all of it comes from the vault
        return f"the address in {' and '.join(references.names_in(address))}"
    return f"{url.scheme}://{url.authority}"


def _without_end(url: str) -> str:
    """The address with its last path segment, the secret of a Slack webhook, hidden."""
    path, mark, _ = url.partition("?")
    scheme, _, rest = path.partition("://")
    host, slash, way = rest.rstrip("/").rpartition("/")
    end = way if slash and _is_reference(way) else MASK
    return f"{scheme}://{host}/{end}" if slash else f"{scheme}://{way}/{end}"


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: MASK if SECRET_HEADERS.search(name) and not _is_reference(value) else value
        for name, value in headers.items()
    }


def _is_reference(value: Any) -> bool:
    """Whether it names a secret of the vault and holds nothing else, so that there is nothing to hide."""
    return isinstance(value, str) and references.is_reference(value.removeprefix("Bearer "))


_MASKS: dict[str, dict[str, Callable[[Any], Any]]] = {
    ChannelType.WEBHOOK: {"secret": lambda _: MASK, "headers": _headers},
    ChannelType.SLACK: {"webhook_url": _without_end},
    **{type: {"webhook_url": _without_end} for type in shapes.HOOKS},
    **{type: {name: lambda _: MASK} for type, name in shapes.SECRETS.items()},
}


def _leads_elsewhere(config: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Whether the message would go to another server than before. Addresses that are wrong are told of later."""
    for name in ("url", "api_url"):
        if references.texts_in([stored.get(name), config.get(name)]) and stored.get(name) != config.get(name):
            return True
        try:
            before, after = (outbound.parse_url(str(one[name])) if one.get(name) else None for one in (stored, config))
        except outbound.BadUrl:
            continue
        if (before and (before.scheme, before.authority)) != (after and (after.scheme, after.authority)):
            return True
    return False


def _unmasked(type: str, config: dict[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The sent configuration with each mask replaced by what is stored in its place."""
    shown, whole = masked(type, stored), dict(config)
    for name in _MASKS.get(type, {}):
        sent, kept = whole.get(name), stored.get(name)
        if isinstance(sent, dict) and isinstance(kept, dict):
            known = {key.lower(): value for key, value in kept.items()}
            whole[name] = {
                key: known.get(key.lower(), value) if value == MASK else value for key, value in sent.items()
            }
        elif name in shown and isinstance(sent, str) and sent == shown[name]:
            whole[name] = kept
    return whole


def _masked_path(type: str, config: Mapping[str, Any]) -> str:
    """The name of the first value that is still a mask."""
    if "webhook_url" in config:
        return "webhook_url" if config["webhook_url"].rstrip("/").endswith(f"/{MASK}") else ""
    secret = shapes.SECRETS.get(type, "secret")
    if config.get(secret) == MASK:
        return secret
    return next((f"headers.{name}" for name, value in config.get("headers", {}).items() if value == MASK), "")

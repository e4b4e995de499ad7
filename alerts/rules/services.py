"""Making and changing rules (contract: fleet console §10)."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.channels.models import Channel
from alerts.incidents.services import resolve
from alerts.rules import conditions
from alerts.rules.models import Rule
from config.api.authentication import Principal
from config.api.errors import NotFound
from config.api.permissions import OPERATOR, require
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from security.audit.services import record


@transaction.atomic
def create_rule(
    *,
    type: str,
    conditions_: Any,
    actor: Principal,
    instance_id: str | None = None,
    channel_ids: Iterable[str] = (),
    request: Any = None,
    **fields: Any,
) -> Rule:
    """A new rule; `fields` are `name`, `description`, `severity`, `enabled`, `cooldown_s`.

    Raises Invalid for conditions that do not fit, NotFound for an unknown instance or channel.
    """
    rule = Rule(type=type, created_by=actor.user, **fields)
    rule.conditions = conditions.checked(type, conditions_)
    rule.instance = _instance(instance_id, actor)
    channels = _channels(channel_ids)
    rule.save(force_insert=True)
    rule.channels.set(channels)
    _audit("CREATE", rule, actor, request, after=facts(rule))
    return rule


@transaction.atomic
def change_rule(
    *,
    rule: Rule,
    actor: Principal,
    conditions_: Any = None,
    channel_ids: Iterable[str] | None = None,
    request: Any = None,
    **fields: Any,
) -> Rule:
    """Set any subset; `channel_ids` replaces the set, `instance_id` may be None for every instance.

    A change of type needs conditions that fit it. Raises as `create_rule`.
    """
    before, was_on = facts(rule), rule.enabled
    if "instance_id" in fields:
        rule.instance = _instance(fields.pop("instance_id"), actor)
    for name, value in fields.items():
        setattr(rule, name, value)
    rule.conditions = conditions.checked(rule.type, rule.conditions if conditions_ is None else conditions_)
    channels = None if channel_ids is None else _channels(channel_ids)
    rule.save()
    if channels is not None:
        rule.channels.set(channels)
    if was_on and not rule.enabled:
        _resolve_open(rule)
    _audit("UPDATE", rule, actor, request, before=before, after=facts(rule))
    return rule


def set_enabled(*, rule: Rule, enabled: bool, actor: Principal, request: Any = None) -> Rule:
    """Switch a rule on or off. Off ends its open alerts: nobody looks any more whether they still hold."""
    return change_rule(rule=rule, actor=actor, request=request, enabled=enabled)


@transaction.atomic
def delete_rule(*, rule: Rule, actor: Principal, request: Any = None) -> None:
    """Remove a rule; its alerts go too."""
    key, before = rule.pk, facts(rule)
    rule.delete()
    rule.pk = key
    _audit("DELETE", rule, actor, request, before=before)


def facts(rule: Rule) -> dict[str, Any]:
    """What the audit log notes about a rule."""
    names = ("name", "description", "type", "severity", "enabled", "instance_id", "conditions", "cooldown_s")
    channels = list(rule.channels.order_by("pk").values_list("pk", flat=True))
    return {name: getattr(rule, name) for name in names} | {"channels": channels}


def _resolve_open(rule: Rule) -> None:
    for alert in rule.alerts.open().select_related("instance", "monitor", "rule"):
        resolve(alert=alert, now=timezone.now(), text="The rule was switched off")


def _instance(instance_id: str | None, actor: Principal) -> Instance | None:
    """The instance of a rule, None for all; the rule takes the rights of an operator there."""
    if instance_id is None:
        require(actor, OPERATOR)
        return None
    instance = get_visible(instance_id=instance_id, principal=actor)
    require(actor, OPERATOR, team_id=instance.team_id)
    return instance


def _channels(channel_ids: Iterable[str]) -> list[Channel]:
    wanted = list(dict.fromkeys(channel_ids))
    found = Channel.objects.in_bulk(wanted)
    if missing := next((pk for pk in wanted if pk not in found), None):
        raise NotFound(f"Channel '{missing}' not found")
    return [found[pk] for pk in wanted]


def _audit(action: str, rule: Rule, actor: Principal, request: Any, **more: Any) -> None:
    record(
        actor=actor,
        action=action,
        resource="alert_rule",
        resource_id=rule.pk,
        team_id=rule.team_id,
        request=request,
        **more,
    )

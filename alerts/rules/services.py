"""Making and changing rules (contract: fleet console §10)."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.channels.models import Channel
from alerts.incidents.services import resolve
from alerts.rules import conditions, refining
from alerts.rules.models import Rule
from config.api.authentication import Principal
from config.api.errors import NotFound
from config.api.permissions import OPERATOR, require
from fleet.instances.queries import get_visible
from security.accounts.models import Team
from security.audit.services import record

SCOPE = ("instance_id", "team_id")


@transaction.atomic
def create_rule(
    *,
    type: str,
    conditions_: Any,
    actor: Principal,
    instance_id: str | None = None,
    team_id: str | None = None,
    channel_ids: Iterable[str] = (),
    request: Any = None,
    **fields: Any,
) -> Rule:
    """A new rule; `fields` are further columns, such as `name`, `severity`, `cooldown_s`, `labels`.

    Raises Invalid for conditions that do not fit or parts that contradict each other, NotFound for an unknown
    instance, team or channel.
    """
    rule = built(type=type, conditions_=conditions_, instance_id=instance_id, team_id=team_id, actor=actor, **fields)
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

    A change of type needs conditions that fit it. When the rule asks something else from now on, what was remembered
    of its instances goes; what is open stays until the next look finds it over. Raises as `create_rule`.
    """
    before, was_on, asked = facts(rule), rule.enabled, _asked(rule)
    scope: dict[str, Any] = {name: fields.pop(name) for name in SCOPE if name in fields}
    if scope:  # naming one takes the place of the other
        kept = dict.fromkeys(SCOPE) if any(scope.values()) else {name: getattr(rule, name) for name in SCOPE}
        _take_scope(rule, **(kept | scope), actor=actor)
    for name, value in fields.items():
        setattr(rule, name, value)
    rule.conditions = conditions.checked(rule.type, rule.conditions if conditions_ is None else conditions_)
    refining.check(rule)
    channels = None if channel_ids is None else _channels(channel_ids)
    rule.save()
    if channels is not None:
        rule.channels.set(channels)
    if _asked(rule) != asked or was_on != rule.enabled:
        rule.states.all().delete()
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
    names = (
        *("name", "description", "type", "severity", "enabled", "instance_id", "team_id", "conditions", "cooldown_s"),
        *("clear_threshold", "match_count", "match_window", "keep_firing_s", "no_data", "labels"),
    )
    channels = list(rule.channels.order_by("pk").values_list("pk", flat=True))
    return {name: getattr(rule, name) for name in names} | {"channels": channels}


def _resolve_open(rule: Rule) -> None:
    for alert in rule.alerts.open().select_related("instance", "monitor", "rule"):
        resolve(alert=alert, now=timezone.now(), text="The rule was switched off")


def built(
    *, type: str, conditions_: Any, instance_id: str | None, team_id: str | None, actor: Principal, **fields: Any
) -> Rule:
    """A rule that is not stored, with everything checked but its channels. Raises as `create_rule`."""
    rule = Rule(type=type, created_by=actor.user, **fields)
    rule.conditions = conditions.checked(type, conditions_)
    _take_scope(rule, instance_id=instance_id, team_id=team_id, actor=actor)
    refining.check(rule)
    return rule


def _asked(rule: Rule) -> tuple[Any, ...]:
    """What the rule asks of whom: memories of another question mean nothing."""
    return (rule.type, rule.conditions, rule.instance_id, rule.team_id, rule.match_count, rule.match_window)


def _take_scope(rule: Rule, *, instance_id: str | None, team_id: str | None, actor: Principal) -> None:
    """One instance, a team's or all; whoever sets it needs the rights of an operator there."""
    rule.instance = rule.team = None
    if instance_id is not None:
        rule.instance = get_visible(instance_id=instance_id, principal=actor)
    if team_id is not None:
        rule.team = Team.objects.filter(pk=team_id).first() if actor.sees_all or team_id in actor.teams else None
        if rule.team is None:
            raise NotFound(f"Team '{team_id}' not found")
    require(actor, OPERATOR, team_id=rule.owner_team_id)


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
        team_id=rule.owner_team_id,
        request=request,
        **more,
    )

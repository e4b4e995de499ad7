"""Summary, trends and breakdown. Every figure is a sum of the ledger, rounded once when it is written down."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from costs.ledger import queries
from costs.ledger.models import Subject
from costs.ledger.queries import Amount, Days, Scope
from costs.money import percent, wire
from security.accounts.models import Team

NO_TEAM = "No team"
NOT_SET = "not set"  # the value of a label, or the region, of what has none


def figures(amount: Amount, *, llm: bool = True) -> dict[str, float]:
    """The sums of the contract: total and parts in USD."""
    parts = {
        "totalUsd": wire(amount.total),
        "computeUsd": wire(amount.compute),
        "storageUsd": wire(amount.storage),
        "networkUsd": wire(amount.network),
    }
    return parts | ({"llmUsd": wire(amount.llm)} if llm else {})


def by_instance(days: Days, scope: Scope) -> list[dict[str, Any]]:
    """What each instance cost, the dearest first; under its newest name."""
    totals: dict[str, int] = defaultdict(int)
    names: dict[str, str] = {}
    for instance_id, name, total in queries.subject_totals(days, scope):  # the newest subject comes last
        totals[instance_id] += total
        names[instance_id] = name
    ordered = sorted(totals, key=lambda one: (-totals[one], one))
    return [{"instanceId": one, "instanceName": names[one], "totalUsd": wire(totals[one])} for one in ordered]


def by_team(days: Days, scope: Scope) -> list[dict[str, Any]]:
    """What each team's instances cost and their share of it all, the dearest first."""
    found = queries.totals_by("team_id", days, scope)
    names = team_names(found)
    whole = sum(amount.total for amount in found.values())
    return [
        {
            "team": names[team_id],
            "teamId": team_id,
            "totalUsd": wire(amount.total),
            "percentage": percent(amount.total, whole),
        }
        for team_id, amount in found.items()
    ]


def team_names(ids: Iterable[str | None]) -> dict[str | None, str]:
    """The names of teams; of one that has gone, the last that the ledger knows."""
    wanted = [one for one in ids if one is not None]
    names: dict[str | None, str] = dict.fromkeys(wanted, "A team that has gone")
    known = Subject.objects.filter(team_id__in=wanted).order_by("pk").values_list("team_id", "team_name").distinct()
    names |= {team_id: name for team_id, name in known if name}
    return names | dict(Team.objects.filter(pk__in=wanted).values_list("pk", "name")) | {None: NO_TEAM}


def change_percent(now: Amount, before: Amount) -> float | None:
    """How much more than in the period before, in percent; None when nothing was spent then."""
    return percent(now.total - before.total, before.total) if before.total else None


@dataclass(frozen=True)
class Group:
    """Whatever a breakdown puts together. `key` is null for what has no such property."""

    key: str | None
    name: str
    subject: Subject | None
    instances: int
    amount: Amount


def breakdown(days: Days, scope: Scope, *, by: str) -> list[Group]:
    """Costs by `instance`, `provider`, `region`, `team` or `label:<name>`, the dearest first."""
    groups: dict[str | None, list[tuple[Subject, Amount]]] = defaultdict(list)
    for subject, amount in queries.by_subject(days, scope):
        groups[_key_of(by)(subject)].append((subject, amount))
    names = team_names(groups) if by == "team" else {}
    found = []
    for key, members in groups.items():
        newest = max((subject for subject, _ in members), key=lambda subject: subject.pk)
        found.append(
            Group(
                key=key,
                name=newest.instance_name if by == "instance" else names.get(key) or key or NOT_SET,
                subject=newest if by == "instance" else None,
                instances=len({subject.instance_id for subject, _ in members}),
                amount=sum((amount for _, amount in members), Amount()),
            )
        )
    return sorted(found, key=lambda group: (-group.amount.total, group.key or ""))


def _key_of(by: str) -> Callable[[Subject], str | None]:
    kind, _, label = by.partition(":")
    if kind == "label":
        return lambda subject: subject.labels.get(label)
    field = {"instance": "instance_id", "team": "team_id"}.get(kind, kind)
    return lambda subject: getattr(subject, field)

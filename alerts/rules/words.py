"""How rules read: the names of metrics, operators and facts, and a condition as a sentence."""

from typing import Any

from alerts.rules.models import Rule, RuleType
from config import formats

PERCENT, LOAD = ("cpu_percent", "mem_percent", "disk_percent"), ("load_avg_1", "load_avg_5")
RATES = ("net_bytes_recv", "net_bytes_sent")
METRIC_WORDS = {
    "cpu_percent": "CPU",
    "mem_percent": "Memory",
    "disk_percent": "Disk",
    "load_avg_1": "Load (1 min)",
    "load_avg_5": "Load (5 min)",
    "net_bytes_recv": "Network received",
    "net_bytes_sent": "Network sent",
}
OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
OPERATOR_WORDS = {"gt": "above", "gte": "at or above", "lt": "below", "lte": "at or below"}
EVENT_WORDS = {
    "heartbeat_lost": "Heartbeat lost",
    "unresponsive": "Unresponsive",
    "status_changed": "Status changed",
    "deploy_failed": "Deployment failed",
}
CHECK_WORDS = {
    "cve_detected": "Known vulnerability",
    "secret_expired": "Secret expired or due",
    "unauthorized_access": "Refused authentications",
}
PERIOD_WORDS = {"daily": "today", "weekly": "this week", "monthly": "this month"}


def with_unit(metric: str, value: float) -> str:
    """`94.2 %` for percentages, `3.5` for load averages, `1.2 MiB/s` for rates."""
    if metric in RATES:
        return formats.with_unit(value, "B/s")
    text = formats.significant(value)
    return f"{text} %" if metric in PERCENT else text


def usd(value: float) -> str:
    return f"{value:,.2f} USD"


def sentence(type: str, conditions: dict[str, Any]) -> str:
    """The condition in words: `CPU above 90 % for 5 min`."""
    match type:
        case RuleType.THRESHOLD:
            metric = conditions["metric"]
            limit = with_unit(metric, conditions["threshold"])
            text = f"{METRIC_WORDS[metric]} {OPERATOR_WORDS[conditions['operator']]} {limit}"
            held_s = conditions.get("duration_sec")
            return f"{text} for {formats.duration(held_s)}" if held_s else text
        case RuleType.ANOMALY:
            window = formats.duration(conditions["window_sec"])
            percent = formats.percent(conditions["deviation_percent"])
            return f"{METRIC_WORDS[conditions['metric']]} {percent} or more off its mean of {window}"
        case RuleType.SECURITY:
            return _security(conditions)
        case RuleType.COST:
            share, budget = formats.percent(conditions["threshold_percent"]), usd(conditions["budget_usd"])
            return f"Cost {PERIOD_WORDS[conditions['period']]} at or above {share} of {budget}"
    return _lifecycle(conditions)


def _security(conditions: dict[str, Any]) -> str:
    match conditions["check"]:
        case "cve_detected":
            return f"An open vulnerability of severity {conditions['severity_threshold'].lower()} or worse"
        case "secret_expired":
            return "A secret has expired or its rotation is overdue"
        case _:
            return "5 or more refused authentications within 10 min"


def _lifecycle(conditions: dict[str, Any]) -> str:
    match conditions["event"]:
        case "heartbeat_lost":
            return f"No heartbeat for {formats.duration(conditions['timeout_sec'])}"
        case "status_changed":
            return f"Status becomes {' or '.join(conditions['target_statuses']).lower()}"
        case "deploy_failed":
            return "The newest deployment failed within 24 h"
        case _:
            return "Status is error or unknown"


def value(rule: Rule, found: float | None) -> str:
    """What a rule looks at, with its unit; empty when it looks at no figure."""
    if found is None:
        return ""
    if "metric" in rule.conditions:
        return with_unit(rule.conditions["metric"], found)
    if rule.conditions.get("event") == "heartbeat_lost":
        return f"silent for {formats.duration(int(found))}"
    return usd(found) if rule.type == RuleType.COST else formats.number(found)


def refinements(rule: Rule) -> list[str]:
    """What the rule adds to its condition, each as a sentence; empty for a plain rule."""
    said = []
    if rule.match_window > 1:
        what = "samples" if rule.type in (RuleType.THRESHOLD, RuleType.ANOMALY) else "looks"
        said.append(f"It must be true in {rule.match_count} of the last {rule.match_window} {what}.")
    if rule.clear_threshold is not None:
        said.append(f"It ends only {_clear(rule)}.")
    if rule.keep_firing_s:
        said.append(f"It stays open for {formats.duration(rule.keep_firing_s)} after the condition is over.")
    if rule.no_data == "alert":
        said.append("Missing data counts as true.")
    elif rule.no_data == "ignore":
        said.append("Missing data ends what is open.")
    return said


def _clear(rule: Rule) -> str:
    if rule.type == RuleType.ANOMALY:
        return f"below a deviation of {formats.percent(rule.clear_threshold)}"
    below = rule.conditions["operator"] in ("gt", "gte")
    limit = with_unit(rule.conditions["metric"], rule.clear_threshold or 0)
    return f"{'at or below' if below else 'at or above'} {limit}"

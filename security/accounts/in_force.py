"""What the environment has decided: how long things are kept, and the rules of security. Nothing here changes them."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from config.env.retention import Retention
from security.accounts.models import User
from security.accounts.passwords import API_LEAST, LEAST

SECOND_FACTOR = {"none": "nobody", "admins": "administrators", "all": "everybody"}


@dataclass(frozen=True)
class Rule:
    """One rule in words, its value, and the variable that sets it ("" where nothing does)."""

    label: str
    value: str
    variable: str = ""


def kept() -> list[Rule]:
    """What is kept how long, in the order of the configuration page."""
    rules = []
    for name, days in settings.KEEP_DAYS.items():
        field = f"keep_{name}_days"
        about = Retention.model_fields[field].description or name
        label = about.removeprefix("days that ").removesuffix(" are kept")
        rules.append(Rule(label[:1].upper() + label[1:], _days(days), f"PHAROS_{field.upper()}"))
    return [
        *rules,
        Rule("Load test runs", f"{_days(settings.LOAD_KEEP_DAYS)} after they ended", "PHAROS_LOAD_KEEP_DAYS"),
        Rule("Load test runs, the newest of", f"{settings.LOAD_KEEP_RUNS:,}", "PHAROS_LOAD_KEEP_RUNS"),
        Rule("Untouched replay sessions", f"{settings.REPLAY_EXPIRE_HOURS} hours", "PHAROS_REPLAY_EXPIRE_HOURS"),
        Rule("Sign-ins that stay", f"{_days(settings.SESSION_COOKIE_AGE // 86_400)} after the last visit"),
    ]


def policy() -> dict[str, list[Rule]]:
    """The rules of security by subject."""
    return {"People": _people(), "Keys and roles": _rights(), "The edge": _edge(), "What runs here": _running()}


def _people() -> list[Rule]:
    people = User.objects.filter(kind=User.Kind.PERSON, is_active=True)
    counts = people.aggregate(
        all=Count("pk"), protected=Count("pk", filter=Q(code_generator__confirmed_at__isnull=False))
    )
    locked = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    required = SECOND_FACTOR[settings.REQUIRE_SECOND_FACTOR]
    return [
        Rule("Second factor is required of", required, "PHAROS_REQUIRE_SECOND_FACTOR"),
        Rule("People with a second factor", f"{counts['protected']} of {counts['all']}"),
        Rule("Passwords", f"at least {LEAST} characters ({API_LEAST} by the API), none that everybody uses"),
        Rule("Sign-in pauses", f"{locked} minutes after {settings.AXES_FAILURE_LIMIT} failures"),
        Rule("A sign-in ends", f"{_days(settings.SESSION_COOKIE_AGE // 86_400)} after the last visit"),
    ]


def _rights() -> list[Rule]:
    return [
        Rule("Strict roles", _switch(settings.STRICT_ROLES), "PHAROS_STRICT_ROLES"),
        Rule("Shared key of agents", "set" if settings.AGENT_KEY else "not set", "PHAROS_AGENT_KEY"),
        Rule("Shared token of replay", "set" if settings.REPLAY_API_TOKEN else "not set", "PHAROS_REPLAY_API_TOKEN"),
        Rule(
            "Load testing without a key from", _words(settings.LOADTEST_ANONYMOUS_FROM),
            "PHAROS_LOADTEST_ANONYMOUS_FROM",
        ),
        Rule("Reads a minute and caller", _limit(settings.RATE_READS), "PHAROS_RATE_READS"),
        Rule("Writes a minute and caller", _limit(settings.RATE_WRITES), "PHAROS_RATE_WRITES"),
    ]  # fmt: skip


def _edge() -> list[Rule]:
    return [
        Rule("HTTPS: secure cookies, HSTS", _switch(settings.SESSION_COOKIE_SECURE), "PHAROS_HTTPS"),
        Rule("Proxies that are believed", _words(settings.TRUSTED_PROXIES), "PHAROS_TRUSTED_PROXIES"),
        Rule("Pages of other sites that may call", _words(settings.CORS_ALLOWED_ORIGINS), "PHAROS_CORS_ORIGINS"),
        Rule("Private networks that calls reach", _words(settings.OUTBOUND_ALLOW), "PHAROS_OUTBOUND_ALLOW"),
        Rule("Networks that monitors never reach", _words(settings.MONITOR_TARGET_DENY), "PHAROS_MONITOR_TARGET_DENY"),
    ]  # fmt: skip


def _running() -> list[Rule]:
    return [
        Rule(
            "Remote commands that need approval", _words(settings.COMMANDS_NEED_APPROVAL),
            "PHAROS_COMMANDS_NEED_APPROVAL",
        ),
        Rule("Terminals are recorded", _switch(settings.TERMINAL_RECORDING), "PHAROS_TERMINAL_RECORDING"),
        Rule(
            "Monitor tools that run any code", _switch(settings.MONITOR_ALLOW_UNSANDBOXED),
            "PHAROS_MONITOR_ALLOW_UNSANDBOXED",
        ),
    ]  # fmt: skip


def _days(days: int) -> str:
    return f"{days:,} day{'' if days == 1 else 's'}"


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _limit(number: int) -> str:
    return f"{number:,}" if number else "no limit"


def _words(words: Any) -> str:
    return ", ".join(map(str, words)) or "none"

"""Matchers: `severity = CRITICAL`, `instance =~ web-.*`. All of a list must hold; a missing label is an empty text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from alerts.labels.patterns import BadPattern, compiled
from config.api.fields import Body

OPS = ("=", "!=", "=~", "!~")
MOST = 20
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/@-]{0,79}")
LINE = re.compile(r"\s*([^\s=!~]+)\s*(=~|!~|!=|=)\s*(.*?)\s*")


class MatcherField(Body):
    """One matcher as an API takes it: `{label, op, value}`."""

    label = serializers.CharField(max_length=80)  # type: ignore[assignment]  # the name of a label, not of the field
    op = serializers.ChoiceField(choices=OPS, default="=")
    value = serializers.CharField(max_length=300, allow_blank=True)

    def validate_label(self, value: str) -> str:
        if not NAME.fullmatch(value):
            raise serializers.ValidationError("A label's name is letters, digits and _ . : / @ -.")
        return value

    def validate(self, data: dict[str, str]) -> dict[str, str]:
        """Each has all three parts, also where only some fields of the whole are changed."""
        data.setdefault("op", "=")
        if missing := {name: ["This field is required."] for name in ("label", "value") if name not in data}:
            raise serializers.ValidationError(missing)
        if data["op"] in ("=~", "!~"):
            try:
                compiled(data["value"])
            except BadPattern as error:
                raise serializers.ValidationError({"value": [str(error)]}) from None
        return data


class MatchersField(serializers.ListSerializer):
    """A bounded list of matchers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=MatcherField(), max_length=MOST, **kwargs)


def matches(matchers: Iterable[Mapping[str, str]], labels: Mapping[str, str]) -> bool:
    """Whether every matcher holds for the labels."""
    return all(_holds(one, labels.get(one["label"], "")) for one in matchers)


def _holds(matcher: Mapping[str, str], value: str) -> bool:
    wanted, op = matcher["value"], matcher["op"]
    if op in ("=", "!="):
        return (value == wanted) is (op == "=")
    return bool(compiled(wanted).fullmatch(value)) is (op == "=~")


def in_words(matchers: Iterable[Mapping[str, str]]) -> str:
    """`severity = CRITICAL, instance =~ web-.*`; "every alert" for none."""
    return ", ".join(f"{one['label']} {one['op']} {one['value'] or '(nothing)'}" for one in matchers) or "every alert"


def to_lines(matchers: Iterable[Mapping[str, str]]) -> str:
    """One matcher a line, as forms show them."""
    return "\n".join(f"{one['label']} {one['op']} {one['value']}" for one in matchers)


def from_lines(text: str) -> list[dict[str, Any]]:
    """What was typed, one matcher a line. Raises ValueError naming the line that is none."""
    found = []
    for line in filter(str.strip, text.splitlines()):
        parts = LINE.fullmatch(line)
        if parts is None:
            raise ValueError(f"“{line.strip()[:60]}” is not of the form: label = value.")
        found.append(dict(zip(("label", "op", "value"), parts.groups(), strict=True)))
    return found

"""Values on the wire (contracts: fleet console §1.5, monitors §1)."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models
from rest_framework import serializers


def milliseconds(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds and `Z`."""
    if moment is None:
        return None
    moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"  # without +00:00


def seconds(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, whole seconds and `Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def money(amount: Decimal | float | None) -> float | None:
    """USD rounded half away from zero to cents."""
    if amount is None:
        return None
    return float(Decimal(str(amount)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def camel(name: str) -> str:
    """`last_seen_at` → `lastSeenAt`."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


class MillisecondsField(serializers.DateTimeField):
    def to_representation(self, value: Any) -> str | None:
        return milliseconds(value)


class MomentField(MillisecondsField):
    """A moment in a body that can be shown in every time zone: at either end of the calendar some have no day."""

    def enforce_timezone(self, value: datetime) -> datetime:
        value = super().enforce_timezone(value)
        if not 2 <= value.year <= 9998:
            raise serializers.ValidationError("This must lie between the years 2 and 9998.")
        return value


class SecondsField(serializers.DateTimeField):
    def to_representation(self, value: Any) -> str | None:
        return seconds(value)


class CamelSerializer(serializers.Serializer):
    """Fields are declared in snake_case and travel in camelCase, in answers, in requests and in error details."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = {}
        for name, field in super().get_fields().items():
            wire = camel(name)
            if wire != name and field.source is None:
                field.source = name
            fields[wire] = field
        return fields


class Body(serializers.Serializer):
    """A JSON body whose members have the types they should: a number is no text, a text no number, 1 is not true."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            faults = {name: _mistyped(field, data[name]) for name, field in self.fields.items() if name in data}
            if wrong := {name: fault for name, fault in faults.items() if fault}:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


_JSON_TYPES: tuple[tuple[type[serializers.Field], tuple[type, ...], str], ...] = (
    (serializers.BooleanField, (bool,), "true or false"),
    (serializers.IntegerField, (int, float), "a whole number"),
    (serializers.FloatField, (int, float), "a number"),
    (serializers.CharField, (str,), "text"),
)


def _mistyped(field: serializers.Field, value: Any) -> list[str] | dict[Any, Any]:
    """What is wrong with the type of a value, or of the items in it; empty if nothing is.

    Null and nested objects have their own checks.
    """
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(field, serializers.ListField | serializers.DictField) and isinstance(value, dict):
        faults = {name: _mistyped(field.child, item) for name, item in value.items()}
        return {name: fault for name, fault in faults.items() if fault}
    for kind, types, words in _JSON_TYPES:
        if isinstance(field, kind):
            fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
            return [] if fits or value is None else [f"This must be {words}."]
    return []


class FleetSerializer(CamelSerializer, serializers.ModelSerializer):
    """A model of the fleet console: camelCase, times with milliseconds."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.DateTimeField: MillisecondsField
    }


class MonitorsSerializer(CamelSerializer, serializers.ModelSerializer):
    """A model of the monitors API: camelCase, times in whole seconds."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.DateTimeField: SecondsField
    }

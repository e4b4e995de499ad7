"""What a price table must look like. Every fault is told, with its place."""

from datetime import date
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from config.api.envelopes import flatten
from config.api.errors import Invalid
from costs.pricing.tables import HOURS_A_MONTH, prices

PROVIDERS = ("fly", "docker", "digitalocean", "e2b", "kubernetes", "runpod", "northflank", "aws", "gcp", "azure")
DEAREST_HOUR = Decimal(1000)  # the largest machines on offer cost a few hundred
MOST_SIZES, MOST_REGIONS = 2000, 200
FITTING = (Decimal("0.5"), Decimal("1.1"))  # a month's price against that of 730 hours

REGION = serializers.CharField(max_length=64)


def _price(highest: Decimal, **more: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=14, decimal_places=6, min_value=Decimal(0), max_value=highest, **more)


def _size(highest: int, **more: Any) -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=12, decimal_places=4, min_value=Decimal(0), max_value=Decimal(highest), **more
    )


class SizeSerializer(serializers.Serializer):
    id = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=128)
    category = serializers.ChoiceField(["cpu", "gpu"], default="cpu")
    vcpus = _size(4096)
    memory_gb = _size(65_536)
    storage_gb = _size(1_000_000, default=Decimal(0))
    gpu_name = serializers.CharField(max_length=64, required=False)
    gpu_count = serializers.IntegerField(min_value=1, max_value=64, required=False)
    gpu_memory_gb = _size(4096, required=False)
    price_per_hour = _price(DEAREST_HOUR, required=False)
    price_per_month = _price(DEAREST_HOUR * HOURS_A_MONTH, required=False)
    price_source = serializers.ChoiceField(["static", "formula", "none"], default="static")
    estimate = serializers.BooleanField(default=False)
    regions = serializers.ListField(child=serializers.CharField(max_length=64), required=False, max_length=MOST_REGIONS)
    regional = serializers.DictField(child=_price(DEAREST_HOUR), required=False)

    def validate_regional(self, prices: dict[str, Decimal]) -> dict[str, Decimal]:
        if len(prices) > MOST_REGIONS:
            raise serializers.ValidationError(f"Give at most {MOST_REGIONS} regions.")
        for region in prices:
            REGION.run_validation(region)
        return prices

    def validate(self, size: dict[str, Any]) -> dict[str, Any]:
        hour, month = size.get("price_per_hour"), size.get("price_per_month")
        if hour is None and month is None:
            raise serializers.ValidationError({"price_per_month": ["Give the price of an hour or of a month."]})
        hour, month = prices(hour, month)
        if size["price_source"] == "none":
            if hour or month:
                raise serializers.ValidationError({"price_source": ["none means that there is no price."]})
        elif hour and not FITTING[0] <= month / (hour * HOURS_A_MONTH) <= FITTING[1]:
            sentence = f"{month} USD a month does not fit {hour} USD an hour ({HOURS_A_MONTH} hours a month)."
            raise serializers.ValidationError({"price_per_month": [sentence]})
        elif month and not hour:
            raise serializers.ValidationError({"price_per_hour": ["It is 0, and the month is not."]})
        return size


class StorageSerializer(serializers.Serializer):
    gb_per_month = _price(Decimal(100))
    estimate = serializers.BooleanField(default=False)


class NetworkSerializer(serializers.Serializer):
    egress_gb_free = _size(10_000_000)
    egress_gb_price = _price(Decimal(100))
    estimate = serializers.BooleanField(default=False)


class TableSerializer(serializers.Serializer):
    provider = serializers.ChoiceField(PROVIDERS)
    name = serializers.CharField(max_length=64)
    currency = serializers.ChoiceField(["USD"], error_messages={"invalid_choice": "Prices are in USD only."})
    valid_from = serializers.DateField()
    source = serializers.CharField(max_length=512)  # type: ignore[assignment]
    as_of = serializers.DateField()
    base_region = serializers.CharField(max_length=64, required=False, allow_null=True)
    notes = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    sizes = SizeSerializer(many=True, allow_empty=False)
    storage = StorageSerializer()
    network = NetworkSerializer()

    def validate_valid_from(self, day: date) -> date:
        if not 2000 <= day.year <= 2200:
            raise serializers.ValidationError("Give a day from the year 2000 to 2200.")
        return day

    def validate_sizes(self, sizes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(sizes) > MOST_SIZES:
            raise serializers.ValidationError(f"Give at most {MOST_SIZES} sizes.")
        ids = [size["id"] for size in sizes]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise serializers.ValidationError(f"These sizes are there twice: {', '.join(twice[:10])}.")
        return sizes

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and (unknown := sorted(set(map(str, data)) - set(self.fields))):
            raise serializers.ValidationError({name[:64]: ["There is no such member."] for name in unknown[:10]})
        return super().to_internal_value(data)


def read_document(document: Any) -> dict[str, Any]:
    """The checked values of a table. Raises Invalid with all faults by place (`sizes.2.price_per_month`)."""
    table = TableSerializer(data=document)
    if not table.is_valid():
        raise Invalid("This is no usable price table", details=flatten(table.errors))
    return dict(table.validated_data)

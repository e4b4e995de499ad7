"""Fields that configurations of channels are made of."""

from typing import Any

from rest_framework import serializers

from config import outbound


def address(value: str) -> None:
    """Refuse a URL that may not be called; a name in it is judged again at each delivery."""
    try:
        outbound.check_url(value)
    except outbound.OutboundError as error:
        raise serializers.ValidationError(str(error)) from None


class Text(serializers.CharField):
    """A string; unlike DRF's field it takes no number for one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

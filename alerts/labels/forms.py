"""The field in which a form takes matchers: one a line."""

from typing import Any

from django import forms

from alerts.labels.matchers import MatchersField as Body
from alerts.labels.matchers import from_lines, to_lines


class MatchersField(forms.CharField):
    """`severity = CRITICAL`, one matcher a line; a list of matchers once clean."""

    def __init__(self, **kwargs: Any) -> None:
        rows = forms.Textarea({"rows": 5, "class": "code", "spellcheck": "false"})
        words = (
            "One a line; all must hold. Like severity = CRITICAL, instance =~ web-.*, tag.env != test. "
            "Labels: alertname, severity, source, type, instance, monitor, team, provider, region, tag.<name>."
        )
        super().__init__(max_length=8000, widget=rows, help_text=words, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return to_lines(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[dict[str, str]]:
        try:
            found = from_lines(super().clean(value))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        body = Body(data=found)
        if not body.is_valid():
            raise forms.ValidationError([_first(fault) for fault in body.errors if fault])
        return [dict(one) for one in body.validated_data]


def _first(fault: Any) -> str:
    while not isinstance(fault, str):
        fault = next(iter(fault.values())) if isinstance(fault, dict) else fault[0]
    return fault

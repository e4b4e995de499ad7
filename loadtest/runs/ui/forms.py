"""The form of a load: how much, for how long, and what must hold."""

import re
from typing import Any

from django import forms

from config.api.errors import ApiError
from loadtest.engine.plan import Mode

MODES = {
    Mode.CONSTANT_CONCURRENCY: (
        "Constant concurrency",
        "So many requests are in flight at all times, as fast as they end.",
    ),
    Mode.CONSTANT_RPS: ("Constant rate", "So many requests start each second, however slow the target gets."),
    Mode.RAMP_UP: ("Ramp", "The number in flight grows from the start to the end of the ramp, then stays."),
    Mode.ITERATIONS: ("Number of requests", "Exactly so many requests are sent, then the run ends."),
}
# Fields of the form by their names in the API (contract: load testing §10.1, §16.4).
PACE = {
    "duration": "duration",
    "targetRps": "rate",
    "maxInFlight": "max_in_flight",
    "concurrency": "concurrency",
    "startConcurrency": "start_concurrency",
    "rampUpDuration": "ramp",
    "iterations": "iterations",
    "success_sample_rate": "sample_every",
    "slow_threshold_ms": "slow_ms",
}
USED = {
    Mode.CONSTANT_CONCURRENCY: ("concurrency", "duration"),
    Mode.CONSTANT_RPS: ("targetRps", "maxInFlight", "duration"),
    Mode.RAMP_UP: ("startConcurrency", "concurrency", "rampUpDuration", "duration"),
    Mode.ITERATIONS: ("iterations", "concurrency"),
}
LIMITS = {
    "latencyP50Ms": ("limit_p50", "Half of the requests within, ms"),
    "latencyP95Ms": ("limit_p95", "95 % of the requests within, ms"),
    "latencyP99Ms": ("limit_p99", "99 % of the requests within, ms"),
    "maxErrorRatePct": ("limit_errors", "Errors at most, %"),
    "minThroughputRps": ("limit_rate", "Answers per second at least"),
}
DURATION = "Such as 30s, 2m or 1h."


class LoadForm(forms.Form):
    """Types only; the rules are those of the API, applied by the view."""

    mode = forms.ChoiceField(choices=[(mode.value, words[0]) for mode, words in MODES.items()])
    rate = forms.FloatField(required=False, label="Requests per second", initial=50)
    concurrency = forms.IntegerField(required=False, label="In flight", initial=10)
    start_concurrency = forms.IntegerField(required=False, label="In flight at the start", initial=1)
    ramp = forms.CharField(required=False, label="Length of the ramp", initial="10s", max_length=64, help_text=DURATION)
    duration = forms.CharField(required=False, initial="30s", max_length=64, help_text=DURATION)
    iterations = forms.IntegerField(required=False, label="Requests in all", initial=1000)
    max_in_flight = forms.IntegerField(
        required=False,
        label="Most in flight",
        help_text="A request that is due while so many are unanswered is dropped. Empty: ten seconds' worth.",
    )
    limit_p50 = forms.FloatField(required=False, label=LIMITS["latencyP50Ms"][1])
    limit_p95 = forms.FloatField(required=False, label=LIMITS["latencyP95Ms"][1])
    limit_p99 = forms.FloatField(required=False, label=LIMITS["latencyP99Ms"][1])
    limit_errors = forms.FloatField(required=False, label=LIMITS["maxErrorRatePct"][1])
    limit_rate = forms.FloatField(required=False, label=LIMITS["minThroughputRps"][1])
    comment = forms.CharField(required=False, max_length=1000, help_text="Is shown with the run.")
    tests = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 5, "class": "code", "spellcheck": "false"}),
        help_text="JavaScript with pm. Runs after the load, over answers that were kept.",
    )
    sample_every = forms.IntegerField(required=False, label="Keep one answer in", initial=100)
    slow_ms = forms.IntegerField(required=False, label="Slow from, ms", initial=1000, help_text="0 counts none.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "any"

    def part(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names]

    @property
    def pace(self) -> list[tuple[forms.BoundField, str]]:
        """The fields of the pace, each with the modes that use it."""
        return [
            (self[PACE[wire]], " ".join(mode for mode, used in USED.items() if wire in used)) for wire in list(PACE)[:7]
        ]

    @property
    def limits(self) -> list[forms.BoundField]:
        return self.part(*(name for name, _ in LIMITS.values()))

    def wire(self) -> dict[str, Any]:
        """What was typed, as fields of POST /run; what the mode does not use is left out."""
        typed = self.cleaned_data
        used = (*USED[Mode(typed["mode"])], "success_sample_rate", "slow_threshold_ms")
        sent = {wire: typed[PACE[wire]] for wire in used if typed[PACE[wire]] not in (None, "")}
        limits = {wire: typed[name] for wire, (name, _) in LIMITS.items() if typed[name] is not None}
        texts = {name: typed[name] for name in ("comment", "tests") if typed[name].strip()}
        return {"mode": typed["mode"], **sent, **texts, **({"thresholds": limits} if limits else {})}

    def show_fault(self, error: ApiError) -> None:
        """Put what the API's rules refused at the field that they name."""
        for wire in re.findall(r"'?(?:thresholds\.)?(\w+)'?", error.message):
            name = PACE.get(wire) or LIMITS.get(wire, ("",))[0] or wire
            if name in self.fields:
                self.add_error(name, error.message)
                return
        self.add_error(None, error.message)


def initial_of(config: dict[str, Any]) -> dict[str, Any]:
    """The form of a run that is started again, from the body that started it."""
    shown = {name: config[wire] for wire, name in PACE.items() if config.get(wire) is not None}
    limits = config.get("thresholds") or {}
    shown |= {name: limits[wire] for wire, (name, _) in LIMITS.items() if limits.get(wire) is not None}
    shown |= {name: config[name] for name in ("mode", "comment", "tests") if config.get(name)}
    return {
        name: int(value) if isinstance(value, float) and value == int(value) else value for name, value in shown.items()
    }

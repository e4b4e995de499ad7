"""The form of a monitor: what a person types, to and from the shape of the API."""

import base64
from typing import Any

from django import forms

from monitors.monitors import parameters
from monitors.monitors.api.fields import METHODS
from monitors.monitors.models import Monitor, Tool
from monitors.runs.judge import HIGHEST

PRESETS = [
    ("* * * * *", "every minute"),
    ("*/5 * * * *", "every 5 minutes"),
    ("*/15 * * * *", "every 15 minutes"),
    ("0 * * * *", "every hour"),
    ("*/10 8-17 * * 1-5", "every 10 minutes in working hours"),
    ("0 6 * * *", "every day at 06:00"),
    ("0 6 * * 1", "every Monday at 06:00"),
]
LIMITS = {
    "latency_ms": ("latencyMs", "Slowest 95 % within, ms", "The 95th percentile of the request times."),
    "error_rate_percent": ("errorRatePercent", "Failed requests at most, %", ""),
    "apdex_min": ("apdexMin", "Apdex at least", "From 0 to 1; 1 means that everybody was served quickly."),
    "apdex_t_ms": ("apdexTMs", "Apdex: quick means within, ms", "500 when empty."),
    "p50_ms": ("p50Ms", "Half within, ms", ""),
    "p99_ms": ("p99Ms", "99 % within, ms", ""),
    "avg_ms": ("avgMs", "Mean at most, ms", ""),
    "throughput_min": ("throughputMin", "Requests per second at least", ""),
}
# Where the API's names and those of the form differ.
FIELDS = {
    "timezone": "time_zone",
    "timeoutSeconds": "timeout_s",
    "alertAfter": "alert_after",
    "recoverAfter": "recover_after",
    "scriptContent": "script",
    "request": "url",
    "request.timeoutMs": "timeout_ms",
    "request.expect.status": "expect_status",
    "request.expect.bodyContains": "expect_body",
    **{f"thresholds.{wire}": name for name, (wire, _, _) in LIMITS.items()},
}


def area(rows: int, **attributes: str) -> forms.Textarea:
    return forms.Textarea({"rows": rows, "class": "code", "spellcheck": "false", "autocomplete": "off", **attributes})


class MonitorForm(forms.Form):
    """Fields of both tools; `tool` drops those of the other. Rules are those of the API, applied by the view."""

    name = forms.CharField(max_length=200)
    url = forms.CharField(
        label="Address", max_length=8000, help_text="Starts with http:// or https://. ${NAME} stands for a parameter."
    )
    method = forms.ChoiceField(choices=[(one, one) for one in METHODS], initial="GET")
    headers = forms.CharField(required=False, widget=area(2), help_text="One a line, as Name: value.")
    body = forms.CharField(required=False, widget=area(3), strip=False)
    samples = forms.IntegerField(
        min_value=1, max_value=100, initial=5, label="Requests per run", help_text="From 1 to 100."
    )
    concurrency = forms.IntegerField(
        min_value=1, max_value=20, initial=1, label="At the same time", help_text="From 1 to 20."
    )
    timeout_ms = forms.IntegerField(
        min_value=1, max_value=120_000, initial=10_000, label="Longest wait for one request, ms"
    )
    expect_status = forms.CharField(
        required=False,
        label="Expected status",
        help_text="Numbers or classes such as 2xx, with commas between. 200 to 399 when empty.",
    )
    expect_body = forms.CharField(required=False, label="Text that the answer must contain", strip=False)
    follow_redirects = forms.BooleanField(required=False, initial=True)
    verify_tls = forms.BooleanField(required=False, initial=True, label="Check the certificate")
    script = forms.CharField(
        required=False,
        widget=area(16, wrap="off"),
        strip=False,
        help_text="A k6 script in JavaScript. Parameters are in __ENV.",
    )
    script_file = forms.FileField(required=False, label="Or a file", help_text="Takes the place of the text above.")
    schedule = forms.CharField(
        max_length=200,
        initial="*/5 * * * *",
        help_text="Five fields: minute, hour, day, month, weekday. Pick one from the list or write your own.",
    )
    time_zone = forms.CharField(initial="UTC", help_text="In which the schedule is read, such as Europe/Oslo.")
    timeout_s = forms.IntegerField(
        required=False,
        min_value=5,
        max_value=3600,
        label="Longest time of a run, s",
        help_text="Empty: five minutes, or the shortest gap of the schedule.",
    )
    parameters = forms.CharField(
        required=False,
        widget=area(3),
        help_text="One a line, as NAME=value. Names with PASS, SECRET, TOKEN, KEY or CRED are kept encrypted.",
    )
    alert_after = forms.IntegerField(
        min_value=1, max_value=20, initial=1, label="Alert after this many bad runs in a row"
    )
    recover_after = forms.IntegerField(
        min_value=1, max_value=20, initial=1, label="Recovered after this many good runs in a row"
    )
    tags = forms.CharField(required=False, max_length=1000, help_text="With commas between.")
    enabled = forms.BooleanField(
        required=False, initial=True, label="On", help_text="A paused monitor keeps its runs and can be run by hand."
    )

    HTTP_ONLY = (
        *("url", "method", "headers", "body", "samples", "concurrency", "timeout_ms"),
        *("expect_status", "expect_body", "follow_redirects", "verify_tls"),
    )
    K6_ONLY = ("script", "script_file")

    def __init__(self, *args: Any, tool: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tool = tool
        for name in self.K6_ONLY if tool == Tool.HTTP else self.HTTP_ONLY:
            del self.fields[name]
        if "script" in self.fields:  # unless a file takes its place
            self.fields["script"].required = "script_file" not in self.files
        for name, (wire, label, help_text) in LIMITS.items():
            highest = HIGHEST[wire]
            field = forms.FloatField(required=False, min_value=0, max_value=highest, label=label, help_text=help_text)
            field.widget.attrs["step"] = "any"
            self.fields[name] = field
        self.fields["schedule"].widget.attrs |= {
            "list": "schedule-presets",
            "autocomplete": "off",
            "spellcheck": "false",
        }
        self.fields["time_zone"].widget.attrs |= {"list": "time-zones", "autocomplete": "off"}

    def part(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under their headings."""
        what = ("Script", self.part(*self.K6_ONLY)) if self.tool == Tool.K6 else ("Request", self.part(*self.HTTP_ONLY))
        return [
            ("Name", self.part("name", "tags")),
            what,
            ("Schedule", self.part("schedule", "time_zone", "timeout_s", "enabled")),
            ("Limits", self.part(*LIMITS)),
            ("Parameters", self.part("parameters")),
            ("Alerts", self.part("alert_after", "recover_after")),
        ]

    def wire(self, current: Monitor | None = None) -> dict[str, Any]:
        """What was typed as a body of the API; against `current` what is gone is removed. Adds errors of its own."""
        typed = self.cleaned_data
        sent: dict[str, Any] = {
            "name": typed["name"],
            "schedule": typed["schedule"],
            "timezone": typed["time_zone"],
            "enabled": typed["enabled"],
            "alertAfter": typed["alert_after"],
            "recoverAfter": typed["recover_after"],
            "tags": [tag.strip() for tag in typed["tags"].split(",") if tag.strip()],
            "thresholds": _kept(
                {wire: typed[name] for name, (wire, _, _) in LIMITS.items()}, current and current.thresholds
            ),
            "parameters": _kept(self._pairs("parameters", "="), current and current.parameters),
        }
        if typed["timeout_s"] is not None:
            sent["timeoutSeconds"] = typed["timeout_s"]
        return sent | (self._script(current) if self.tool == Tool.K6 else {"request": self._request(current)})

    def _request(self, current: Monitor | None) -> dict[str, Any]:
        typed = self.cleaned_data
        words = [word.strip() for word in typed["expect_status"].split(",") if word.strip()]
        expect = {
            "status": [int(word) if word.isdigit() else word for word in words] or None,
            "bodyContains": typed["expect_body"] or None,
        }
        before = (current and current.request) or {}
        expect = {**(before.get("expect") or {}), **expect}
        asked = {
            "url": typed["url"],
            "method": typed["method"],
            "headers": self._pairs("headers", ":") or None,
            "body": typed["body"] or None,
            "samples": typed["samples"],
            "concurrency": typed["concurrency"],
            "timeoutMs": typed["timeout_ms"],
            "followRedirects": typed["follow_redirects"],
            "verifyTls": typed["verify_tls"],
            "expect": {name: value for name, value in expect.items() if value is not None} or None,
        }
        return _kept(asked, before)

    def _script(self, current: Monitor | None) -> dict[str, Any]:
        if file := self.cleaned_data["script_file"]:
            return {"script": file}
        text = self.cleaned_data["script"].replace("\r\n", "\n")
        if current and current.script and text == current.script.body:
            return {}
        return {"scriptContent": base64.b64encode(text.encode()).decode()}

    def _pairs(self, field: str, sign: str) -> dict[str, str]:
        """Lines of `name<sign>value` as a mapping; a line of another form is an error of the field."""
        pairs = {}
        for number, line in enumerate(self.cleaned_data[field].splitlines(), start=1):
            name, found, value = line.partition(sign)
            if line.strip() and not found:
                self.add_error(field, f"Line {number} has no {sign} in it.")
            elif line.strip():
                pairs[name.strip()] = value.strip() if sign == ":" else value
        return pairs

    def show_faults(self, details: dict[str, list[str]]) -> None:
        """Put what the API's rules refused at the fields."""
        for wire, texts in details.items():
            head, _, last = wire.rpartition(".")
            name = FIELDS.get(wire) or (last if head == "request" else wire.split(".")[0])
            name = name if name in self.fields else FIELDS.get(name, name)
            said = [f"{last}: {text}" for text in texts] if head in ("parameters", "request.headers") else texts
            self.add_error(name if name in self.fields else None, said)


def initial_of(monitor: Monitor) -> dict[str, Any]:
    """A stored monitor as the form shows it; secrets as their mask."""
    asked, expect = monitor.request or {}, (monitor.request or {}).get("expect") or {}
    shown = {name: getattr(monitor, name) for name in ("name", "schedule", "time_zone", "timeout_s", "enabled")}
    shown |= {
        "alert_after": monitor.alert_after,
        "recover_after": monitor.recover_after,
        "tags": ", ".join(monitor.tags),
    }
    shown |= {name: monitor.thresholds.get(wire) for name, (wire, _, _) in LIMITS.items()}
    shown["parameters"] = "\n".join(f"{name}={text}" for name, text in parameters.masked(monitor.parameters).items())
    script = monitor.script
    shown["script"] = script.body if script else ""
    plain = {"url": "url", "method": "method", "body": "body", "samples": "samples", "concurrency": "concurrency"}
    plain |= {"timeout_ms": "timeoutMs", "follow_redirects": "followRedirects", "verify_tls": "verifyTls"}
    shown |= {name: asked[wire] for name, wire in plain.items() if wire in asked}
    shown["headers"] = "\n".join(f"{name}: {text}" for name, text in (asked.get("headers") or {}).items())
    shown["expect_status"] = ", ".join(map(str, expect.get("status") or []))
    shown["expect_body"] = expect.get("bodyContains", "")
    return shown


def _kept(now: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """What is there now, with None for what was there before and is gone (a change removes it)."""
    present = {name: value for name, value in now.items() if value is not None}
    return present | dict.fromkeys(set(before or {}) - set(present))

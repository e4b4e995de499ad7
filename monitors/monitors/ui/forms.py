"""The form of a monitor: the fields of all tools, under their headings. `wire.py` has its way to and from the API."""

from typing import Any

from django import forms

from monitors.agents.models import DEFAULT, Agent
from monitors.monitors.api.fields import METHODS
from monitors.monitors.models import Tool
from monitors.runs.judge import HIGHEST
from monitors.tools.registry import TOOLS
from security.vault import references

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


def area(rows: int, **attributes: str) -> forms.Textarea:
    return forms.Textarea({"rows": rows, "class": "code", "spellcheck": "false", "autocomplete": "off", **attributes})


class MonitorForm(forms.Form):
    """Fields of every tool; `tool` drops those of the others. Rules are those of the API, applied by the view."""

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
        widget=area(18, wrap="off", **{"data-editor": ""}),
        strip=False,
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
    agent_id = forms.ChoiceField(
        required=False, label="Runs on", help_text="The agent that makes the runs, at its place."
    )
    alert_after = forms.IntegerField(
        min_value=1, max_value=20, initial=1, label="Alert after this many bad runs in a row"
    )
    recover_after = forms.IntegerField(
        min_value=1, max_value=20, initial=1, label="Recovered after this many good runs in a row"
    )
    reminder_minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_080,
        label="Remind every so many minutes",
        help_text="While an alert is open and nobody has acknowledged it. Empty: no reminders.",
    )
    tags = forms.CharField(required=False, max_length=1000, help_text="With commas between.")
    enabled = forms.BooleanField(
        required=False, initial=True, label="On", help_text="A paused monitor keeps its runs and can be run by hand."
    )

    HTTP_ONLY = (
        *("url", "method", "headers", "body", "samples", "concurrency", "timeout_ms"),
        *("expect_status", "expect_body", "follow_redirects", "verify_tls"),
    )
    SCRIPT_ONLY = ("script", "script_file")

    def __init__(self, *args: Any, tool: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tool = tool
        for name in self.SCRIPT_ONLY if tool == Tool.HTTP else self.HTTP_ONLY:
            del self.fields[name]
        if "script" in self.fields:  # unless a file takes its place
            self.fields["script"].required = "script_file" not in self.files
            self.fields["script"].help_text = TOOLS[tool].about_script or ""
        self.fields["agent_id"].choices = agents()
        self.fields["parameters"].help_text += references.help_text(references.Use.MONITORS)
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
        is_http = self.tool == Tool.HTTP
        what = ("Request", self.part(*self.HTTP_ONLY)) if is_http else ("Script", self.part(*self.SCRIPT_ONLY))
        return [
            ("Name", self.part("name", "tags")),
            what,
            ("Schedule", self.part("schedule", "time_zone", "agent_id", "timeout_s", "enabled")),
            ("Limits", self.part(*LIMITS)),
            ("Parameters", self.part("parameters")),
            ("Alerts", self.part("alert_after", "recover_after", "reminder_minutes")),
        ]


def agents() -> list[tuple[str, str]]:
    """Who can make runs: the platform's own workers first, then the other agents by name and place."""
    others = Agent.objects.current().exclude(pk=DEFAULT).order_by("name", "pk")
    names = [(one.pk, f"{one.name}, {one.location}" if one.location else one.name) for one in others]
    return [(DEFAULT, "Platform workers"), *names]

"""The form of a new command. Its rules are those of the API."""

import shlex
from typing import Any

from django import forms

from config.api.errors import ApiError
from config.api.fields import camel
from fleet.commands import bodies
from fleet.commands.bodies import MOST_SCRIPT
from fleet.commands.specs import INTERPRETER, MOST_TIMEOUT_MS, SCRIPT_TIMEOUT_MS, TIMEOUT_MS, Spec

FIELDS = {"args": "command", "timeoutMs": "timeout_s", "workingDir": "working_dir"}


class CommandForm(forms.Form):
    """A command on one or more instances; with `of_script` a script instead."""

    targets = forms.CharField(
        max_length=8000, widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}), label="Where",
        help_text="Names of instances with commas between, or a label such as role=web.",
    )  # fmt: skip
    command = forms.CharField(
        max_length=8192, strip=True, widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text="A program and its arguments, as in df -h /srv. There is no shell: pipes need a script.",
    )  # fmt: skip
    script = forms.CharField(
        max_length=MOST_SCRIPT, strip=False, widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        help_text="It is read by the interpreter from its standard input.",
    )  # fmt: skip
    interpreter = forms.CharField(max_length=128, initial=INTERPRETER)
    working_dir = forms.CharField(
        max_length=512, required=False, label="Directory", help_text="Empty: the home of the agent's user."
    )
    env = forms.CharField(
        max_length=20_000, required=False, strip=False, label="Environment",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="One NAME=value a line. Values under names such as API_TOKEN are masked wherever they are shown.",
    )  # fmt: skip
    timeout_s = forms.IntegerField(
        min_value=1, max_value=MOST_TIMEOUT_MS // 1000, label="Time limit, seconds",
        help_text="Then the command is stopped, with all that it has started.",
    )  # fmt: skip

    def __init__(self, *args: Any, of_script: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.of_script = of_script
        for name in ("command", "working_dir", "env") if of_script else ("script", "interpreter"):
            del self.fields[name]
        self.fields["timeout_s"].initial = (SCRIPT_TIMEOUT_MS if of_script else TIMEOUT_MS) // 1000

    def spec(self) -> Spec | None:
        """What is to run; None when a rule is broken, which is then told at its field."""
        given = self.cleaned_data
        if self.of_script:
            return self._checked(
                lambda: Spec.of_script(
                    given["script"].replace("\r\n", "\n"), given["interpreter"], given["timeout_s"] * 1000
                )
            )
        try:
            command, *args = shlex.split(given["command"])
        except ValueError:
            self.add_error("command", "A quotation mark is not closed.")
            return None
        body = bodies.Asked(
            data={
                "command": command, "args": args, "env": self._pairs(given["env"]),
                "workingDir": given["working_dir"] or None, "timeoutMs": given["timeout_s"] * 1000,
            }
        )  # fmt: skip
        if not body.is_valid():
            for name, texts in body.errors.items():
                field = FIELDS.get(name, name)
                self.add_error(field if field in self.fields else None, f"{camel(name)}: {texts}"[:300])
            return None
        return self._checked(body.spec)

    def _checked(self, make: Any) -> Spec | None:
        try:
            spec = make()
            spec.check()
        except ApiError as error:
            self.add_error(None, error.message)
            return None
        return spec

    @staticmethod
    def _pairs(text: str) -> dict[str, str]:
        """Lines without a "=" keep their text as the name, which the rules then refuse or take as empty."""
        lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
        return {name.strip(): value for name, _, value in (line.partition("=") for line in lines)}

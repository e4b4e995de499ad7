"""One form for each driver: what it acts on, and how."""

import shlex
from typing import Any

from django import forms

from fleet.providers.drivers import DRIVERS

NO_DRIVER = "Pharos only notes what people decide; the machine stays as it is."
ABOUT = {
    "none": NO_DRIVER,
    "agent": "The agent on the machine stops and starts a service, and makes backups of folders.",
    "docker": "Stops, starts and removes a container; a backup holds its volumes, or all its files without any.",
    "ssh": "Runs commands on the machine, one for each action. An action without a command is not offered.",
    "digitalocean": "Shuts a droplet down, switches it on, deletes it, and makes snapshots as backups.",
    "sindri-cli": "Calls the sindri program of this server to stop, start and destroy.",
}


class Words(forms.CharField):
    """A command as a list of words, written as for a shell that only knows quotes."""

    def to_python(self, value: Any) -> Any:
        try:
            return shlex.split(super().to_python(value))
        except ValueError:
            raise forms.ValidationError("A quote is not closed.") from None

    def prepare_value(self, value: Any) -> Any:
        return shlex.join(value) if isinstance(value, list) else value


class Lines(forms.CharField):
    """A list, one line each."""

    widget = forms.Textarea(attrs={"rows": 4, "class": "mono"})

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in super().to_python(value).splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class BindingForm(forms.Form):
    """`target` and the options of a driver; `options()` gives them as it wants them."""

    def options(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "target" and value}


class AgentForm(BindingForm):
    unit = forms.CharField(required=False, label="Service", help_text="A systemd unit, such as app.service.")
    paths = Lines(required=False, label="Folders to back up", help_text="Absolute paths, one a line.")
    to = forms.CharField(
        required=False,
        label="Place for backups",
        help_text="A folder on that machine, or a URL that takes the file by PUT.",
    )


class SshForm(BindingForm):
    suspend = Words(required=False, label="Command to stop", help_text="Such as: systemctl stop app")
    resume = Words(required=False, label="Command to start")
    destroy = Words(required=False, label="Command to remove")
    backup = Words(
        required=False, label="Command to back up", help_text="What it writes to its standard output is the archive."
    )


FORMS: dict[str, type[BindingForm]] = {"agent": AgentForm, "ssh": SshForm}


def form_for(driver: str, *args: Any, **more: Any) -> BindingForm:
    """The form of a driver, with a field for the target if it takes one."""
    form = FORMS.get(driver, BindingForm)(*args, **more)
    if label := DRIVERS[driver].target_label:
        form.fields["target"] = forms.CharField(
            max_length=256, required=driver != "docker", label="Target", help_text=f"The {label}."
        )
        form.order_fields(["target"])
    return form

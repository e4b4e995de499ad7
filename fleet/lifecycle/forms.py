"""Forms of actions on instances."""

from typing import Any

from django import forms

from fleet.lifecycle.models import Compression


class BackupForm(forms.Form):
    label = forms.CharField(max_length=128, required=False, help_text="Empty: a name with the time.")
    compression = forms.ChoiceField(choices=Compression.choices, initial=Compression.GZIP)


class ManyForm(forms.Form):
    """Destroying many asks for their number to be typed."""

    count = forms.IntegerField(widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}))
    back_up_first = forms.BooleanField(
        required=False, initial=False, help_text="Instances that cannot be backed up are then left alone."
    )

    def __init__(self, *args: Any, count: int, **more: Any) -> None:
        super().__init__(*args, **more)
        self._count = count
        self.fields["count"].label = f"Type {count} to confirm"

    def clean_count(self) -> int:
        if self.cleaned_data["count"] != self._count:
            raise forms.ValidationError(f"Type {self._count} to go on.")
        return self._count


class DestroyForm(forms.Form):
    """The name has to be typed: nobody destroys the wrong machine by a slip."""

    name = forms.CharField(max_length=256, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    back_up_first = forms.BooleanField(required=False, initial=True)

    def __init__(self, *args: Any, name: str, can_back_up: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self._name = name
        self.fields["name"].label = f"Type {name} to confirm"
        if not can_back_up:
            del self.fields["back_up_first"]

    def clean_name(self) -> str:
        if self.cleaned_data["name"] != self._name:
            raise forms.ValidationError(f"Type {self._name} to go on.")
        return self._name

    @property
    def wants_backup(self) -> bool:
        return bool(self.cleaned_data.get("back_up_first"))

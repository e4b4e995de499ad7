"""Which driver acts on an instance, on what, and how. Only administrators write it: agents name no machines here."""

import json
from typing import Any

from django.db import models

from security.vault.crypto import decrypt, encrypt


class Binding(models.Model):
    """An instance's driver. `target` is what the provider calls the machine.

    The options are encrypted: the URL that a backup is sent to may open a store by itself.
    """

    instance = models.OneToOneField(
        "fleet.Instance", primary_key=True, on_delete=models.CASCADE, related_name="binding"
    )
    driver = models.CharField(max_length=16)
    target = models.CharField(max_length=256, blank=True)
    sealed_options = models.TextField(editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.driver} drives {self.instance_id}"

    @property
    def options(self) -> dict[str, Any]:
        return json.loads(decrypt(self.sealed_options, context=self.context))

    @options.setter
    def options(self, options: dict[str, Any]) -> None:
        self.sealed_options = encrypt(json.dumps(options), context=self.context)

    @property
    def context(self) -> str:
        """The place that the options are bound to."""
        return f"fleet.binding:{self.instance_id}"

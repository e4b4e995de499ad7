"""The licence key of this installation (contract: monitors §9)."""

from django.db import models
from django.db.models import Q

ONLY = 1


class Licence(models.Model):
    """One row, with the key encrypted, or empty without one. Who creates what a licence limits locks it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    key = models.TextField(blank=True)
    installed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=ONLY), name="licence_only_one"),)

    def __str__(self) -> str:
        return "the licence"

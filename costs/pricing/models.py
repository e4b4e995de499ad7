"""Price tables that an administrator put in the place of those that ship with the product."""

from django.db import models
from django.utils import timezone

from config.ids import cuid


class PriceList(models.Model):
    """The prices of one provider from the UTC day `valid_from` on. Rows are never changed: a new one replaces them.

    Of several from the same day the highest `version` counts. `document` has the shape of the files in
    `costs/pricing/files`.
    """

    id = models.CharField(primary_key=True, max_length=32, default=cuid, editable=False)
    provider = models.CharField(max_length=16)
    version = models.PositiveIntegerField()
    valid_from = models.DateField()
    document = models.JSONField()
    created_by = models.CharField(max_length=256, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["provider", "version"], name="price_list_version"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="price_list_version_positive"),
        )
        indexes = (models.Index(fields=["provider", "-valid_from", "-version"], name="price_list_valid"),)

    def __str__(self) -> str:
        return f"{self.provider} from {self.valid_from}"

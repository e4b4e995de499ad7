"""Whether demo data is here."""

from django.db import models

ONLY = 1


class DemoData(models.Model):
    """One row while demo data is wanted or here. What belongs to it follows from `seed`: see `names`.

    `lease_until` is held by who makes it; `loaded_at` is null until all of it is there.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    seed = models.PositiveBigIntegerField()
    requested_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    loaded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=ONLY), name="demo_data_once"),)

    def __str__(self) -> str:
        return f"demo data of seed {self.seed}"

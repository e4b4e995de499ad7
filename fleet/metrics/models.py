"""The tables of metrics (contract: fleet console §6, §34.2). They are made by SQL in the migration."""

from django.db import models

from config.timeseries import Table

# What a stored sample has a column for; everything else of a sample goes into `extra`.
REALS = (
    *("cpu_pct", "mem_pct", "disk_pct", "load1", "load5", "load15"),
    *("net_rx_bps", "net_tx_bps", "disk_read_bps", "disk_write_bps"),
)
SIZES = (
    "mem_used",
    "mem_total",
    "mem_cached",
    "swap_used",
    "swap_total",
    "disk_used",
    "disk_total",
    "net_rx",
    "net_tx",
)
EXTRA = ("cpu_steal_pct", "core_count", "net_rx_packets", "net_tx_packets", "process_count")

# What a roll-up keeps of them.
MEAN_AND_MAX = (
    *("cpu_pct", "mem_pct", "mem_used", "disk_pct", "disk_used", "load1", "swap_used"),
    *("net_rx_bps", "net_tx_bps", "disk_read_bps", "disk_write_bps"),
)
MEAN = ("mem_total", "disk_total", "load5", "load15", "net_rx", "net_tx")
LAST = ("net_rx", "net_tx")

SAMPLES = Table(
    "metric_sample",
    {"instance_id": "text", "ts": "time"}  # type: ignore[arg-type]
    | dict.fromkeys(REALS, "real")
    | dict.fromkeys(SIZES, "bigint")
    | {"extra": "json"},
    key=("instance_id", "ts"),
)
ROLLUPS = Table(
    "metric_rollup",
    {"resolution": "smallint", "subject_kind": "smallint", "subject_id": "text", "ts": "time", "n": "integer"}  # type: ignore[arg-type]
    | {f"{name}_avg": "real" if name in REALS else "double" for name in (*MEAN_AND_MAX, *MEAN)}
    | {f"{name}_max": "real" if name in REALS else "bigint" for name in MEAN_AND_MAX}
    | {f"{name}_last": "bigint" for name in LAST},
    key=("resolution", "subject_kind", "subject_id", "ts"),
    split=("resolution", {5: "day", 60: "month", 1440: "month"}),
    required=("n",),
)


class StoredSample(models.Model):
    """The key of a sample; its figures are read through `config.timeseries` (columns of SAMPLES)."""

    pk = models.CompositePrimaryKey("instance_id", "ts")
    instance_id = models.CharField(max_length=32)
    ts = models.DateTimeField()

    class Meta:
        managed = False
        db_table = SAMPLES.name

    def __str__(self) -> str:
        return f"{self.instance_id} {self.ts}"


class Rollup(models.Model):
    """The key of the figures of one subject over one bucket of time (columns of ROLLUPS)."""

    class Resolution(models.IntegerChoices):
        FIVE_MINUTES = 5, "5 minutes"
        HOUR = 60, "1 hour"
        DAY = 1440, "1 day"

    class Subject(models.IntegerChoices):
        INSTANCE = 0, "Instance"
        TEAM = 1, "Team"
        FLEET = 2, "Fleet"

    pk = models.CompositePrimaryKey("resolution", "subject_kind", "subject_id", "ts")
    resolution = models.SmallIntegerField(choices=Resolution)
    subject_kind = models.SmallIntegerField(choices=Subject)
    subject_id = models.CharField(max_length=32, blank=True)
    ts = models.DateTimeField()
    n = models.IntegerField()

    class Meta:
        managed = False
        db_table = ROLLUPS.name

    def __str__(self) -> str:
        return f"{self.get_resolution_display()} {self.subject_id} {self.ts}"


class TouchedBucket(models.Model):
    """A 5-minute bucket with samples that no roll-up has counted yet; written with the samples, gone with the roll-up.

    An empty `instance_id` means all instances: the bucket is of now and everyone reports into it.
    """

    instance_id = models.CharField(max_length=32, blank=True)
    bucket_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "metric_touched"

    def __str__(self) -> str:
        return f"{self.bucket_at} {self.instance_id or 'all'}"

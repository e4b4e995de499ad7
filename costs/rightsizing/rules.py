"""When a smaller size will do: plain rules, no database (contract: fleet console §17)."""

from collections.abc import Sequence
from dataclasses import dataclass

from costs.pricing.tables import Size

FEWEST_SAMPLES, SURE_FROM, MOST_CONFIDENCE = 10, 100, 0.95
CALM_CPU, CALM_MEMORY = 40, 50  # percent; means below these are worth a look
ROOM = 1.3  # memory: the 95th percentile of use and 30 % more
GIB = 1024**3
WORDS = (
    "From 30 days of figures: mean CPU below 40 % and mean memory below 50 %. Advised is the next smaller size whose "
    "memory holds the 95th percentile of use (of the highest of each hour) and 30 % more, if it costs less."
)


@dataclass(frozen=True)
class Use:
    """What an instance used in 30 days: means in percent, how many samples they rest on."""

    samples: int
    cpu: float | None
    memory: float | None

    @property
    def enough(self) -> bool:
        return self.samples >= FEWEST_SAMPLES and self.cpu is not None and self.memory is not None

    @property
    def calm(self) -> bool:
        """Whether a smaller size is worth a look."""
        return self.enough and self.cpu < CALM_CPU and self.memory < CALM_MEMORY

    @property
    def confidence(self) -> float:
        """0 to 0.95, by the number of samples."""
        return min(MOST_CONFIDENCE, self.samples / SURE_FROM)


def needed_gb(p95_bytes: float) -> float:
    """The memory in GiB that a size must have for such use."""
    return ROOM * p95_bytes / GIB


def smaller(current: Size, sizes: Sequence[Size], needed: float, region: str | None) -> Size | None:
    """The next smaller size that has the memory and costs less in the region; None without one.

    Smaller is what has no more memory and no more processors; of several the dearest is the next.
    """
    fitting = [
        size
        for size in sizes
        if size.memory_gb <= current.memory_gb
        and size.vcpus <= current.vcpus
        and size.memory_gb >= needed
        and size.price_source != "none"
        and (region is None or not size.regions or region in size.regions)
        and size.month_in(region) < current.month_in(region)
    ]
    return max(fitting, key=lambda size: (size.month_in(region), size.memory_gb, size.vcpus, size.id), default=None)

"""What the tests of metrics share."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from fleet.metrics import services
from fleet.metrics.recording import record
from fleet.metrics.services import Beat, Sample


@pytest.fixture
def store(db: None) -> Callable[..., None]:
    """`store(instance, {moment: Sample(…)})` commits samples as the writer does; `rolled=True` rolls them up."""

    def put(
        instance: Any, samples: dict[datetime, Sample], *, rolled: bool = False, now: datetime | None = None
    ) -> None:
        record([Beat(instance_id=instance.pk, at=at, sample=one) for at, one in samples.items()], now=now)
        if rolled:
            services.roll_up()

    return put

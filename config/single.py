"""Work that must not pile up: a tick that comes while the last one still runs has nothing to add."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

Given = ParamSpec("Given")


def one_at_a_time(work: Callable[Given, None]) -> Callable[Given, None]:
    """Do nothing while the same work goes on in another thread of this process."""
    going_on = threading.Lock()

    @wraps(work)
    def guarded(*args: Given.args, **kwargs: Given.kwargs) -> None:
        if not going_on.acquire(blocking=False):
            return
        try:
            work(*args, **kwargs)
        finally:
            going_on.release()

    return guarded

"""Blocking calls beside the event loop, in threads that can never hold up a stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run `function(*args)` in a daemon thread and return its result or raise its exception.

    The loop's own executor joins its threads at exit: one hung disk or name look-up would then hold up the
    stop. A daemon thread is left behind instead.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        result, error = None, None
        try:
            result = function(*args)
        except Exception as exc:  # noqa: BLE001 - handed to the waiting task, not swallowed
            error = exc
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:  # the loop has closed: nobody waits any more
            return

    threading.Thread(target=work, name=f"pharos-agent-{function.__name__}", daemon=True).start()
    return await future

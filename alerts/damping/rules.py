"""Flap damping: what comes and goes must stay for a while before it is told. Plain rules, no database.

The first time something goes wrong it is told at once. When it fires again within ten minutes it must first last a
settling time, twice as long with each further time. So a machine that flaps every few seconds is told of once, with
its first end; but when nothing was told for ten minutes, it is told that it still flaps.
"""

from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)
FLAPPING = 2  # times that it fired within the window, before this one, that count as flapping


def hold_until(*, fired_before: int, last_told_at: datetime | None, settle_s: int, now: datetime) -> datetime | None:
    """Until when a fresh alert is held; None when it is told at once.

    `fired_before`: how often the same thing fired within WINDOW before; `settle_s`: seconds for the first repeat, 0
    switches damping off.
    """
    if not fired_before or not settle_s:
        return None
    until = now + min(timedelta(seconds=settle_s) * 2 ** (min(fired_before, 10) - 1), WINDOW)
    if last_told_at is not None:
        until = min(until, last_told_at + WINDOW)
    return until if until > now else None

"""What of a delivery was not taken, and why: told to the sender."""

from collections import Counter

MOST_REASONS = 20
MOST_TOLD = 5
OTHERS = "other reasons"


class Refused:
    """Counts by reason. A million different reasons cost no more than twenty."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()

    def add(self, reason: str, count: int = 1) -> None:
        """`reason` finishes the sentence "3 were refused: …"."""
        if not count:
            return
        known = reason in self._reasons or len(self._reasons) < MOST_REASONS
        self._reasons[reason[:200] if known else OTHERS] += count

    @property
    def total(self) -> int:
        return sum(self._reasons.values())

    @property
    def text(self) -> str:
        """The commonest reasons with their counts: `5: instance 'x' is not known; 2: …`; empty without any."""
        told = [f"{count}: {reason}" for reason, count in self._reasons.most_common(MOST_TOLD)]
        if len(self._reasons) > MOST_TOLD:
            told.append("and more")
        return "; ".join(told)

"""Interleaved rounds, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from benchmarks._engine.generators import Measured

Run = Callable[[], Measured]


@dataclass
class Line:
    """One figure of the summary. `bar` is what it has to reach; `most` turns it into an upper bound."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    most: bool = False

    def __str__(self) -> str:
        text = f"{self.name:<58}{self.value:>9.2f} {self.unit:<10}"
        if self.bar is None:
            return text.rstrip()
        met = self.value <= self.bar if self.most else self.value >= self.bar
        return f"{text}{'at most' if self.most else 'at least'} {self.bar:g}: {'met' if met else 'MISSED'}"


@dataclass
class Case:
    """Rounds in which all generators take turns, so that what disturbs the machine disturbs all of them."""

    name: str
    runs: dict[str, Run]
    rows: dict[str, list[Measured]] = field(default_factory=dict)

    def measure(self, rounds: int) -> None:
        for _ in range(rounds):
            for name, run in self.runs.items():
                self.rows.setdefault(name, []).append(run())
        print(f"\n{self.name}")
        for name, rows in self.rows.items():
            rates = sorted(row.per_s for row in rows)
            cpu = median(row.cpu_per_request_us for row in rows)
            spread = f"{rates[0]:>10,.0f} to {rates[-1]:,.0f}"
            print(f"  {name:<22}{median(rates):>10,.0f}/s {spread:<22}{cpu:>8.1f} CPU µs a request", flush=True)

    def rate(self, ours: str, theirs: str) -> float:
        """The median over the rounds of "ours / theirs in the same round", of requests a second."""
        return median(a.per_s / b.per_s for a, b in self._pairs(ours, theirs))

    def cpu(self, ours: str, theirs: str) -> float:
        """The same of CPU for each request."""
        return median(a.cpu_per_request_us / b.cpu_per_request_us for a, b in self._pairs(ours, theirs))

    def _pairs(self, ours: str, theirs: str) -> list[tuple[Measured, Measured]]:
        return list(zip(self.rows[ours], self.rows[theirs], strict=True))

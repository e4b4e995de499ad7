"""Reading generators that replay a CSV: one entry a column, or rows of logs (contract: signals §8.4)."""

from collections.abc import Callable

import msgspec

from loadtest.signals.generators import specs
from loadtest.signals.scenario import tables
from loadtest.signals.scenario.fields import Fields, scalar_text
from loadtest.signals.scenario.templating import severity

# The text of an uploaded CSV by its name; raises LookupError when there is none.
FileLookup = Callable[[str], str]
MOST_INLINE = 512 << 10  # bytes of `data`
MOST_CELLS = 1_000_000


class Replayed(msgspec.Struct, frozen=True):
    """What one column becomes: its own name and labels, its generator and the rate of its times."""

    name: str | None
    labels: dict[str, str]
    spec: specs.CsvReplay
    rate: float


def metrics(fields: Fields, files: FileLookup) -> list[Replayed]:
    """Each column of a CSV of metrics."""
    found, source = _table(fields, files)
    timescale = fields.number("timescale", 1.0, above=0)
    rate = _rate(fields, source, found, 0, timescale)
    repeat = fields.flag("repeat", True)
    default_name = fields.text("default_metric_name", None)
    columns = _columns(fields, found, source)
    if len(columns) * len(found.rows) > MOST_CELLS:
        raise fields.fault(source, f"has more than {MOST_CELLS} values")
    made = []
    for column in columns:
        values = found.values(column.index)
        if not values:
            raise fields.fault(source, f"has no numbers in column {column.index}")
        spec = specs.CsvReplay(
            file=fields.raw("file"), column=column.index, repeat=repeat, timescale=timescale, values=values
        )
        made.append(Replayed(column.name or default_name, column.labels, spec, rate))
    return made


def _columns(fields: Fields, found: tables.Table, source: str) -> list[tables.Column]:
    chosen = fields.mappings("columns", most=tables.MOST_COLUMNS)
    if fields.has("columns") and not chosen:
        raise fields.fault("columns", "must not be empty")
    if chosen:
        return [
            tables.Column(
                one.integer("index", at_least=1, at_most=tables.MOST_COLUMNS), one.text("name", None), _labels(one)
            )
            for one in chosen
        ]
    try:
        columns = found.columns()
    except ValueError as fault:
        raise fields.fault(source, str(fault)) from None
    if not columns:
        raise fields.fault(source, "has no column after the time")
    return columns


def _labels(fields: Fields) -> dict[str, str]:
    labels = fields.mapping("labels", None)
    made = {name: scalar_text(labels.raw(name)) for name in labels.names()} if labels else {}
    if any(value is None for value in made.values()):
        raise fields.fault("labels", "must map names to texts")
    return made  # type: ignore[return-value]


def logs(fields: Fields, files: FileLookup, rate: float | None) -> tuple[specs.LogReplay, float]:
    """The rows of a CSV of logs, and their rate: that of the times, or the entry's where there are none."""
    found, source = _table(fields, files)
    timescale = fields.number("timescale", 1.0, above=0)
    place = tables.time_column(found)
    if place is not None or rate is None:
        rate = _rate(fields, source, found, place or 0, timescale)
    default = severity(fields, "default_severity", fields.text("default_severity", "info"))
    try:
        rows = tables.log_rows(found, default)
    except ValueError as fault:
        raise fields.fault(source, str(fault)) from None
    if not rows:
        raise fields.fault(source, "has no rows")
    made = [specs.LogRow(severity(fields, source, level), message, within) for level, message, within in rows]
    spec = specs.LogReplay(file=fields.raw("file"), repeat=fields.flag("repeat", True), timescale=timescale, rows=made)
    return spec, rate


def _table(fields: Fields, files: FileLookup) -> tuple[tables.Table, str]:
    """The table, and the name of the field that gave it."""
    if fields.has("file") and fields.has("data"):
        raise fields.fault("data", "excludes 'file'")
    if fields.has("data"):
        source, text = "data", fields.text("data", longest=MOST_INLINE)
        if len(text.encode()) > MOST_INLINE:
            raise fields.fault("data", f"must have at most {MOST_INLINE} bytes")
    else:
        source, name = "file", fields.text("file", longest=255)
        try:
            text = files(name)
        except LookupError:
            raise fields.fault("file", f"names no stored file: {name}") from None
    try:
        return tables.table(text), source
    except ValueError as fault:
        raise fields.fault(source, str(fault)) from None


def _rate(fields: Fields, source: str, found: tables.Table, column: int, timescale: float) -> float:
    per_s = found.ticks_per_s(column)
    if per_s is None:
        raise fields.fault(source, "needs at least two rows with rising times")
    return timescale * per_s

"""`pharos signals`: scenarios without a server, for shells and pipelines."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from loadtest.signals import library
from loadtest.signals.local import run
from loadtest.signals.scenario.entry import Document
from loadtest.signals.scenario.errors import Refused
from loadtest.signals.scenario.parsing import parse
from loadtest.signals.scenario.sinks import Platform

FINE, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
LARGEST_CSV = 64 << 20
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)").fullmatch

EXAMPLES = """\
examples:
  pharos signals library
  pharos signals show cpu_spike > spike.yaml
  pharos signals check spike.yaml
  pharos signals run spike.yaml --stdout --duration 30s
  pharos signals show log_storm | pharos signals run - --stdout | head -5

FILE is YAML, or JSON when its name ends in .json; - reads standard input. CSV files and files that are written lie in
the folder of FILE. Variables of the shell fill in ${NAME}.

exit codes: 0 fine, 1 a sink failed or the file is wrong, 2 wrong use, 130 interrupted
"""


def seconds(text: str) -> float:
    """`300ms`, `30s`, `2m` or `1h`."""
    match = _DURATION(text.strip())
    if match is None or not float(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 500ms, 30s, 2m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="pharos signals",
        description="Make synthetic metrics and logs, without a server.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    running = commands.add_parser("run", help="run a scenario until it ends", allow_abbrev=False)
    running.add_argument("file", metavar="FILE")
    running.add_argument("--stdout", action="store_true", help="write everything to standard output, whatever the sink")
    running.add_argument("--duration", type=seconds, metavar="TIME", help="stop after this time")
    running.add_argument("--quiet", action="store_true", help="no warnings, no figures at the end")
    checking = commands.add_parser("check", help="tell what is wrong with a scenario", allow_abbrev=False)
    checking.add_argument("file", metavar="FILE")
    commands.add_parser("library", help="list the ready scenarios", allow_abbrev=False)
    showing = commands.add_parser("show", help="print a ready scenario", allow_abbrev=False)
    showing.add_argument("name", metavar="NAME")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    options = parser().parse_args(argv)
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "run": _run,
        "check": _check,
        "library": _library,
        "show": _show,
    }
    return commands[options.command](options)


def _run(options: argparse.Namespace) -> int:
    found = _read(options.file)
    if isinstance(found, int):
        return found
    if not options.quiet:
        _warn(found)
    entries = found.entries
    if not options.stdout and any(isinstance(entry.sink, Platform) for entry in entries):
        return _wrong(options.file, "the sink platform needs a server; add --stdout, or start the scenario there")
    with _interruptions() as interrupted:
        ran = run(
            entries,
            sys.stdout.buffer,
            everything=options.stdout,
            folder=_folder(options.file),
            until_s=options.duration,
            should_stop=lambda: bool(interrupted),
        )
    faults = [
        f"{account.name}: {account.total_failures} deliveries failed; the last: {account.last_fault}"
        for _, account in ran
        if account.last_fault
    ]
    if not options.quiet:
        for one, account in ran:
            figures = one.figures
            sys.stderr.write(f"{account.name}: {figures.total_events} events, {figures.bytes_emitted} bytes\n")
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    _leave_standard_output()
    return INTERRUPTED if interrupted else FAILED if faults else FINE


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """Signals that ask for the end, as they come: what was made until then is still flushed."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda received, _: came.append(received))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_standard_output() -> None:
    """A reader that went away is no fault: do not let Python complain about it when it closes the stream."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check(options: argparse.Namespace) -> int:
    found = _read(options.file)
    if isinstance(found, int):
        return found
    _warn(found)
    for entry in found.entries:
        until = f" for {entry.duration_s:g} s" if entry.duration_s else ""
        start = f", starts at {entry.offset_s:g} s" if entry.offset_s else ""
        sys.stdout.write(f"{entry.name}: {entry.signal_type}, {entry.rate:g} a second{until}{start}\n")
    return FINE


def _library(options: argparse.Namespace) -> int:
    for one in library.scenarios():
        sys.stdout.write(f"{one.name:<22}{one.kind:<9}{one.description}\n")
    return FINE


def _show(options: argparse.Namespace) -> int:
    one = library.scenario(options.name)
    if one is None:
        return _wrong("show", f"there is no {options.name!r}; see pharos signals library")
    sys.stdout.write(one.body)
    return FINE


def _read(name: str) -> Document | int:
    """The document of a file, or the exit code after its fault was told as FILE:LINE:COLUMN."""
    try:
        body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        return _wrong(name, error.strerror or str(error))
    kind = "application/json" if name.endswith(".json") else "application/yaml"
    try:
        return parse(body, kind, environment=os.environ, files=lambda csv: _csv(_folder(name), csv))
    except Refused as fault:
        place = "".join(f":{number}" for number in (fault.line, fault.column) if number)
        sys.stderr.write(f"{name}{place}: {fault.message}\n")
        return FAILED


def _folder(name: str) -> Path:
    return Path.cwd() if name == "-" else Path(name).resolve().parent


def _csv(folder: Path, name: str) -> str:
    path = folder / name
    try:
        if path.stat().st_size > LARGEST_CSV:
            raise LookupError(name)
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise LookupError(name) from error


def _warn(document: Document) -> None:
    sys.stderr.writelines(f"warning: {warning}\n" for warning in document.warnings)


def _wrong(what: str, problem: str) -> int:
    sys.stderr.write(f"pharos signals: {what}: {problem}\n")
    return WRONG_USE

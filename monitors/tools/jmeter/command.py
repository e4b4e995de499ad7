"""The command line, properties and environment of JMeter (contract: monitors §8.3)."""

import re
from collections.abc import Mapping
from pathlib import Path

PLAN, RESULT, LOG, PROPERTIES = "plan.jmx", "result.jtl", "jmeter.log", "params.properties"
_SAVED = {
    "output_format": "csv",
    "print_field_names": "true",
    "timestamp_format": "ms",
    "default_delimiter": ",",
    "connect_time": "true",
    "assertion_results_failure_message": "true",
}
_NOT_PLAIN = re.compile(r"[^!-\[\]-~]")  # all but printable ASCII without space and backslash


def command(program: str) -> list[str]:
    """Parameters are not in it: a command line is seen by every user of the machine."""
    return [
        *(program, "-n", "-t", PLAN, "-l", RESULT, "-j", LOG, "-q", PROPERTIES),
        *(f"-Jjmeter.save.saveservice.{name}={value}" for name, value in _SAVED.items()),
        *("-Jjmeterengine.nongui.port=0", "-Jsummariser.name=summary"),
    ]


def properties(parameters: Mapping[str, str]) -> str:
    """Lines of a Java properties file, in which all but plain characters are escaped as UTF-16."""
    return "".join(f"{name}={_NOT_PLAIN.sub(_escaped, value)}\n" for name, value in parameters.items())


def _escaped(match: re.Match[str]) -> str:
    raw = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{raw[at : at + 2].hex()}" for at in range(0, len(raw), 2))


def environment(base: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Memory is bounded here, since Java reserves more addresses than it uses. Nothing is written elsewhere."""
    options = (
        *("-Xms64m", "-Xmx512m", "-Djava.awt.headless=true", "-XX:-UsePerfData"),
        *(f"-Djava.io.tmpdir={folder / 'tmp'}", f"-Duser.home={folder / 'home'}"),
    )
    return {**base, "JVM_ARGS": " ".join(options)}

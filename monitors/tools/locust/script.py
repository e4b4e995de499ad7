"""Whether a text is a Locust file, and whether its parameters fit (contract: monitors §8.4)."""

import ast
import re
from collections.abc import Mapping

from monitors.tools.base import Faults

MOST_USERS = 10_000
LONGEST_S = 3600
_TIME = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s?)?")
_COUNT = re.compile(r"\d{1,6}")
_RATE = re.compile(r"\d{1,6}(\.\d{1,6})?")


def fault_of(text: str) -> str | None:
    """Why this is no Locust file; None when it is Python with a class whose base's name ends in `User`."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return f"The script is not Python: {error.msg} in line {error.lineno}."
    except (RecursionError, MemoryError, ValueError):
        return "The script is not Python that can be read."
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    if not any(_name(base).endswith("User") for one in classes for base in one.bases):
        return "The script has no class whose base's name ends in User, such as HttpUser."
    return None


def _name(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""


def faults_of(parameters: Mapping[str, str]) -> Faults:
    """What is wrong with the parameters that steer Locust."""
    faults: Faults = {}
    users, rate, run_time = (parameters.get(name) for name in ("USERS", "SPAWN_RATE", "RUN_TIME"))
    if users is not None and not (_COUNT.fullmatch(users) and 1 <= int(users) <= MOST_USERS):
        faults["parameters.USERS"] = [f"A number from 1 to {MOST_USERS}."]
    if rate is not None and not (_RATE.fullmatch(rate) and 0 < float(rate) <= MOST_USERS):
        faults["parameters.SPAWN_RATE"] = [f"A number of users per second, above 0, at most {MOST_USERS}."]
    if run_time is not None and not 1 <= (seconds(run_time) or 0) <= LONGEST_S:
        faults["parameters.RUN_TIME"] = ["A time such as 45, 30s, 2m or 1m30s, from one second to one hour."]
    return faults


def seconds(text: str) -> int | None:
    """`1h2m3s` and `45` in seconds; None for what is no time."""
    match = _TIME.fullmatch(text.strip())
    if not match or not text.strip():
        return None
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + rest

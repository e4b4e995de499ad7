"""Whether a text is a browser script, and whether its parameters fit."""

import ast
import re
from collections.abc import Mapping

from monitors.tools.base import Faults

MOST_ITERATIONS = 100
_COUNT = re.compile(r"\d{1,3}")
_FORM = "The script needs a function at its top level: async def run(page, params)."


def fault_of(text: str) -> str | None:
    """Why this is no browser script; None when it is Python with `async def run(page, params)`."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return f"The script is not Python: {error.msg} in line {error.lineno}."
    except (RecursionError, MemoryError, ValueError):
        return "The script is not Python that can be read."
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "run":
            given = node.args.posonlyargs + node.args.args
            return None if len(given) == 2 and not node.args.kwonlyargs else _FORM
    return _FORM


def faults_of(parameters: Mapping[str, str]) -> Faults:
    count = parameters.get("ITERATIONS")
    if count is None or (_COUNT.fullmatch(count) and 1 <= int(count) <= MOST_ITERATIONS):
        return {}
    return {"parameters.ITERATIONS": [f"A number from 1 to {MOST_ITERATIONS}."]}

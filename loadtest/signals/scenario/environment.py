"""`${NAME}` in a body: only variables that the operator lets scenarios see (contract: signals §4.8)."""

import re
from collections.abc import Mapping

from loadtest.signals.scenario.errors import Shapeless

_REFERENCE = re.compile(r"\$\$|\$\{([A-Z_][A-Z0-9_]*)(?::-([^}]*))?\}")


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """The text with its references filled in; raises Shapeless for one without a value and without a default."""

    def value(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        if name is None:
            return "$"
        if (known := environment.get(name, default)) is None:
            line = text.count("\n", 0, found.start()) + 1
            column = found.start() - text.rfind("\n", 0, found.start())
            problem = f"the body refers to ${{{name}}}, which has no value here and no default"
            raise Shapeless(problem, line=line, column=column)
        return known

    return _REFERENCE.sub(value, text)

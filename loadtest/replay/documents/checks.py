"""What is wrong with a document, as `[{"path": "rules[1].when.direction", "message": …}]`; [] when nothing is.

Checking never alters a document: the caller stores what it was given. Each function takes any JSON value. The
published schemas are the only truth: the formats `regex` and `json-path` in them mean what `expressions` can compile.
Messages never repeat a value, which may be a secret.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

import jsonschema_rs

from loadtest.replay.documents.schemas import NAMES, schema
from loadtest.replay.matching import expressions

Fault = dict[str, str]
MOST_FAULTS = 50
MOST_SPANS, MOST_ATTRIBUTES, LONGEST_TEXT = 100, 128, 64 << 10  # advisory, §6.1
COMPILERS: dict[str, Callable[[str], Any]] = {"regex": expressions.pattern, "json-path": expressions.json_path}


def case_faults(document: Any) -> list[Fault]:
    """A case document (§6.1) without its rules; a caller answers 400 `invalid_body`."""
    found = (fault for fault in _faults("case.schema.json", document) if not fault["path"].startswith("rules["))
    return list(islice(found, MOST_FAULTS))


def case_rule_faults(document: Any) -> list[Fault]:
    """The embedded rules of a case; a caller answers 422 `rule_validation_failed`."""
    rules = document.get("rules") if isinstance(document, dict) else None
    return rules_faults({"rules": rules}) if isinstance(rules, list) else []


def rules_faults(document: Any) -> list[Fault]:
    """A rules document (§6.2, §6.3), an object with `rules`; a caller answers 422."""
    return list(islice(_faults("rules.schema.json", document), MOST_FAULTS))


def policy_faults(document: Any) -> list[Fault]:
    """A policy (§6.4); a caller answers 400."""
    return list(islice(_faults("policy.schema.json", document), MOST_FAULTS))


def fixtures_faults(document: Any) -> list[Fault]:
    """A fixtures object (§6.5); a caller answers 400. Values are never part of a message."""
    return list(islice(_faults("fixtures.schema.json", document), MOST_FAULTS))


def warnings(document: dict[str, Any]) -> list[Fault]:
    """Advisory sizes of §6.1 that a valid case passes; it is accepted all the same. At most MOST_FAULTS."""
    return list(islice(_warnings(document), MOST_FAULTS))


@cache
def _validator(name: str) -> Any:
    known = [
        (each, {"$schema": "https://json-schema.org/draft/2020-12/schema", **(schema(each) or {})}) for each in NAMES
    ]
    return jsonschema_rs.Draft202012Validator(
        schema(name) or False,
        formats={format: _accepts(compiler) for format, compiler in COMPILERS.items()},
        validate_formats=True,
        registry=jsonschema_rs.Registry(known),
        mask="value",
        offline=True,
    )


def _accepts(compiler: Callable[[str], Any]) -> Callable[[str], bool]:
    def accepts(text: str) -> bool:
        try:
            compiler(text)
        except ValueError:
            return not text  # which counts as not given
        return True

    return accepts


def _faults(name: str, document: Any) -> Iterator[Fault]:
    try:
        for error in _validator(name).iter_errors(document):
            yield from _told(error)
    except UnicodeEncodeError:
        yield {"path": "", "message": "holds half a character (a lone surrogate)"}


def _told(error: Any) -> Iterator[Fault]:
    """A validation error as faults: unknown and missing keys are named in the path."""
    at, kind = list(error.instance_path), error.kind
    match kind.name:
        case "additionalProperties":
            for key in kind.unexpected:
                yield _fault([*at, key], "unknown key")
        case "required":
            yield _fault([*at, kind.property], "is required")
        case "format":
            yield _fault(at, _why(kind.format, error.instance))
        case "propertyNames":
            for each in _told(kind.error):
                yield _fault(at, f"key: {each['message']}")
        case "enum":
            yield _fault(at, "is none of " + ", ".join(f'"{option}"' for option in kind.options if option))
        case "anyOf":
            yield _fault(at, "holds none of the keys that it may")
        case _:
            yield _fault(at, error.message.removeprefix("value "))


def _fault(path: list[str | int], message: str) -> Fault:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return {"path": text[:300], "message": message[:300]}


def _why(format: str, text: Any) -> str:
    try:
        COMPILERS[format](text)
    except ValueError as error:
        return str(error)
    return f"is no {format}"


def _warnings(document: dict[str, Any]) -> Iterator[Fault]:
    spans = 0
    for n, trace in enumerate(document["traces"]):
        for path, span in _spans(trace):
            spans += 1
            at = f"traces[{n}].{path}"
            if len(span["attributes"]) > MOST_ATTRIBUTES:
                yield {"path": at, "message": f"has more than {MOST_ATTRIBUTES} attributes"}
            longest = max((len(each["value"].get("stringValue", "")) for each in span["attributes"]), default=0)
            if longest > LONGEST_TEXT:
                yield {"path": at, "message": f"has a text of more than {LONGEST_TEXT >> 10} KiB"}
    if spans > MOST_SPANS:
        yield {"path": "traces", "message": f"hold more than {MOST_SPANS} spans"}


def _spans(trace: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for r, resource in enumerate(trace["resourceSpans"]):
        for s, scope in enumerate(resource["scopeSpans"]):
            for i, span in enumerate(scope["spans"]):
                yield f"resourceSpans[{r}].scopeSpans[{s}].spans[{i}]", span

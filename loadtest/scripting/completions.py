"""What an editor offers while a script is written (contract: load testing §15.6).

Made of the table that the prelude makes its assertions of.
"""

from typing import Any

from .prelude import vocabulary

VERSION = "1.0.0"
_KINDS = {"function": 1, "field": 3, "variable": 4, "snippet": 28}  # numbers of the Monaco editor
_SNIPPET_SYNTAX = 4


def completions() -> dict[str, Any]:
    """The whole list: roots, members, words of assertions, snippets."""
    table = vocabulary()
    items = [_member(row) for row in table["members"]]
    items += [
        _word(word, row, "pm.expect(value)") for row in [*table["expect"], *table["flags"]] for word in row["words"]
    ]
    items += [_word(word, row, "pm.response") for row in table["response"] for word in row["words"]]
    items += [_snippet(row) for row in table["snippets"]]
    return {"version": VERSION, "engine": "quickjs", "completions": items}


def _member(row: dict[str, Any]) -> dict[str, Any]:
    label = row["label"]
    return _item(
        label, row["kind"], row.get("insert") or label, row.get("detail", label), row["doc"], _order(label, row)
    )


def _order(label: str, row: dict[str, Any]) -> str:
    return "0_" if "." not in label and row["kind"] == "variable" else "1_"


def _word(word: str, row: dict[str, Any], of: str) -> dict[str, Any]:
    sentence = ".".join(filter(None, ["to", row.get("via"), word]))
    call = row.get("insert", "")
    item = _item(
        f"pm.response.{sentence}" if of == "pm.response" else f"to.{word}",
        "function" if call else "field",
        sentence + call,
        f"{of}.{sentence}",
        row["doc"],
        "2_",
    )
    return item | {"filterText": f".{sentence}"}


def _snippet(row: dict[str, Any]) -> dict[str, Any]:
    return _item(row["label"], "snippet", row["insert"], "Snippet", row["doc"], "3_")


def _item(label: str, kind: str, insert: str, detail: str, doc: str, order: str) -> dict[str, Any]:
    item = {
        "label": label,
        "kind": _KINDS[kind],
        "insertText": insert,
        "detail": detail,
        "documentation": doc,
        "sortText": f"{order}{label}",
    }
    return item | ({"insertTextRules": _SNIPPET_SYNTAX} if "$" in insert else {})

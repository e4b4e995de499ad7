"""Which format a text is in, and its tree (contract: load testing §16.1). Pure."""

from config.api.errors import Invalid
from loadtest.exchange.commands import is_command, read_command
from loadtest.exchange.documents import mapping, read
from loadtest.exchange.insomnia import is_export, read_export
from loadtest.exchange.openapi import is_openapi, read_openapi
from loadtest.exchange.postman import is_collection, is_environment, read_collection, read_environment
from loadtest.exchange.tree import Tree

KNOWN = "a Postman collection or environment, an OpenAPI, Swagger or Insomnia document, or a curl command"


def parse(content: str, *, scripts: bool = True, source_url: str = "") -> Tree:
    """What a text holds. Raises Invalid for a format that is not known or a document that is broken."""
    if not content.strip():
        raise Invalid("The content is empty")
    if is_command(content):
        return read_command(content)
    document = read(content)
    for wrapper in ("collection", "environment"):  # as Postman's own API answers
        if isinstance(document, dict) and len(document) == 1 and wrapper in document:
            document = mapping(document[wrapper])
    if is_collection(document):
        return read_collection(document, scripts=scripts)
    if is_environment(document):
        return read_environment(document)
    if is_export(document):
        return read_export(document)
    if is_openapi(document):
        return read_openapi(document, source_url=source_url)
    raise Invalid(f"The format is not known: this is not {KNOWN}")

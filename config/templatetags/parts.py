"""Small parts of a page: state chips, icons, and the request that does the same through the API."""

import json
import shlex

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.words import Word, word

register = template.Library()


@register.simple_tag
def chip(kind: str, value: object, text: str = "", detail: str = "") -> SafeString:
    """A state as shape, colour and word: `{% chip "instance" instance.status %}`.

    `text` replaces the word ("3 silent"), `detail` follows it ("Silent for 6 min").
    """
    known = word(kind, value)
    words = text or known.text
    if detail:
        words = format_html("{} {}", words, detail)
    return format_html(
        '<span class="chip tone-{}"><span aria-hidden="true">{}</span> {}</span>',
        known.tone,
        known.shape,
        words,
    )


@register.simple_tag
def state_word(kind: str, value: object) -> Word:
    """The word of a value with its `text`, `tone` and `shape`, for a template that draws its own."""
    return word(kind, value)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of vendor/icons.svg. Without `label` it is decoration and the control beside it carries the name."""
    meaning = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon" {} focusable="false"><use href="{}#{}"></use></svg>',
        meaning,
        static("vendor/icons.svg"),
        name,
    )


@register.inclusion_tag("partials/as_api.html", takes_context=True)
def as_api(context: template.Context, method: str, path: str, body: object = None) -> dict:
    """The equivalent request with curl. The key stays a variable; `body` is written as JSON."""
    request = context.get("request")
    address = request.build_absolute_uri(path) if request else path
    parts = [f"curl -X {method}" if method != "GET" else "curl", '-H "Authorization: Bearer $PHAROS_API_KEY"']
    if body is not None:
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(json.dumps(body))}"]
    return {"command": " \\\n  ".join([*parts, shlex.quote(address)])}

"""The tags and filters of the pages. This library is a template builtin, so no page needs `{% load pharos %}`."""

from django import template

from config import formats
from config.templatetags import bars, charts, frame, graphics, parts, tabs, times

register = template.Library()
for module in (bars, charts, frame, graphics, parts, tabs, times):
    register.tags.update(module.register.tags)
    register.filters.update(module.register.filters)

register.filter("number", formats.number)
register.filter("percent", formats.percent)
register.filter("bytes", formats.bytes_size)
register.filter("ms", formats.milliseconds)
register.filter("duration", formats.duration)
register.filter("with_unit", formats.with_unit)

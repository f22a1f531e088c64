"""Filters of the templates: instants and durations in words, state signs, file names of styles."""

import json
import re
from typing import Any, Final

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from coordination.instants import rfc3339
from coordination.lag import words as duration_words
from coordination.visible import visible as visible_text
from dashboard.api import addresses
from dashboard.api.paging import COUNTED
from dashboard.api.signs import Sign, sign_of_state

register = template.Library()
INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")


@register.filter
def words(value: str) -> list[str]:
    """The words of a string, for a loop."""
    return value.split()


@register.simple_tag
def stylesheet(name: str) -> str:
    """The address of one component's style file."""
    return static(f"css/{name}.css")


@register.simple_tag
def address(*parts: str | int) -> str:
    """The path of a page; every part is quoted, also its slashes, or a browser would take an id's dots for folders."""
    return addresses.address(*parts)


@register.filter
def count(number: int) -> str:
    """A count as text; "999+" where counting stopped."""
    return "999+" if number >= COUNTED else str(number)


@register.filter
def instant(at: int | None) -> str:
    """RFC 3339 of microseconds since 1970; empty where unknown."""
    return "" if at is None else rfc3339(at)


@register.filter
def clock(at: int | None) -> SafeString | str:
    """A <time> element that the browser writes in its own zone; `not known` where unknown."""
    if at is None:
        return format_html('<span class="third">{}</span>', "not known")
    text = rfc3339(at)
    return format_html('<time datetime="{}">{}</time>', text, f"{text[:19].replace('T', ' ')} UTC")


@register.filter
def exact(at: int | None) -> SafeString | str:
    """As `clock`, with milliseconds."""
    if at is None:
        return format_html('<span class="third">{}</span>', "not known")
    text = rfc3339(at)
    return format_html('<time datetime="{}" data-decimals="3">{}</time>', text, f"{text[:23].replace('T', ' ')} UTC")


@register.filter
def told(sentence: str) -> SafeString:
    """A sentence in which every RFC 3339 instant is a <time> that the browser writes in its own zone."""
    parts = INSTANT.split(sentence)
    return format_html_join(
        "",
        "{}",
        (
            (format_html('<time datetime="{}">{}</time>', part, part) if place % 2 else part,)
            for place, part in enumerate(parts)
        ),
    )


@register.filter
def visible(text: str) -> str:
    """The text with every hidden character as an escape."""
    return visible_text(text)


@register.filter
def span(microseconds: int | None) -> str:
    """A duration in words, exact to the second."""
    return duration_words(microseconds)


@register.filter
def sign(state: str) -> Sign:
    """The sign (glyph and word) of a task or run state."""
    return sign_of_state(state)


@register.filter
def middle(text: str, length: int = 18) -> str:
    """An id shortened in the middle, so that both its beginning and its end can be compared."""
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


@register.filter
def pretty(value: Any) -> str:
    """JSON to read: two spaces, keys in the order given; text stays text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.inclusion_tag("parts/badge.html")
def badge(shown: Sign, size: str = "") -> dict[str, Any]:
    """The badge of a sign; `size` is empty or `large`."""
    return {"sign": shown, "size": size}


@register.inclusion_tag("parts/glyph.html")
def glyph(name: str, size: int = 16) -> dict[str, Any]:
    """One glyph of the sprite."""
    return {"name": name, "size": size}

"""More than five hundred attack strings, by what they try; made of few parts, so that none is forgotten by hand."""

import itertools
from typing import Final

from tests.hostile import BIDIRECTIONAL, CONTROL, IDS, ODD, SCRIPTS

PRODUCT: Final = (191 * 7919, "191*7919")
"""A page that shows the number has computed it: a template inside the data was run."""
_HANDLERS: Final = ("onerror", "onload", "onmouseover", "onfocus autofocus", "ontoggle", "onpointerenter")
_ELEMENTS: Final = ("img src=x", "svg", "body", "details open", "input", "video src=x", "math", "marquee")
_BREAKS: Final = ("", '">', "'>", "</title>", "</textarea>", "</script>", "-->", "]]>")
XSS: Final = (
    *SCRIPTS,
    *(f"{broken}<{element} {handler}=__ran()>" for broken, element, handler in itertools.islice(
        itertools.product(_BREAKS, _ELEMENTS, _HANDLERS), 0, None, 2)),
    *(f"{scheme}:__ran()" for scheme in ("javascript", "JaVaScRiPt", "java\tscript", "vbscript", "livescript")),
    "data:text/html,<script>__ran()</script>//",
    *(f'" style="background:url({scheme}:__ran())' for scheme in ("javascript", "data")),
)  # fmt: skip
_ENDS: Final = ("\r\n", "\n", "\r", "%0d%0a", "%0a", "\u560a\u560d", "\u2028", "\x0b", "\x00\r\n")
HEADERS: Final = tuple(
    f"{start}{end}{line}"
    for start, end, line in itertools.product(
        ("x", "/runs/"), _ENDS, ("Set-Cookie: owned=1", "Location: //evil.example")
    )
)
_UPS: Final = ("../", "..\\", "%2e%2e%2f", "..%2f", "%252e%252e%252f", "....//", "..;/", "\u2215..", "%c0%ae%c0%ae/")
PATHS: Final = tuple(
    f"{up * depth}{goal}"
    for up, depth, goal in itertools.product(_UPS, (1, 3, 6), ("etc/passwd", "var/decision.key", "manage.py"))
)
_QUOTES: Final = ("'", '"', "`", "')", "1", "\\'", "%27")
_TAILS: Final = (
    *(" OR 1=1--", "; DROP TABLE dashboard_audit;--", " UNION SELECT password FROM auth_user--"),
    *("||pg_sleep(9)--", " AND 1=CAST((SELECT version()) AS int)--", "/**/OR/**/1=1", "::text", "%00"),
)
SQL: Final = tuple(quote + tail for quote, tail in itertools.product(_QUOTES, _TAILS))
_TEMPLATE: Final = ("{{%s}}", "{%% if 1 %%}%s{%% endif %%}", "${%s}", "#{%s}", "<%%= %s %%>", "{{request.user}}%s",
                    "{{settings.SECRET_KEY}}%s", "{%% debug %%}%s", "{%% include 'admin/base.html' %%}%s",
                    "{0.__class__}%s",
                    "%%(%s)s", "{{''.__class__.__mro__}}%s", "{%% load static %%}%s", "@(%s)")  # fmt: skip
TEMPLATES: Final = tuple(f"{before}{form % PRODUCT[1]}" for form in _TEMPLATE for before in ("", "x "))
SPOOFS: Final = tuple(
    before + spoof for spoof, before in itertools.product((*BIDIRECTIONAL, *CONTROL), ("", "approve ", "a\u0300" * 9))
)
LARGE: Final = (
    *("x" * 10_000, "\u202e" * 5_000, "<" * 8_000, "a" * 1_000 + "\n" * 5_000, "\U0001f4a3" * 4_000, "9" * 5_000),
    *(
        "-" + "9" * 400,
        "1e999",
        "0x" + "f" * 900,
        "%" * 9_000,
        "\\" * 9_000,
        "," * 9_000,
        ":" * 9_000,
        "state:" * 2_000,
    ),
)
NESTED: Final = (
    *("[" * 20_000, '{"a":' * 9_000, "[" * 5_000 + "]" * 5_000, '{"a":' * 3_000 + "1" + "}" * 3_000, '"' * 9_001),
    *('{"a":1,"a":2}', '{"__proto__":{"x":1}}', "NaN", "1e400", '{"a":"\\ud800"}', "[1,]", "\ufeff{}", "nul\x00l"),
)
COMMANDS: Final = ("; cat /etc/passwd", "$(id)", "`id`", "| id", "& calc", "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1")
ODDITIES: Final = (*IDS, *ODD)
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "xss": XSS,
    "header": HEADERS,
    "path": PATHS,
    "sql": SQL,
    "template": TEMPLATES,
    "spoof": SPOOFS,
    "large": LARGE,
    "nested": NESTED,
    "command": COMMANDS,
    "odd": ODDITIES,
}
ATTACKS: Final = tuple((kind, text) for kind, texts in KINDS.items() for text in dict.fromkeys(texts))

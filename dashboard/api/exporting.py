"""Any list of the API as a file: `?format=csv` or `?format=json` on the same address, with the same rights.

A file holds the whole list, not one page. Cells that a spreadsheet would take for a formula begin with an apostrophe,
because what agents wrote must not run on the machine of whoever opens it (OWASP, CSV injection).
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse

from dashboard.api.paging import MOST
from dashboard.api.problems import Problem

FORMATS: Final = ("csv", "json")
MOST_ROWS: Final = 50_000
# What rows carry for their drawing alone.
DRAWN: Final = frozenset(("kind", "order", "revision", "bar", "sign", "hold", "chip", "history"))
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def wanted(request: HttpRequest) -> str:
    """The format asked for, empty for a plain answer. Raises Problem 400 for one that is not known."""
    name = request.GET.get("format", "") if request.method == "GET" else ""
    if name and name not in FORMATS:
        raise Problem(400, "bad_format", f"There is no format {name}; there are {' and '.join(FORMATS)}.")
    return name


def exported(request: HttpRequest, form: str, call: Callable[..., Any], given: Mapping[str, Any]) -> HttpResponse:
    """All rows of a list call as a file. Raises Problem 400 where the call gives no list, 422 for too many rows."""
    rows = list(_rows(call, request, dict(given)))
    name = "-".join(part for part in request.path.removeprefix("/api/v1/").split("/") if part)
    content = table(rows) if form == "csv" else msgspec.json.encode(rows)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{file_name(name)}.{form}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8 with a byte order mark so that spreadsheets read it): a column for each field
    that any row has, objects flattened one level, lists as JSON."""
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([cell(row.get(name)) for name in columns] for row in flat)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def cell(value: Any) -> Any:
    """A value as it stands in CSV; text that would be a formula is text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text


def _rows(call: Callable[..., Any], request: HttpRequest, given: dict[str, Any]) -> Iterable[Mapping[str, Any]]:
    if "limit" in given:
        given["limit"] = MOST
    count = 0
    while True:
        page = call(request, **given)
        if not isinstance(page, Mapping) or "items" not in page:
            raise Problem(400, "no_list", "Only lists can be had as a file.")
        for row in page["items"]:
            count += 1
            if count > MOST_ROWS:
                raise Problem(422, "too_many_rows", f"More than {MOST_ROWS:,} rows; narrow the list with query=.")
            yield row
        if not page.get("next") or "cursor" not in given:
            return
        given["cursor"] = page["next"]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name in DRAWN:
            continue
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": one for inner, one in value.items()}
        else:
            found[name] = value
    return found


def file_name(name: str) -> str:
    """A name without what a file system or a header could take amiss."""
    return "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "-_." else "_" for letter in name)[
        :120
    ]

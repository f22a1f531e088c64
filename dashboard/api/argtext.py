"""Arguments as a person typed them: JSON text, read here and not in the browser, so that no digit is lost on the way.

A browser reads 9007199254740993 as ...992 and 1e999 as null; what is approved must be what was typed, or refused.
"""

import json
from typing import Any, NoReturn

from coordination.errors import CoordinationError


class NotArguments(CoordinationError):
    """The text is no JSON value that everybody reads alike; the message says where."""

    code = "invalid_decision"


def read(text: str) -> Any:
    """The value of a JSON text. Raises NotArguments."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise NotArguments(f"The arguments are not JSON: {where}.") from error
    except RecursionError as error:
        raise NotArguments("The arguments are nested too deeply.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotArguments(f"The arguments name {twice!r} twice; which one counts would depend on the reader.")
    return found


def _no_number(name: str) -> NoReturn:
    raise NotArguments(f"The arguments are not JSON: {name} is no number.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotArguments(f"The arguments hold {text}, which no number type can hold. Send large numbers as text.")
    return number

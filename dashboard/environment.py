"""Settings out of the environment: typed readers that collect what is wrong instead of raising.

A wrong setting must never stop the program with a traceback: the reader notes a `Problem`, answers with the
default, and the system checks (`checks.py`) show every problem at once, each with a hint.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

PREFIX: Final = "LINESIDE_"
TRUE: Final = ("1", "true", "yes", "on")
FALSE: Final = ("0", "false", "no", "off", "")


class Problem(NamedTuple):
    """One wrong setting: a stable id such as `lineside.E003`, what is wrong, what to do."""

    id: str
    message: str
    hint: str


class Environment:
    """Reads `LINESIDE_*` variables. `names` are those asked for, `problems` what was wrong with them."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.names: list[str] = []
        self.problems: list[Problem] = []

    def text(self, name: str, default: str = "") -> str:
        """The variable without surrounding blanks; the default if it is missing or empty."""
        self.names.append(PREFIX + name)
        return self._variables.get(PREFIX + name, "").strip() or default

    def flag(self, name: str) -> bool:
        """Whether the variable says yes; missing means no."""
        value = self.text(name).lower()
        if value not in TRUE + FALSE:
            self.wrong("lineside.E001", f"{PREFIX}{name} is neither yes nor no: {value!r}.", "Use 1 or 0.")
        return value in TRUE

    def names_in(self, name: str, default: str) -> list[str]:
        """A list parted by commas, blanks and empty entries dropped."""
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        """An address whose scheme is one of `schemes`."""
        value = self.text(name, default)
        try:
            scheme = urlsplit(value).scheme
        except ValueError:
            scheme = ""
        if scheme in schemes:
            return value
        allowed = ", ".join(f"{known}://" for known in schemes)
        self.wrong("lineside.E002", f"{PREFIX}{name} cannot be used: {value!r}.", f"It must begin with {allowed}.")
        return default

    def wrong(self, problem: str, message: str, hint: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(problem, message, hint))

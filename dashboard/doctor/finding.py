"""What an examination yields."""

from typing import Final, Literal

import msgspec

FINE: Final = "ok"
DOUBT: Final = "doubt"
FAULT: Final = "fault"
State = Literal["ok", "doubt", "fault"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. A `fault` breaks something, a `doubt` may later; `remedy` is what to do."""

    state: State
    about: str
    words: str
    remedy: str = ""

    @property
    def line(self) -> str:
        """The finding in one line."""
        return f"{self.state:<5}  {self.about}: {self.words}" + (f" → {self.remedy}" if self.remedy else "")


def fine(about: str, words: str) -> Finding:
    """All is well with this."""
    return Finding(FINE, about, words)


def doubt(about: str, words: str, remedy: str) -> Finding:
    """It works, but not as it should, or not for ever."""
    return Finding(DOUBT, about, words, remedy)


def fault(about: str, words: str, remedy: str) -> Finding:
    """Something breaks, or is broken."""
    return Finding(FAULT, about, words, remedy)

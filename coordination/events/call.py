"""Data of tool calls and model calls. Arguments and results stay out by default: references and digests."""

from decimal import Decimal
from typing import Any, Final

from coordination.events.shapes import Count, Data, Digest, Failure, Identifier, Money

MICROS: Final = 1_000_000


class Priced(Data, frozen=True, gc=False, kw_only=True):
    """What a call used: tokens as counts, cost as decimal text in `currency`, duration in milliseconds."""

    tokens_in: Count = 0
    tokens_out: Count = 0
    cost: Money = "0"
    currency: str = "USD"
    duration_ms: Count | None = None

    def cost_micros(self) -> int:
        """The cost in millionths of the currency, rounded half to even."""
        return int((Decimal(self.cost) * MICROS).to_integral_value())


class ToolCallRequested(Data, frozen=True, gc=False, kw_only=True):
    """A tool is to be called. `effects`: the call changes something outside the log."""

    tool_call_id: Identifier
    tool_name: Identifier
    tool_type: str = ""
    arguments: Any = None
    arguments_ref: str | None = None
    arguments_sha256: Digest | None = None
    effects: bool = False


class ToolCallStarted(Data, frozen=True, gc=False, kw_only=True):
    """The call is under way."""

    tool_call_id: Identifier
    tool_name: str = ""
    tool_type: str = ""
    arguments_ref: str | None = None
    arguments_sha256: Digest | None = None


class ToolCallCompleted(Priced, frozen=True, gc=False, kw_only=True):
    """The call returned."""

    tool_call_id: Identifier
    tool_name: str = ""
    result: Any = None
    result_ref: str | None = None


class ToolCallFailed(Priced, frozen=True, gc=False, kw_only=True):
    """The call failed."""

    tool_call_id: Identifier
    tool_name: str = ""
    error: Failure | None = None


class ToolCallStopped(Data, frozen=True, gc=False, kw_only=True):
    """The call was canceled, expired, or blocked by policy or by a person: `reason` says why."""

    tool_call_id: Identifier
    tool_name: str = ""
    reason: str = ""


class ModelCallCompleted(Priced, frozen=True, gc=False, kw_only=True):
    """A model answered, or failed where `error` is given."""

    model: Identifier
    provider: str = ""
    prompt_version: str = ""
    model_call_id: str = ""
    finish_reason: str = ""
    error: Failure | None = None

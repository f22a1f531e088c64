"""What the API promises of approvals, decisions and acts; see `shapes`."""

from typing import Any, Literal

from ninja import Field, Schema

from dashboard.api.shapes import Open


class ApprovalShape(Open):
    """One request for approval."""

    approval_id: str
    request_version: int
    content_hash: str
    state: str
    action: dict[str, Any]
    risk: str
    due_at: str | None
    expires_at: str | None
    receipt: dict[str, Any] | None


class ApprovalDetail(ApprovalShape):
    """One request with the votes on it."""

    votes: list[dict[str, Any]]


class ApprovalPage(Schema):
    """Requests for approval."""

    items: list[ApprovalShape]
    next: str | None


class DecisionBody(Schema):
    """What somebody decided, on exactly what they were shown."""

    decision: Literal["approve", "reject", "edit", "respond"]
    request_version: int = Field(ge=1)
    content_hash: str = Field(max_length=128)
    comment: str = Field("", max_length=10_000)
    args: Any = None
    args_json: str = Field("", max_length=1_000_000, description="the arguments as JSON text, read here digit by digit")
    opened_payload: bool = Field(False, description="whether the whole payload was shown before")
    dwell_ms: int | None = Field(None, ge=0, le=10**12, description="milliseconds from opening the page to the click")


class DeferralBody(Schema):
    """Until when a request is put off, and why."""

    until: str = Field(description="RFC 3339 with an offset")
    reason: str = Field("", max_length=500)


class EditBody(Schema):
    """Arguments as somebody types them."""

    args_json: str = Field(max_length=1_000_000)


class EditShape(Schema):
    """What an edit changes, and what is wrong with it."""

    changes: list[dict[str, Any]]
    wrong: str


class ItemBody(Schema):
    """One of several requests, as it was shown."""

    approval_id: str
    request_version: int = Field(ge=1)
    content_hash: str = Field(max_length=128)


class ManyBody(Schema):
    """What is decided about several requests."""

    decision: Literal["approve", "reject"]
    items: list[ItemBody]
    comment: str = Field("", max_length=10_000)
    opened_payload: bool = False
    dwell_ms: int | None = Field(None, ge=0, le=10**12)


class OneAnswered(Schema):
    """What became of one of them: `detail` says it in words."""

    approval_id: str
    outcome: Literal["won", "lost", "changed", "forbidden"]
    detail: str
    receipt: dict[str, Any] | None


class ManyAnswered(Schema):
    """What became of each."""

    items: list[OneAnswered]


class RevokeBody(Schema):
    """Why a decision should not be acted on."""

    reason: str = Field("", max_length=10_000)


class ClaimShape(Schema):
    """Whose claim holds, and until when."""

    approval_id: str
    person: str
    until: str | None


class ActBody(Schema):
    """What is to be done with a task, and why."""

    act: Literal["cancel", "retry", "compensate"]
    reason: str = Field("", max_length=2_000)


class ActShape(Schema):
    """What was asked for; `new_task_id` is the task that redoes it."""

    act: str
    task_id: str
    saved_at: str | None
    new_task_id: str | None
    new_task_url: str | None


class DecisionReceipt(Open):
    """What became of a decision so far."""

    approval_id: str
    saved_at: str | None
    published: dict[str, Any] | None
    applied_at: str | None
    refused: dict[str, Any] | None

"""The errors this library raises: each says what failed and what to do about it."""

from typing import Final


class CoordinationError(Exception):
    """Base of all errors raised here.

    `code` is a stable machine word (for instance `log_unreachable`); the message is a sentence for a person;
    `retryable` tells whether the same call may succeed later without any change.
    """

    code: str = "coordination_error"
    retryable: bool = False

    def __init__(self, message: str, *, code: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class MalformedRecord(CoordinationError):
    """A record that cannot be an event. `stage` is envelope, data or size; `attribute` names the culprit."""

    code = "malformed_record"

    def __init__(self, message: str, *, stage: str, attribute: str = "") -> None:
        super().__init__(message)
        self.stage: Final = stage
        self.attribute: Final = attribute


class LogUnreachable(CoordinationError):
    """The log did not answer in time. Nothing is known about calls that were under way."""

    code = "log_unreachable"
    retryable = True


class LogDenied(CoordinationError):
    """The log answered, and refused: missing right, wrong credentials, forbidden topic."""

    code = "log_denied"


class UnknownTopic(CoordinationError):
    """The topic or the partition does not exist on the log."""

    code = "unknown_topic"


class OffsetOutOfRange(CoordinationError):
    """A reader asked for an offset the log no longer has, or does not have yet: truncated or recreated topic."""

    code = "offset_out_of_range"


class MemberFenced(CoordinationError):
    """This consumer group member or transactional producer was replaced; it must not write any more."""

    code = "member_fenced"


class RecordTooLarge(CoordinationError):
    """A record, its headers or its data are over the limits of the protocol."""

    code = "record_too_large"


class IllegalTransition(CoordinationError):
    """A decision or act that the current state does not allow; the message names both."""

    code = "illegal_transition"

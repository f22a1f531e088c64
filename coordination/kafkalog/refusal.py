"""Kafka's refusals in our words: every error of the client becomes one of the library's own, with what to do."""

from typing import NamedTuple

from coordination import errors as ours
from coordination.errors import CoordinationError
from coordination.kafkalog.client import kafka_errors as kafka


class _Words(NamedTuple):
    kind: type[CoordinationError]
    text: str


_NOT_AUTHORIZED = "the principal has no right to it (ACL); ask the cluster's owner for it"
_GONE = "it does not exist, or the principal may not even describe it"
_REPLACED = "somebody else took its place, or it was silent for too long; open or join anew"

# The first entry an error is an instance of counts.
_WORDS: tuple[tuple[type[Exception], _Words], ...] = (
    (kafka.TopicAuthorizationFailedError, _Words(ours.LogDenied, _NOT_AUTHORIZED)),
    (kafka.GroupAuthorizationFailedError, _Words(ours.LogDenied, _NOT_AUTHORIZED)),
    (kafka.ClusterAuthorizationFailedError, _Words(ours.LogDenied, _NOT_AUTHORIZED)),
    (kafka.TransactionalIdAuthorizationFailed, _Words(ours.LogDenied, _NOT_AUTHORIZED)),
    (kafka.SaslAuthenticationFailed, _Words(ours.LogDenied, "user name or password is wrong")),
    (kafka.UnsupportedSaslMechanismError, _Words(ours.LogDenied, "the broker does not offer this mechanism")),
    (kafka.IllegalSaslStateError, _Words(ours.LogDenied, "this listener does not sign in; see `security`")),
    (kafka.PolicyViolationError, _Words(ours.LogDenied, "a policy of the cluster forbids it")),
    (
        kafka.InvalidSessionTimeoutError,
        _Words(ours.LogDenied, "the session time-out is outside group.min/max.session.timeout.ms of the broker"),
    ),
    (
        kafka.InconsistentGroupProtocolError,
        _Words(ours.LogDenied, "the group has members with another protocol or assignor; use another group name"),
    ),
    (kafka.InvalidGroupIdError, _Words(ours.LogDenied, "the group name is not allowed")),
    (kafka.UnknownTopicOrPartitionError, _Words(ours.UnknownTopic, _GONE)),
    (kafka.InvalidTopicError, _Words(ours.UnknownTopic, "the name is no valid topic name")),
    (kafka.ProducerFenced, _Words(ours.MemberFenced, _REPLACED)),
    (kafka.InvalidProducerEpoch, _Words(ours.MemberFenced, _REPLACED)),
    (kafka.CommitFailedError, _Words(ours.MemberFenced, _REPLACED)),
    (kafka.UnknownMemberIdError, _Words(ours.MemberFenced, _REPLACED)),
    (kafka.IllegalGenerationError, _Words(ours.MemberFenced, _REPLACED)),
    (
        kafka.MessageSizeTooLargeError,
        _Words(ours.RecordTooLarge, "it is over max.message.bytes of the topic; raise that or send less"),
    ),
    (kafka.RecordListTooLargeError, _Words(ours.RecordTooLarge, "it is over segment.bytes of the topic")),
    (kafka.KafkaConnectionError, _Words(ours.LogUnreachable, "no connection")),
    (kafka.NodeNotReadyError, _Words(ours.LogUnreachable, "the broker is not ready")),
    (kafka.StaleMetadata, _Words(ours.LogUnreachable, "the broker in charge is not known at the moment")),
    (TimeoutError, _Words(ours.LogUnreachable, "no answer in time")),
    (OSError, _Words(ours.LogUnreachable, "no connection")),
)


def refusal(error: BaseException, doing: str) -> CoordinationError:
    """The library's error for a client's error met while `doing` (as in "append to topic x")."""
    if isinstance(error, CoordinationError):
        return error
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words.kind(f"Kafka could not {doing}: {words.text} ({_said(error)}).")
    if isinstance(error, kafka.KafkaError) and error.retriable:
        return ours.LogUnreachable(f"Kafka could not {doing} for now ({_said(error)}).")
    return CoordinationError(f"Kafka could not {doing}: {_said(error)}.", code="log_error")


def refused_code(code: int, message: str | None, doing: str) -> CoordinationError:
    """The same for an error code in an answer, with the broker's own message if it sent one."""
    return refusal(kafka.for_code(code)(message) if message else kafka.for_code(code)(), doing)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

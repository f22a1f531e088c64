"""Rules of translating the client's errors."""

import pytest
from aiokafka import errors as kafka

from coordination import errors as ours
from coordination.kafkalog.refusal import refusal, refused_code


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (kafka.TopicAuthorizationFailedError("t"), ours.LogDenied, False),
        (kafka.GroupAuthorizationFailedError("g"), ours.LogDenied, False),
        (kafka.TransactionalIdAuthorizationFailed("x"), ours.LogDenied, False),
        (kafka.SaslAuthenticationFailed(), ours.LogDenied, False),
        (kafka.UnknownTopicOrPartitionError(), ours.UnknownTopic, False),
        (kafka.ProducerFenced(), ours.MemberFenced, False),
        (kafka.CommitFailedError("x"), ours.MemberFenced, False),
        (kafka.MessageSizeTooLargeError(), ours.RecordTooLarge, False),
        (kafka.KafkaConnectionError("refused"), ours.LogUnreachable, True),
        (kafka.NotEnoughReplicasError(), ours.LogUnreachable, True),
        (TimeoutError(), ours.LogUnreachable, True),
        (ConnectionRefusedError(111, "refused"), ours.LogUnreachable, True),
        (kafka.InvalidTxnState(), ours.CoordinationError, False),
    ],
)
def test_every_error_of_the_client_becomes_one_of_ours(
    error: Exception, kind: type[ours.CoordinationError], retryable: bool
) -> None:
    translated = refusal(error, "append to topic x")
    assert type(translated) is kind
    assert translated.retryable is retryable
    assert "append to topic x" in str(translated)
    assert type(error).__name__ in str(translated)


def test_one_of_ours_stays_as_it_is() -> None:
    error = ours.UnknownTopic("no such topic")
    assert refusal(error, "append") is error


def test_a_code_is_translated_with_the_brokers_own_words() -> None:
    translated = refused_code(44, "retention.ms is fixed here", "create topic x")
    assert isinstance(translated, ours.LogDenied)
    assert "retention.ms is fixed here" in str(translated)

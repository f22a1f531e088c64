"""The first contact, with the true cause when it fails.

aiokafka says only "unable to bootstrap", whether the broker is down or the password is wrong. So after a failure
each host is tried once more by hand, and what it says is the error.
"""

import ssl
from typing import Any

from coordination.errors import CoordinationError, LogDenied, LogUnreachable
from coordination.kafkalog.address import KafkaAddress
from coordination.kafkalog.client import collect_hosts, create_conn, kafka_errors
from coordination.kafkalog.wire import ask_metadata


async def bootstrap(client: Any, address: KafkaAddress) -> None:
    """Connect a client of aiokafka. Raises LogDenied for wrong credentials, LogUnreachable for all else."""
    try:
        await client.bootstrap()
    except kafka_errors.KafkaConnectionError as error:
        raise await diagnosis(address) from error
    except kafka_errors.IncompatibleBrokerVersion as error:
        raise CoordinationError(f"The broker at {address} is too old: {error}.", code="log_error") from error


async def diagnosis(address: KafkaAddress) -> CoordinationError:
    """Why no host of the address takes us: a refusal counts more than silence."""
    causes = [await _cause(address, host, port) for host, port, _ in collect_hosts(list(address.hosts), False)]
    refusals = [cause for cause in causes if isinstance(cause, LogDenied)]
    return (refusals or causes)[0]


async def _cause(address: KafkaAddress, host: str, port: int) -> CoordinationError:
    options = address.sign_in() | {"request_timeout_ms": round(address.timeout * 1000)}
    try:
        connection = await create_conn(host, port, client_id=address.client_id, **options)
        try:
            await connection.send(ask_metadata([]))  # a listener that wants a sign-in answers nothing but greetings
        finally:
            connection.close()
    except kafka_errors.SaslAuthenticationFailed as error:
        return LogDenied(
            f"Kafka at {host}:{port} refused user {address.username!r} ({error}): user name, password "
            f"or mechanism ({address.mechanism}) is wrong."
        )
    except kafka_errors.UnsupportedSaslMechanismError as error:
        return LogDenied(f"Kafka at {host}:{port} does not offer mechanism {address.mechanism} ({error}).")
    except ssl.SSLCertVerificationError as error:
        return LogDenied(f"The certificate of Kafka at {host}:{port} is not trusted ({error}): check `cafile`.")
    except (OSError, TimeoutError, kafka_errors.KafkaError, AssertionError, ValueError) as error:
        return LogUnreachable(f"Kafka at {host}:{port} cannot be reached: {_words(address, error)}.")
    return LogUnreachable(f"Kafka at {host}:{port} answered only at the second try; it may have just started.")


def _words(address: KafkaAddress, error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {address.timeout:g} s; it may be busy, or it is another kind of listener"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error}); check `security`, `cafile` and `certfile`"
    if isinstance(error, OSError):
        other = ", or its listener does not speak TLS" if address.tls else ""
        return f"{str(error) or type(error).__name__}; it may be down, or this is not its address{other}"
    wrong = "user name or password are wrong, or " if address.sasl else ""
    return (
        f"it closed the connection ({str(error) or type(error).__name__}); it may be starting or stopping, or {wrong}"
        f"the listener is not of security={address.security}"
    )

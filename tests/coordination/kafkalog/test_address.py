"""Rules of the Kafka URL."""

import pytest

from coordination.errors import CoordinationError
from coordination.kafkalog import open_kafkalog, parse_address

SASL = "security=sasl_plaintext&username=alice"


def refused(url: str) -> str:
    with pytest.raises(CoordinationError) as error:
        parse_address(url)
    assert error.value.code == "bad_log_url"
    return str(error.value)


def test_a_url_names_hosts_and_how_to_sign_in() -> None:
    address = parse_address(
        "kafka://one:9092,two:9093?security=SASL_SSL&mechanism=scram-sha-512&username=alice&password=s&timeout=2.5"
    )
    assert address.hosts == ("one:9092", "two:9093")
    assert (address.security, address.mechanism, address.timeout) == ("sasl_ssl", "SCRAM-SHA-512", 2.5)
    options = address.options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_plain_username"] == "alice"
    assert options["ssl_context"] is not None


def test_without_options_the_connection_is_plain() -> None:
    options = parse_address("kafka://[::1]:9092/").options()
    assert options["security_protocol"] == "PLAINTEXT"
    assert options["ssl_context"] is None
    assert options["bootstrap_servers"] == ["[::1]:9092"]


def test_values_are_percent_decoded_and_a_plus_stays_a_plus() -> None:
    assert parse_address(f"kafka://h?{SASL}&password=a%26b%3D%C3%BC+c").password == "a&b=ü+c"


def test_an_unknown_option_is_named_with_the_right_ones() -> None:
    message = refused("kafka://h?passwort=x")
    assert "'passwort'" in message
    assert "username, password, cafile" in message


@pytest.mark.parametrize("password", ["hush&Secret1", "hush&secret1=x&y", "hush%FF"])
def test_no_part_of_a_password_stands_in_an_error(password: str) -> None:
    message = refused(f"kafka://h?{SASL}&password={password}")
    assert "hush" not in message
    assert "ecret1" not in message


def test_no_secret_stands_in_a_repr() -> None:
    log = open_kafkalog(f"kafka://h?{SASL}&password=hush")
    assert "hush" not in f"{log!r} {log} {log.address!r} {log.address}"
    assert "alice" in repr(log)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://h", "kafka://"),
        ("kafka://", "kafka://"),
        ("kafka://?timeout=1", "no host"),
        ("kafka://alice:hush@h", "behind the question mark"),
        ("kafka://h:ninety", "host:port"),
        ("kafka://h:99999", "h:99999"),
        ("kafka://h/topic", "'/topic'"),
        ("kafka://h?security=tls", "plaintext, ssl, sasl_plaintext, sasl_ssl"),
        (f"kafka://h?{SASL}&password=x&mechanism=GSSAPI", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
        ("kafka://h?timeout=soon", "number of seconds"),
        ("kafka://h?timeout=nan", "number of seconds"),
        ("kafka://h?timeout=1&timeout=2", "twice"),
        (f"kafka://h?{SASL}", "needs username and password"),
        ("kafka://h?username=alice&password=x", "need security=sasl_ssl"),
        ("kafka://h?cafile=/x", "need security=ssl"),
        ("kafka://h?security=ssl&cafile=/nowhere/ca.pem", "/nowhere/ca.pem"),
        ("kafka://h?security=ssl&keyfile=/nowhere/key.pem", "keyfile needs certfile"),
    ],
)
def test_a_wrong_url_is_refused_with_words(url: str, words: str) -> None:
    message = refused(url)
    assert words in message
    assert "hush" not in message

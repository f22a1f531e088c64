"""Kafka's own answer to "how far behind is this group", read from its command-line program."""

from typing import NamedTuple

COMMAND = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


class PartitionLag(NamedTuple):
    """One line of `ConsumerGroupCommand --describe`; offsets and lag in records, None where Kafka prints `-`."""

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int | None
    lag: int | None


def read_lags(printed: str) -> list[PartitionLag]:
    """The partitions in what `ConsumerGroupCommand --describe` printed, in its order."""
    lags: list[PartitionLag] = []
    for line in printed.splitlines():
        words = line.split()
        if len(words) >= 6 and words[2].isdigit():
            offsets = (None if word == "-" else int(word) for word in words[3:6])
            lags.append(PartitionLag(words[0], words[1], int(words[2]), *offsets))
    return lags

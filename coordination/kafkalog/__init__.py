"""The Kafka adapter of the event log: `open_kafkalog("kafka://host:9092?…")`.

Only this package imports a Kafka client (aiokafka). `log` is the handle; `reader`, `membership`, `transaction` and
`appender` carry records; `topics`, `offsets` and `groups` answer questions through `connection`; `wire` and `fence`
add what aiokafka lacks.
"""

from coordination.kafkalog.address import KafkaAddress, parse_address
from coordination.kafkalog.log import KafkaLog, open_kafkalog

__all__ = ["KafkaAddress", "KafkaLog", "open_kafkalog", "parse_address"]
